import { encode as encodePng } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import { allOps } from "../../src/ops/all.ts";
import { draws } from "../../src/random.ts";
import { CHURN, customers, jsonOf, QUICK, useCli, wave } from "./support.ts";

const cli = useCli();
beforeAll(async () => {
  cli.write("customers.csv", customers(200));
  cli.write("new-customers.csv", customers(20, { labels: false, seed: 3 }));
  cli.write("customers-of-this-year.csv", customers(60, { seed: 4 }));
  cli.write("prices.csv", wave(160, 1));
  const draw = draws(6, 0);
  const pixels = (count: number, at: number, bright: boolean): number[] =>
    Array.from({ length: count }, (_, i) => (bright ? 8 : 0) + draw.integer(at + i, 8));
  const names = pixels(64, 0, false).map((_, i) => `p${i}`);
  const digits = Array.from({ length: 100 }, (_, i) => [...pixels(64, 64 * i, i % 10 === 1), i % 10].join());
  cli.write("digits.csv", `${[...names, "digit"]}\n${digits.join("\n")}\n`);
  for (let i = 0; i < 24; i++) {
    const data = Uint8Array.from(pixels(12, 12 * i, i % 2 === 0), (v) => 16 * v);
    const photo = encodePng({ width: 2, height: 2, channels: 3, data });
    cli.write(`photos/${i % 2 === 0 ? "cats" : "dogs"}/${i}.png`, photo);
  }
});

/** The example lines of a command's help; what a shell would do after a pipe is left out. */
async function examples(command: string): Promise<string[][]> {
  const { code, stdout } = await cli.run(command, "--help");
  expect(code).toBe(0);
  const lines = stdout.split(/^Examples?:$/m)[1]?.split("\n") ?? [];
  const found = lines.map((line) => /^ {2}tilegrad (.*?)( \||$)/.exec(line)?.[1].replaceAll('"', "").split(" ") ?? []);
  return found.filter((args) => args.length > 0);
}

const COMMANDS = ["train", "evaluate", "predict", "cv", "compare", "tune", "inspect", "describe", "doctor"];

