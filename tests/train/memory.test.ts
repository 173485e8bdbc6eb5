import { afterAll, beforeAll, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { results, topological } from "../../src/graph/traverse.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { dense } from "../../src/model/layers/dense.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { openGpu } from "../../src/node/gpu.ts";
import { stepGraph } from "../../src/train/stepGraph.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openGpuDevice } from "../../src/webgpu/device.ts";
import { bitsOf, failure, onDevices, problem, trainerOf, withDropout } from "./support.ts";

const data = problem(70);
const tiny = (): Model => sequential({ input: [5] }, [dense(2, { activation: "tanh" }), dense(1)]);

const CREATES = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createComputePipelineAsync",
  "createComputePipeline",
  "createShaderModule",
] as const;

/** Counts what is made on a GPU device from now on. */
function countCreations(gpu: GPUDevice): { count: number } {
  const counter = { count: 0 };
  for (const name of CREATES) {
    const make = gpu[name].bind(gpu) as (...args: unknown[]) => unknown;
    Object.defineProperty(gpu, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        counter.count++;
        return make(...args);
      },
    });
  }
  return counter;
}

let device: WebGpuDevice;
beforeAll(async () => {
  device = await openGpuDevice({ gpu: (await openGpu()).gpu });
});
afterAll(() => device.dispose());

it("makes no buffer, bind group or pipeline after the first chunk, tail batch and validation included", async () => {
  const counter = countCreations(device.gpu);
  const trainer = trainerOf(device, withDropout(), { metrics: ["rocAuc"] });
  let afterFirst = -1;
  for await (const event of trainer.run(data, { epochs: 40, batchSize: 16, validation: problem(300) })) {
    if (afterFirst < 0 && event.type === "epoch") afterFirst = counter.count;
    if (event.type === "steps" && afterFirst < 0) expect(counter.count).toBeGreaterThan(0);
  }
  expect(counter.count).toBe(afterFirst);
  trainer.dispose();
});

it.each([
  { batch: 64, units: [64, 64], rows: 2000 },
  { batch: 1024, units: [64, 64], rows: 2048 },
  { batch: 256, units: [256, 256, 256], rows: 1024 },
])(
  "holds little more than weights, gradients, slots, data and activations: $units, batch $batch",
  async ({ batch, units, rows }) => {
    const inputs = 32;
    const hidden = units.map((n) => dense(n, { activation: "relu" }));
    const model = sequential({ input: [inputs] }, [...hidden, dense(1)]);
    const before = device.memory().bytes;
    const trainer = trainerOf(device, model, { plan: "dispatch" });
    const x = Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(i));
    let held = 0;
    for await (const event of trainer.run(
      { x, y: x.map((_, i) => i % 2).subarray(0, rows) },
      { epochs: 1, batchSize: batch },
    )) {
      if (event.type === "steps") held = Math.max(held, device.memory().bytes - before);
    }
    const parameters = model.layers.reduce((n, layer) => n + layer.parameters, 0);
    // Of Adam's four arenas; what the backward pass reads lives until then.
    const needed = 4 * (4 * parameters + rows * (inputs + 1) + batch * (inputs + units.reduce((a, n) => a + n, 0) + 1));
    expect(held).toBeGreaterThanOrEqual(needed);
    expect(held).toBeLessThanOrEqual(1.15 * needed + 2 ** 20);
    trainer.dispose();
  },
);

it("holds as many bytes after 10,000 steps as after the first epochs", async () => {
  const trainer = trainerOf(device, tiny());
  const bytes: number[] = [];
  let step = 0;
  for await (const event of trainer.run(data, { epochs: 2000, batchSize: 16 })) {
    if (event.type !== "steps") continue;
    bytes.push(device.memory().bytes);
    step = event.step;
  }
  expect(step).toBe(10_000);
  expect(new Set(bytes.slice(1)).size).toBe(1);
  trainer.dispose();
});

it("predicting again and again makes nothing new", async () => {
  const trainer = trainerOf(device, tiny());
  for (const rows of [1, 32, 512, 5000]) await trainer.predict(problem(rows).x);
  const counter = countCreations(device.gpu);
  const { bytes } = device.memory();
  for (const rows of [5000, 1, 20, 33, 513, 4097, 32]) await trainer.predict(problem(rows).x);
  expect(counter.count).toBe(0);
  expect(device.memory().bytes).toBe(bytes);
  trainer.dispose();
});

