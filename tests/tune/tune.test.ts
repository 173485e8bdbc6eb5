import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { openDevice } from "../../src/node.ts";
import type { KernelForce, Tuning } from "../../src/ops/op.ts";
import { stepGraph } from "../../src/train/stepGraph.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import type { TuneResult } from "../../src/tune/tune.ts";
import { tuneDevice } from "../../src/tune/tune.ts";
import { bundleProgram, repository, run } from "../support/program.ts";
import { bitsOf, codeOf, problem, trainerOf, wrapDevice } from "../train/support.ts";

const data = problem(70);
const fitting = { epochs: 2, batchSize: 16 };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-tuning-"));
const cache = path.join(folder, "tilegrad");
let device: Device;
let result: TuneResult;
let shown = "";

const open = (tuning: "stored" | "off" | Tuning = "stored"): Promise<Device> => openDevice({ tuning });
const model = sequential({ input: [5] }, [dropout(0.3), dense(1)]);
const make = (on: Device): Trainer => trainerOf(on, model, { optimizer: adam(), plan: "dispatch" });

/** One run of `doctor --tune` for a saved model, with a cache folder of its own. */
beforeAll(async () => {
  device = await open("off");
  const saved = path.join(folder, "model");
  const trainer = make(device);
  await trainer.save(saved);
  trainer.dispose();
  const program = await bundleProgram(path.join(repository, "src/cli/main.ts"));
  const args = ["doctor", "--tune", "--model", saved, "--batch", "16", "--json"];
  const env = { XDG_CACHE_HOME: folder, TILEGRAD_TUNING: undefined };
  const ended = await run(process.execPath, [program, ...args], { env, timeout: 250_000 });
  expect(ended.code, ended.stderr).toBe(0);
  result = JSON.parse(ended.stdout);
  shown = ended.stderr;
  vi.stubEnv("XDG_CACHE_HOME", folder);
});
afterAll(() => {
  device.dispose();
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => vi.restoreAllMocks());

const stored = (): string => path.join(cache, fs.readdirSync(cache).find((name) => name.startsWith("tuning-")) ?? "");

/** Whatever kernel is not the op's own choice and has its bits, however fast. */
function others(): Tuning {
  const forces = result.kernels.flatMap(({ bucket, before, kernels }): [string, KernelForce][] => {
    const other = kernels.find(({ name, equal }) => equal && name !== before);
    return other ? [[bucket, { matmul: other.name as NonNullable<KernelForce["matmul"]> }]] : [];
  });
  return { ...result.tuning, kernels: Object.fromEntries(forces) };
}

it("measures every kernel that the device could choose for a model's step, and what running costs", () => {
  expect(result.kernels.map(({ bucket }) => bucket)).toEqual(["matmul 16x8/1 8/1x1/1", "denseGrad 16x8/1 16x1/1"]);
  expect(result.left).toEqual([]);
  expect(shown).toMatch(/measured 2 of 2 {2}denseGrad/);
  expect(shown).toMatch(/Measured 2 kernels in/);
  for (const { kernels, before, now } of result.kernels) {
    expect(kernels.length).toBeGreaterThanOrEqual(3);
    expect(kernels.map(({ name }) => name)).toEqual(expect.arrayContaining([before, now]));
    expect(kernels.every(({ us }) => us > 0)).toBe(true);
  }
  for (const figure of Object.values(result.tuning.costs)) expect(figure).toBeGreaterThan(0);
});

it("keeps what it found in the cache folder, for the next device that is opened", async () => {
  const again = await open();
  expect(again.limits).toMatchObject({ tuning: result.tuning, costs: result.tuning.costs });
  again.dispose();
  const without = await open("off");
  expect(without.limits?.tuning ?? null).toBe(null);
  expect(without.limits?.costs).not.toEqual(result.tuning.costs);
  without.dispose();
});

it("changes the kernels of a training step, and no bit of what it learns", async () => {
  const outcomes: Record<string, unknown>[] = [];
  const shaders: string[] = [];
  for (const tuning of ["off", others()] as const) {
    const on = await open(tuning);
    const trainer = make(on);
    const { calls } = compileGraph(stepGraph(trainer, fitting.batchSize), on.limits as NonNullable<Device["limits"]>);
    shaders.push(calls.map(({ shader }) => shader).join());
    await trainer.fit(data, fitting);
    outcomes.push({ ...(await bitsOf(trainer)), history: structuredClone(trainer.history) });
    trainer.dispose();
    on.dispose();
  }
  expect(shaders[0]).not.toBe(shaders[1]);
  expect(outcomes[0]).toEqual(outcomes[1]);
});

it("is recorded in a checkpoint, and a run that goes on goes on by it", async () => {
  const tuned = await open(others());
  const cut = make(wrapDevice(tuned, { maxQueue: 1 }));
  const stop = new AbortController();
  const aborted = (async () => {
    for await (const event of cut.run(data, { ...fitting, signal: stop.signal })) {
      if (event.type === "steps" && event.step === 3) stop.abort();
    }
  })();
  expect(await codeOf(aborted)).toBe("E_ABORTED");
  await cut.saveCheckpoint(path.join(folder, "run"));
  await cut.fit(data, fitting);
  const untuned = await open("off");
  const resumed = make(untuned);
  await resumed.restoreCheckpoint(path.join(folder, "run"));
  expect(resumed.progress.tuning).toEqual(others());
  await resumed.fit(data, fitting);
  expect(resumed.progress.tuning).toEqual(others());
  expect(await bitsOf(resumed)).toEqual(await bitsOf(cut));
  tuned.dispose();
  untuned.dispose();
});

it.each([
  ["no JSON", () => "{"],
  ["a kernel that there is not", () => JSON.stringify({ ...result.tuning, kernels: { x: { matmul: "fastest" } } })],
  ["a cost of nothing", () => JSON.stringify({ ...result.tuning, costs: { ...result.tuning.costs, rate: 0 } })],
])("leaves a cache file aside that holds %s, with a warning", async (_, text) => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const before = fs.readFileSync(stored());
  fs.writeFileSync(stored(), text());
  const opened = await open();
  expect(opened.limits?.tuning).toBe(null);
  expect(warned).toHaveBeenCalledOnce();
  opened.dispose();
  fs.writeFileSync(stored(), before);
});

it("refuses to be pinned to what was measured on another device", async () => {
  expect(await codeOf(open({ ...result.tuning, device: "another" }))).toBe("E_FILE");
});

it("says that the CPU reference has nothing to choose", async () => {
  await expect(tuneDevice(openCpu())).rejects.toMatchObject({ code: "E_DEVICE", message: /expected a GPU/ });
});