describe("the examples of --help", () => {
  it("are there for every command", async () => {
    const { stdout } = await cli.run("--help");
    const listed = [...stdout.split("Commands:")[1].matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual([...COMMANDS].sort());
  });

  it("says what options are by default, but not that flags are off", async () => {
    const { stdout } = await cli.run("train", "--help");
    expect(stdout).toMatch(/default: "standard"/);
    expect(stdout).not.toMatch(/default: false/);
  });

  // In this order, since train makes the model that the others use.
  it.each(COMMANDS)(
    "%s",
    async (command) => {
      const found = await examples(command);
      expect(found.length).toBeGreaterThan(0);
      // On the CPU where a software GPU would compile many kernels: tests of their own do that.
      const short = ["--device", "cpu", "--epochs", "2"];
      const slow = {
        doctor: ["--device", "cpu"],
        train: [...short, "--refit", "never"],
        cv: short,
        compare: short,
        tune: short,
      };
      const quick = slow[command as keyof typeof slow] ?? [];
      for (const args of found) {
        const ended = await cli.run(...args, ...quick);
        expect(ended.code, ended.stderr).toBe(0);
        expect(ended.stderr).not.toContain("error");
      }
    },
    180_000,
  );

  it("have written what they say", () => {
    expect(cli.read("scores.csv").split("\n")).toHaveLength(22);
  });
});

describe("inspect", () => {
  const inspect = async (...args: string[]) =>
    jsonOf(await cli.run("inspect", "customers.csv", ...CHURN.slice(0, 2), "--json", ...args));

  it("shows at most 12 dispatches for a step of the 3-layer network with Adam", async () => {
    const plan = await inspect("--device", "webgpu", "--dropout", "0", "--l2", "0");
    expect(plan.batch).toBe(128);
    expect(plan.dispatches).toBeLessThanOrEqual(12);
    expect(plan.stages).toHaveLength(plan.dispatches);
    expect(plan.plan).toMatchObject({ kind: "dispatch", why: expect.stringMatching(/./) });
    expect(new Set(plan.stages.map((stage: { stage: string }) => stage.stage))).toEqual(
      new Set(["forward", "loss", "backward", "update"]),
    );
    for (const { workgroups, bytes } of plan.stages) {
      expect(Math.min(...workgroups)).toBeGreaterThanOrEqual(1);
      expect(bytes).toBeGreaterThan(0);
    }
  });

  it("shows more dispatches without fusion", async () => {
    const [fused, plain] = [await inspect("--device", "cpu"), await inspect("--device", "cpu", "--no-fusion")];
    expect(plain.dispatches).toBeGreaterThan(fused.dispatches);
  });

  it("draws the kernels as a graph", async () => {
    const { stdout } = await cli.run("inspect", "customers.csv", ...CHURN.slice(0, 2), "--device", "cpu", "--dot");
    expect(stdout).toMatch(/^digraph step \{/);
    const declared = new Set([...stdout.matchAll(/^\s*(n\d+) \[label/gm)].map(([, id]) => id));
    const used = [...stdout.matchAll(/(n\d+) -> (n\d+)/g)].flatMap(([, from, to]) => [from, to]);
    expect(used.filter((id) => !declared.has(id))).toEqual([]);
  });
});

describe("doctor", () => {
  it("checks every op and its gradient against the f64 reference", async () => {
    const ended = await cli.run("doctor", "--device", "cpu", "--json", "--quiet");
    expect(ended.code, ended.stderr).toBe(0);
    const { passed, failed, checks, ops } = jsonOf(ended);
    expect({ passed, failed }).toEqual({ passed: true, failed: 0 });
    const sampled = allOps.filter((op) => (op.samples?.() ?? []).length > 0).map((op) => op.name);
    expect(ops.map(({ op }: { op: string }) => op)).toEqual(sampled);
    expect(checks).toBe(ops.reduce((n: number, { cases }: { cases: number }) => n + cases, 0));
  }, 120_000);
});

describe("describe", () => {
  it("tells types, missing cells, duplicates and columns that give the answer away", async () => {
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${i % 7 === 0 ? "" : i % 10},${i % 3 === 0 ? "x" : "z"},${i % 4 === 0 ? 9 : 1},${i % 4 === 0 ? 1 : 0}`,
    );
    cli.write("leaky.csv", `${["size,kind,answer,y", ...rows, rows[0]].join("\n")}\n`);
    const ended = await cli.run("describe", "leaky.csv", "--target", "y", "--json");
    const found = jsonOf(ended);
    expect(found.leakSuspects).toEqual(["answer"]);
    expect(found.duplicates).toBe(61 - new Set(rows).size);
    expect(found.columns.find(({ name }: { name: string }) => name === "size")).toMatchObject({
      kind: "numeric",
      missing: 10,
    });
    const { stdout } = await cli.run("describe", "leaky.csv", "--target", "y");
    expect(stdout).toContain("Leak suspects, almost perfect alone: answer.");
    expect((await cli.run("describe", "customers.csv")).stdout).toContain("customer_id looks like an id");
  });
});

it("says which version it is", async () => {
  const { stdout } = await cli.run("--version");
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it("trains on the GPU and names it, never claiming hardware that is not there", async () => {
  const ended = await cli.run(
    "train",
    "customers.csv",
    ...CHURN,
    ...QUICK,
    "--device",
    "webgpu",
    "--out",
    "gpu",
    "--json",
    "--quiet",
  );
  const { device, dispatches } = jsonOf(ended);
  expect(device.backend).toBe("webgpu");
  expect(device.software).toBe(/swiftshader|llvmpipe|lavapipe/i.test(device.adapter));
  expect(dispatches).toBeGreaterThan(0);
});
