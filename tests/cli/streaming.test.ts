import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { writeLargeCsv } from "../../bench/largeCsv.ts";
import { draws } from "../../src/random.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const temporary = () => path.join(cli.folder, "tmp");
beforeAll(() => {
  fs.mkdirSync(temporary());
  vi.stubEnv("TMPDIR", temporary());
});
afterAll(() => void vi.unstubAllEnvs());
afterEach(() => expect(fs.readdirSync(temporary())).toEqual([]));

const modelOf = (folder: string) =>
  Object.fromEntries(Object.entries(cli.files(folder)).filter(([name]) => !name.startsWith("checkpoint")));

/** Inputs of 40 MB, more than one block, from a small file: four columns of 50 categories, two of numbers. */
function wide(rows: number): string {
  const draw = draws(3, 0);
  const lines = ["a,b,c,d,e,f,y"];
  for (let row = 0; row < rows; row++) {
    const levels = [0, 1, 2, 3].map((i) => draw.integer(8 * row + i, 50));
    const e = draw.normal(8 * row + 4);
    const y = e + (levels[0] < 10 ? 1 : 0) + (levels[1] % 7 === 0 ? 1 : 0) > 2 ? 1 : 0;
    lines.push([...levels.map((level) => `L${level}`), e.toFixed(3), row % 9 === 0 ? "" : row % 100, y].join(","));
  }
  return `${lines.join("\n")}\n`;
}

it("saves the same model with and without --stream, and evaluates alike", async () => {
  cli.write("customers.csv", customers(3000).replaceAll(",max,", ",,"));
  const args = ["train", "customers.csv", ...CHURN, ...QUICK, "--refit", "always", "--json", "--quiet"];
  const [memory, stream] = [await cli.run(...args, "--out", "m"), await cli.run(...args, "--out", "s", "--stream")];
  expect(stream.code, stream.stderr).toBe(0);
  expect(modelOf("s")).toEqual(modelOf("m"));
  const { metrics, baseline, rows } = jsonOf(memory);
  expect(jsonOf(stream)).toMatchObject({ metrics, baseline, rows });
  const evaluate = ["evaluate", "m", "customers.csv", "--device", "cpu", "--json", "--quiet"];
  const [whole, streamed] = [await cli.run(...evaluate), await cli.run(...evaluate, "--stream")];
  expect(jsonOf(streamed).metrics).toEqual(jsonOf(whole).metrics);
});

it("reads a file again whose column has its first text late, and then trains as from memory", async () => {
  const draw = draws(5, 0);
  const lines = Array.from({ length: 60_000 }, (_, i) => {
    const v = draw.normal(i);
    return `${v.toFixed(2)},${i < 40_000 ? i % 4 : `k${i % 4}`},${v > 1 ? 1 : 0}`;
  });
  cli.write("late.csv", `v,k,y\n${lines.join("\n")}\n`);
  const args = [
    "train",
    "late.csv",
    "--target",
    "y",
    "--layers",
    "2",
    "--epochs",
    "1",
    "--device",
    "cpu",
    "--batch",
    "512",
  ];
  const memory = await cli.run(...args, "--out", "late-m", "--no-baseline");
  const stream = await cli.run(...args, "--out", "late-s", "--no-baseline", "--stream");
  expect(stream.stderr).toContain('column "k" has texts; reading the file again');
  expect(memory.code, memory.stderr).toBe(0);
  expect(modelOf("late-s")).toEqual(modelOf("late-m"));
});

it("stopped by Ctrl-C in the middle of an epoch and resumed, saves the bytes of an uninterrupted run", async () => {
  cli.write("wide.csv", wide(40_000));
  const options = ["--target", "y", "--stream", "--layers", "2", "--batch", "256", "--epochs", "3", "--device", "cpu"];
  const args = ["train", "wide.csv", ...options, "--no-baseline"];
  const whole = await cli.run(...args, "--out", "whole");
  expect(whole.code, whole.stderr).toBe(0);
  const cut = await cli.interrupt(/epoch 1\/3/, "SIGINT", ...args, "--out", "cut", "--checkpoint", "100");
  expect(cut.code, cut.stderr).toBe(130);
  expect(fs.readdirSync(temporary())).toEqual([]);
  const { cursor, epoch, states } = JSON.parse(cli.read("cut/checkpoint/checkpoint.json"));
  expect({ epoch, blocks: states.blockRows > 0, within: cursor > 0 }).toEqual({ epoch: 1, blocks: true, within: true });
  const resumed = await cli.run(...args, "--out", "cut", "--checkpoint", "100", "--resume");
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(modelOf("cut")).toEqual(modelOf("whole"));
});