it("names every buffer it holds, and their bytes add up", async () => {
  const trainer = trainerOf(device, withDropout());
  const { bytes, buffers } = device.memory();
  expect(bytes).toBe(buffers.reduce((sum, b) => sum + b.bytes, 0));
  expect(buffers.every((b) => b.label !== "" && b.bytes > 0)).toBe(true);
  expect(buffers.map((b) => b.label)).toEqual(expect.arrayContaining(["parameters", "optimizer m", "optimizer v"]));
  trainer.dispose();
});

it("frees everything when fit is done and the trainer disposed of, but for a pool of staging buffers", async () => {
  const owned = (): string[] =>
    device
      .memory()
      .buffers.map((b) => b.label)
      .filter((label) => label !== "staging");
  const before = owned();
  const trainer = trainerOf(device, withDropout(), { metrics: ["f1"] });
  const made = owned();
  await trainer.fit(data, { epochs: 2, batchSize: 16 });
  expect(owned()).toEqual(made);
  await trainer.fit(data, { epochs: 2, batchSize: 16, validation: problem(40) });
  await trainer.predict(data.x);
  trainer.dispose();
  await device.flush();
  expect(owned()).toEqual(before);
});

it("a memory budget that is too small is E_MEMORY, naming the buffer, before anything is changed", async () => {
  const { gpu } = await openGpu();
  const small = await openGpuDevice({ gpu, memoryBudget: 1 << 21 });
  const { bytes } = small.memory();
  const wide = sequential({ input: [5] }, [dense(30_000), dense(1)]);
  expect(() => trainerOf(small, wide)).toThrow(expect.objectContaining({ code: "E_MEMORY" }));
  expect(small.memory().bytes).toBe(bytes);

  const trainer = trainerOf(small, tiny());
  const held = small.memory().bytes;
  const before = await bitsOf(trainer);
  const staging = small.memory().bytes - held;
  const error = await failure(trainer.fit(problem(100_000), { epochs: 1 }));
  expect(error.code).toBe("E_MEMORY");
  expect(error.message).toMatch(/training x: needs 2000000 bytes; \d+ of 2097152 are in use/);
  expect(small.memory().bytes).toBe(held + staging);
  expect(await bitsOf(trainer)).toEqual(before);
  await trainer.predict(new Float32Array(5));
  await trainer.fit(data, { epochs: 1 });
  small.dispose();
});

it("a tensor beyond the device's limits is E_MEMORY", () => {
  const most = Math.min(device.gpu.limits.maxBufferSize, device.gpu.limits.maxStorageBufferBindingSize);
  const { bytes } = device.memory();
  expect(() => device.tensor({ dtype: "f32", shape: [most / 4 + 1] }, "huge")).toThrow(
    expect.objectContaining({
      code: "E_MEMORY",
      message: expect.stringMatching(/^huge: needs \d+ bytes; this device allows \d+ in one buffer/),
    }),
  );
  expect(device.memory().bytes).toBe(bytes);
});

onDevices((on) => {
  it("trains with a batch of 100,000 rows without keeping room for many orders", async () => {
    const trainer = trainerOf(on(), sequential({ input: [1] }, [dense(1)]));
    const rows = 100_000;
    const x = Float32Array.from({ length: rows }, (_, i) => Math.sin(i));
    const held = on().memory().bytes;
    let most = 0;
    for await (const event of trainer.run({ x, y: x.map((v) => (v > 0 ? 1 : 0)) }, { epochs: 2, batchSize: rows })) {
      if (event.type === "steps") most = Math.max(most, on().memory().bytes - held);
    }
    expect(most).toBeLessThan(64 * 2 ** 20);
    trainer.dispose();
  });
});

it.each([1, 7, 64, 255])("a step of %i rows is planned with what a run holds on the device", async (batchSize) => {
  const device = openCpu();
  const trainer = trainerOf(device, tiny());
  const { x, y } = problem(256);
  let held = 0;
  const onEpochEnd = () => {
    held = device.memory().bytes;
  };
  await trainer.fit({ x, y }, { epochs: 1, batchSize, callbacks: [{ name: "look", onEpochEnd }] });
  const planned = topological(results(stepGraph(trainer, batchSize, device.maxQueue, 256)))
    .filter(({ op }) => op.name === "input" || op.name === "state")
    .reduce((bytes, { outputs }) => bytes + 4 * sizeOf(outputs[0].shape), 0);
  expect(held).toBe(planned);
  trainer.dispose();
  device.dispose();
});
