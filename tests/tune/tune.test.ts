import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { tuningFiles } from "../../src/node/tunings.ts";
import { openDevice } from "../../src/openDevice.ts";
import type { KernelForce, KernelLimits, Tuning } from "../../src/policy/limits.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import type { TuneResult } from "../../src/tune/tune.ts";
import { tuneDevice } from "../../src/tune/tune.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
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
  const args = ["doctor", "--tune", "--model", saved, "--batch", "16", "--seconds", "200", "--json"];
  const env = { XDG_CACHE_HOME: folder, TILEGRAD_TUNING: undefined };
  const ended = await run(process.execPath, [program, ...args], { env, timeout: 250_000 });
  expect(ended.code, ended.stderr).toBe(0);
  result = JSON.parse(ended.stdout);
  shown = ended.stderr;
});
afterAll(() => {
  device.dispose();
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  vi.restoreAllMocks();
  vi.stubEnv("XDG_CACHE_HOME", folder);
});

const stored = (): string => path.join(cache, fs.readdirSync(cache).find((name) => name.startsWith("tuning-")) ?? "");

/** Whatever kernel is not the op's own choice and has its bits, however fast. */
function others(): Tuning {
  const forces = result.kernels.flatMap(({ bucket, before, kernels }): [string, KernelForce][] => {
    const other = kernels.find(({ name, equal }) => equal && name !== before);
    return other ? [[bucket, { matmul: other.name }]] : [];
  });
  return { ...result.tuning, kernels: Object.fromEntries(forces) };
}

/** The shaders of the training steps that were compiled; by another tuning, if one is given. */
const shadersOf = (on: Device, compiled: Parameters<Device["compile"]>[], tuning?: Tuning | null): string =>
  compiled
    .filter(([, { label }]) => label.startsWith("train"))
    .flatMap(([graph, options]) => {
      const limits = { ...(on.limits as KernelLimits), ...options.limits };
      return compileGraph(graph, tuning === undefined ? limits : { ...limits, tuning }, options).calls;
    })
    .map(({ shader }) => shader)
    .join();

it("measures every kernel that the device could choose for a model's step, and what running costs", () => {
  expect(result.kernels.map(({ bucket }) => bucket)).toEqual(["matmul 16x8/1 8/1x1/1", "denseGrad 16x8/1 16x1/1"]);
  expect(result.left).toEqual([]);
  expect(shown).toMatch(/measured 2 of 2 {2}denseGrad/);
  expect(shown).toMatch(/Measured 2 of 2 kernels in/);
  for (const { kernels, before, now } of result.kernels) {
    expect(kernels.length).toBeGreaterThanOrEqual(3);
    expect(kernels.map(({ name }) => name)).toEqual(expect.arrayContaining([before, now]));
    expect(kernels.every(({ us }) => us > 0)).toBe(true);
    // Shares that a sum is cut into would change its order.
    expect(kernels.every(({ name }) => !/splits/.test(name))).toBe(true);
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
    const compiled = vi.spyOn(on, "compile");
    const trainer = make(on);
    await trainer.fit(data, fitting);
    shaders.push(shadersOf(on, compiled.mock.calls));
    outcomes.push({ ...(await bitsOf(trainer)), history: structuredClone(trainer.history) });
    trainer.dispose();
    on.dispose();
  }
  expect(shaders[0]).not.toBe(shaders[1]);
  expect(outcomes[0]).toEqual(outcomes[1]);
});

it("is recorded in a checkpoint, and a run that goes on goes on by its kernels", async () => {
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
  const after = vi.spyOn(untuned, "compile");
  const resumed = make(untuned);
  await resumed.restoreCheckpoint(path.join(folder, "run"));
  await resumed.fit(data, fitting);
  expect(resumed.progress.tuning).toEqual(others());
  const shaders = shadersOf(untuned, after.mock.calls);
  expect(shaders).toBe(shadersOf(untuned, after.mock.calls, others()));
  expect(shaders).not.toBe(shadersOf(untuned, after.mock.calls, null));
  expect(await bitsOf(resumed)).toEqual(await bitsOf(cut));
  tuned.dispose();
  untuned.dispose();
});

it("reads a tuning of a version that kept kernels of other bits, and leaves those aside", async () => {
  const before = fs.readFileSync(stored());
  fs.writeFileSync(stored(), JSON.stringify({ ...result.tuning, reordered: { x: { matmul: "subgroupMatrix" } } }));
  const opened = await open();
  expect(opened.limits?.tuning).toEqual(result.tuning);
  opened.dispose();
  fs.writeFileSync(stored(), before);
});

it.each([
  ["no JSON", () => "{"],
  ["a kernel without a name", () => JSON.stringify({ ...result.tuning, kernels: { x: { matmul: null } } })],
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

it("refuses to be pinned to what was measured on another device, and leaves no device open", async () => {
  const destroyed = vi.spyOn(Object.getPrototypeOf((device as WebGpuDevice).gpu), "destroy");
  expect(await codeOf(open({ ...result.tuning, device: "another" }))).toBe("E_FILE");
  expect(destroyed).toHaveBeenCalledOnce();
});

it("leaves out what does not fit into memory, measures the rest, and by its own kernels only", async () => {
  vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "small"));
  const small = await openDevice({ tuning: others(), memoryBudget: 2e6 });
  const compiled = vi.spyOn(small, "compile");
  const wide = sequential({ input: [5] }, [dense(1), dense(10_000), dense(1)]);
  const trainer = { model: wide, loss: meanSquaredError(), optimizer: adam() };
  const { kernels, left } = await tuneDevice(small, { trainer, batchSize: 64 });
  expect(kernels.map(({ bucket }) => bucket)).toEqual(["matmul 64x8/1 8/1x1/1", "denseGrad 64x8/1 64x1/1"]);
  expect(left).toHaveLength(6);
  expect(compiled.mock.calls.every(([, { limits }]) => limits?.tuning === null)).toBe(true);
  small.dispose();
});

it("says so when the cache folder cannot be written", async () => {
  fs.writeFileSync(path.join(folder, "file"), "");
  vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "file"));
  expect(await codeOf(tuningFiles.write("device", "{}"))).toBe("E_FILE");
  expect(await tuningFiles.read("device")).toBe(null);
});

it("says that the CPU reference has nothing to choose", async () => {
  await expect(tuneDevice(openCpu())).rejects.toMatchObject({ code: "E_DEVICE", message: /expected a GPU/ });
});