it("names the line of a fault, and what cannot be streamed", async () => {
  cli.write("fault.csv", `${customers(20_000)}c1,forty,plus,0.5,yes\n`);
  const fault = await cli.run("train", "fault.csv", ...CHURN, ...QUICK, "--out", "none", "--stream");
  expect(fault.code).toBe(2);
  expect(fault.stderr).toMatch(/fault.csv, line 20002, column "age": non-numeric cell "forty"/);
  const window = ["--target", "up(usage)", "--window", "4", "--stream", "--out", "none"];
  const ended = await cli.run("train", "fault.csv", ...window);
  expect(ended.stderr).toContain("--stream: got --window beside it");
  const resampled = await cli.run("train", "fault.csv", ...CHURN, "--out", "none", "--stream", "--resample", "smote");
  expect(resampled.stderr).toContain("--resample: the rows are streamed");
});

it("predicts the same bits block by block as all at once, from gzip too", async () => {
  const text = customers(30_000, { labels: false, seed: 2 });
  // Two chunks make a block, and a few rows are left.
  const rows = text.slice(0, text.indexOf("\n", 2 * 2 ** 18 + 300) + 1);
  cli.write("new.csv", rows);
  cli.write("new.csv.gz", gzipSync(rows));
  cli.write("customers.csv", customers(500));
  await cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--out", "scorer");
  const whole = await cli.run("predict", "scorer", "new.csv");
  expect(whole.code, whole.stderr).toBe(0);
  expect(whole.stdout.split("\n")).toHaveLength(rows.split("\n").length);
  const stream = await cli.run("predict", "scorer", "new.csv", "--stream", "--out", "scores.csv");
  expect(stream.stderr).toMatch(/reading new.csv: [\d,]+ rows/);
  expect(cli.read("scores.csv")).toBe(whole.stdout);
  const packed = await cli.run("predict", "scorer", "new.csv.gz", "--stream", "--json", "--quiet");
  expect(jsonOf(packed).scores.map(String)).toEqual(
    whole.stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => String(Number(line.split(",")[1]))),
  );
});

it("leaves the old scores where a fault comes late, and says where a gzip file is cut off", async () => {
  cli.write("new.csv", `${customers(30_000, { labels: false })}c1,forty,plus,0.5\n`);
  cli.write("kept.csv", "as it was");
  const late = await cli.run("predict", "scorer", "new.csv", "--stream", "--device", "cpu", "--out", "kept.csv");
  expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining('new.csv, line 30002, column "age"') });
  expect(cli.read("kept.csv")).toBe("as it was");
  cli.write("cut.csv.gz", gzipSync(customers(2000)).subarray(0, 9000));
  for (const args of [["describe"], ["describe", "--stream"], ["predict", "scorer", "--stream"]]) {
    const { code, stderr } = await cli.run(...args, "cut.csv.gz");
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("damaged or truncated") });
  }
});

it("describes a streamed table column by column as one in memory", async () => {
  cli.write("described.csv", `${customers(3000)}${customers(3000).split("\n")[7]}\n`);
  const args = ["describe", "described.csv", "--target", "churned"];
  const memory = jsonOf(await cli.run(...args, "--json"));
  expect(memory.duplicates).toBe(1);
  expect(jsonOf(await cli.run(...args, "--stream", "--json"))).toEqual({ ...memory, duplicates: null });
  expect((await cli.run(...args, "--stream")).stdout).toContain("Equal rows were not looked for");
});

/** Runs the program and watches its memory; `peak` in bytes. */
async function watched(...args: readonly string[]) {
  const child = spawn(process.execPath, [cli.program, ...args], { cwd: cli.folder });
  let [stdout, stderr, peak] = ["", "", 0];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const watch = setInterval(() => {
    const status = fs.readFileSync(`/proc/${child.pid}/status`, "utf8");
    peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 20);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearInterval(watch);
  return { code, stdout, stderr, peak };
}

// Read whole, a file of this size takes 380 MB to train and 280 MB to predict.
it("trains on 70 MB in less than 350 MB of memory, and predicts in less than 220 MB", async () => {
  const file = path.join(cli.folder, "large.csv");
  writeLargeCsv(file, 7_000_000);
  const text = fs.readFileSync(file, "latin1");
  const rows = text.slice(text.indexOf("\n") + 1);
  for (let i = 1; i < 10; i++) fs.appendFileSync(file, rows);
  const options = ["--epochs", "1", "--layers", "8", "--batch", "4096", "--json", "--out", "large"];
  const trained = await watched("train", file, "--target", "fraud", ...options);
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.stderr).toMatch(/reading large.csv: [\d,]+ rows/);
  expect(JSON.parse(trained.stdout).metrics.test.rocAuc).toBeGreaterThan(0.9);
  expect(trained.peak).toBeGreaterThan(50e6);
  expect(trained.peak).toBeLessThan(350e6);
  const predicted = await watched("predict", "large", file, "--device", "cpu", "--out", "large.scores.csv");
  fs.rmSync(file);
  expect(predicted.code, predicted.stderr).toBe(0);
  expect(cli.read("large.scores.csv").split("\n").length).toBeGreaterThan(200_000);
  expect(predicted.peak).toBeGreaterThan(50e6);
  expect(predicted.peak).toBeLessThan(220e6);
}, 180_000);
