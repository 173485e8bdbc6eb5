import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { CompiledStep, Device } from "../../src/device.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { tuningFiles } from "../../src/node/tunings.ts";
import { openDevice } from "../../src/node.ts";
import type { KernelForce, KernelLimits, Tuning } from "../../src/ops/limits.ts";
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
const make = (on: Device, deterministic = true): Trainer =>
  trainerOf(on, model, { optimizer: adam(), plan: "dispatch", deterministic });

/** One run of `doctor --tune` for a saved model, with a cache folder of its own. */
beforeAll(async () => {
  device = await open("off");
  const saved = path.join(folder, "model");
  const trainer = make(device);
  await trainer.save(saved);
  trainer.dispose();
  const program = await bundleProgram(path.join(repository, "src/cli/main.ts"));
  const args = [
    "doctor",
    "--tune",
    "--model",
    saved,
    "--batch",
    "16",
    "--seconds",
    "200",
    "--no-deterministic",
    "--json",
  ];
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
    return other ? [[bucket, { matmul: other.name as NonNullable<KernelForce["matmul"]> }]] : [];
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

it("compares kernels that sum in another order when it may, and keeps them apart", () => {
  const { kernels, reordered } = result.kernels[1];
  expect(kernels.map(({ name }) => name)).toEqual(expect.arrayContaining(["splits 4", "splits 16", reordered]));
  expect(kernels.every(({ close }) => close)).toBe(true);
  expect(kernels.filter(({ equal }) => !equal).map(({ name }) => name)).toContain("splits 4");
  expect(Object.values(result.tuning.kernels).every(({ splits }) => splits === undefined)).toBe(true);
  expect(result).toMatchObject({ deterministic: false });
  expect(shown).toMatch(/not deterministic[\s\S]*splits 4 [^,]*\(other bits\)/);
});

it("keeps shares apart even where their bits were equal", async () => {
  vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "equal"));
  const opened = await open("off");
  // Four shares of four rows are added as one sum is. By this clock, which runs put forward, all else is slow.
  const took = new Map<CompiledStep, number>();
  let forward = 0;
  const on = wrapDevice(opened, {
    compile: async (graph, options) => {
      const step = await opened.compile(graph, options);
      if (options.label === "tune") took.set(step, options.limits?.splits === 4 ? 1000 : 3000);
      return step;
    },
    enqueue: (step, values) => {
      forward += took.get(step) ?? 0;
      opened.enqueue(step, values);
    },
  });
  const trainer = { model, loss: meanSquaredError(), optimizer: adam() };
  const clock = performance.now.bind(performance);
  const watched = vi.spyOn(performance, "now").mockImplementation(() => clock() + forward);
  const { kernels, tuning } = await tuneDevice(on, { trainer, batchSize: 4, seconds: 1e6, deterministic: false });
  watched.mockRestore();
  const bucket = "denseGrad 4/4x8/1 4/4x1/1";
  const measured = kernels.find((kernel) => kernel.bucket === bucket);
  expect(measured?.kernels.find(({ name }) => name === "splits 4")).toMatchObject({ equal: true });
  expect(measured).toMatchObject({ now: measured?.before, reordered: "splits 4" });
  expect(tuning.kernels[bucket]).toBe(undefined);
  expect(tuning.reordered[bucket]).toEqual({ splits: 4 });
  on.dispose();
});

it("has kernels with other bits used by who asks for them only, to the same bits each time", async () => {
  const tuning: Tuning = { ...result.tuning, kernels: {}, reordered: { "denseGrad 16x8/1 16x1/1": { splits: 4 } } };
  const on = await open(tuning);
  const outcomes: Record<string, unknown>[] = [];
  const shaders: string[] = [];
  for (const deterministic of [true, false, false]) {
    const compiled = vi.spyOn(on, "compile");
    const trainer = make(on, deterministic);
    await trainer.fit(data, fitting);
    shaders.push(shadersOf(on, compiled.mock.calls));
    outcomes.push({ ...(await bitsOf(trainer)) });
    vi.restoreAllMocks();
    if (shaders.length === 1) {
      await trainer.saveCheckpoint(path.join(folder, "rule"));
    } else {
      expect(trainer.progress.tuning).toEqual(tuning);
      expect(await codeOf(trainer.restoreCheckpoint(path.join(folder, "rule")))).toBe("E_FILE");
    }
    trainer.dispose();
  }
  expect(shaders[1]).not.toBe(shaders[0]);
  expect(outcomes[1]).not.toEqual(outcomes[0]);
  expect([shaders[2], outcomes[2]]).toEqual([shaders[1], outcomes[1]]);
  on.dispose();
});

it.each([
  ["no JSON", () => "{"],
  ["a kernel that there is not", () => JSON.stringify({ ...result.tuning, kernels: { x: { matmul: "fastest" } } })],
  ["shares that there are not", () => JSON.stringify({ ...result.tuning, reordered: { x: { splits: 3 } } })],
  ["shares in everyone's sums", () => JSON.stringify({ ...result.tuning, kernels: { x: { splits: 4 } } })],
  [
    "matrix units for everyone",
    () => JSON.stringify({ ...result.tuning, kernels: { x: { matmul: "subgroupMatrix" } } }),
  ],
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
  const { kernels, left, tuning } = await tuneDevice(small, { trainer, batchSize: 64 });
  expect(kernels.map(({ bucket }) => bucket)).toEqual(["matmul 64x8/1 8/1x1/1", "denseGrad 64x8/1 64x1/1"]);
  expect(left).toHaveLength(6);
  expect(
    kernels.every(({ reordered, kernels: all }) => reordered === null && all.every(({ name }) => !/splits/.test(name))),
  ).toBe(true);
  expect(tuning.reordered).toEqual({});
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
