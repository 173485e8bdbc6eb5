import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compiled } from "../../src/compile.ts";
import { compileGraph } from "../../src/compile.ts";
import type { Device } from "../../src/device.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { batchNormalization } from "../../src/model/layers/normalization.ts";
import { maxPooling2d } from "../../src/model/layers/pooling.ts";
import { lstm } from "../../src/model/layers/recurrent.ts";
import { dropout, flatten } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, meanSquaredError } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { openDevice } from "../../src/openDevice.ts";
import { bytesOf } from "../../src/passes/plan.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import type { CompileOptions } from "../../src/train/compileOptions.ts";
import { layoutParameters } from "../../src/train/parameters.ts";
import { checkpointOf, restoreCheckpoint } from "../../src/train/saving.ts";
import { trainingStep } from "../../src/train/step.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { bitsOf, codeOf, problem, trainerOf, wrapDevice } from "./support.ts";

const mlp = (): Model =>
  sequential({ input: [6] }, [
    dense(32, { activation: "relu" }),
    dropout(0.1),
    dense(16, { activation: "gelu" }),
    dense(1),
  ]);
const cnn = (): Model =>
  sequential({ input: [8, 8, 1] }, [
    conv2d(6, 3, { activation: "relu" }),
    batchNormalization(),
    maxPooling2d(2),
    flatten(),
    dense(1),
  ]);
const wide = (): Model =>
  sequential({ input: [8] }, [dense(256, { activation: "relu" }), dense(256, { activation: "relu" }), dense(1)]);
const recurrent = (): Model => sequential({ input: [6, 3] }, [lstm(12), dense(1)]);

/** Devices that can: the CPU always, the GPU where it has f16. */
const able: [string, Device][] = [];
let gpu: Device;
let cpu: Device;
beforeAll(async () => {
  cpu = await openDevice({ backend: "cpu" });
  gpu = await openDevice({ backend: "webgpu" });
  able.push(["cpu", cpu], ...(gpu.limits?.f16 ? [["webgpu", gpu] as [string, Device]] : []));
});
afterAll(() => {
  cpu.dispose();
  gpu.dispose();
});

const make = (device: Device, model: Model, options: Partial<CompileOptions> = {}): Trainer =>
  trainerOf(device, model, {
    precision: "mixed",
    // Its kernels are shared by networks and batch sizes, so that slow compilers see them once.
    plan: "dispatch",
    optimizer: adam({ learningRate: 0.01 }),
    ...options,
  });

const scaleOf = async (trainer: Trainer): Promise<number[]> => {
  const values = await Promise.all(Object.values(trainer.lossScaling).map((t) => t.read()));
  return values.map(([v]) => v);
};

describe("what is stored in 16 bits", () => {
  const compiled = (model: Model, precision: "f32" | "mixed", batch = 64): Compiled => {
    const step = trainingStep({
      model,
      optimizer: adam(),
      layout: layoutParameters(model),
      loss: binaryCrossentropy(),
      batch,
      data: { rows: batch, y: [], weighted: false },
      orderSize: batch,
      recordSize: 1,
      penalties: { l1: false, l2: false },
      precision,
    });
    return compileGraph(step, { ...LEAST_LIMITS, f16: true }, { precision });
  };
  const temporaries = (model: Model, precision: "f32" | "mixed"): number => {
    const { plan } = compiled(model, precision);
    for (const { kind, half } of plan.buffers) if (half) expect(kind).toBe("slot");
    return plan.buffers.filter(({ kind }) => kind === "slot").reduce((n, b) => n + bytesOf(b), 0);
  };

  it.each([
    ["dense", mlp],
    ["convolutional", cnn],
    ["recurrent", recurrent],
  ])("halves the temporaries of a %s network, but for its batch; nothing else changes its place", (_, build) => {
    const model = build();
    const batch = 4 * 64 * sizeOf(model.inputShape);
    expect(temporaries(model, "mixed") - batch).toBeLessThan(0.56 * (temporaries(model, "f32") - batch));
  });

  it("is a copy of the weights, too, where so many rows read them that it saves more bytes than it moves", () => {
    const copies = (batch: number): number =>
      compiled(wide(), "mixed", batch).calls.filter(({ label }) => label === "map(half)").length;
    expect([copies(16), copies(384)]).toEqual([0, 1]);
    const moved = (precision: "f32" | "mixed"): number =>
      compiled(wide(), precision, 384).calls.reduce((n, { bytes }) => n + bytes, 0);
    expect(moved("mixed")).toBeLessThan(moved("f32"));
  });
});

describe("training in mixed precision", () => {
  it("of a network whose products read its weights in f16 ends within 1 % of the loss that f32 ends with", async () => {
    const data = problem(384, { features: 8 });
    const lossOf = async (device: Device, precision: "f32" | "mixed"): Promise<number> => {
      const trainer = make(device, wide(), { precision, optimizer: adam({ learningRate: 0.001 }) });
      const { loss } = await trainer.fit(data, { epochs: 2, batchSize: 384 });
      trainer.dispose();
      return loss.at(-1) as number;
    };
    const want = await lossOf(cpu, "f32");
    for (const [name, device] of able) {
      expect(Math.abs((await lossOf(device, "mixed")) / want - 1), name).toBeLessThan(0.01);
    }
  });

  it.each([
    ["dense", mlp],
    ["convolutional", cnn],
    ["recurrent", recurrent],
  ])("of a %s network ends within 1 % of the loss that f32 ends with", async (_, build) => {
    const model = build();
    const data = problem(96, { features: sizeOf(model.inputShape) });
    const losses = async (device: Device, precision: "f32" | "mixed"): Promise<number[]> => {
      const trainer = make(device, model, { precision });
      const { loss } = await trainer.fit(data, { epochs: 6, batchSize: 48 });
      trainer.dispose();
      return loss;
    };
    const want = await losses(cpu, "f32");
    for (const [name, device] of able) {
      const got = await losses(device, "mixed");
      expect(Math.abs((got.at(-1) as number) / (want.at(-1) as number) - 1), name).toBeLessThan(0.01);
      expect(got.at(-1)).not.toBe(want.at(-1));
      expect(got.at(-1)).toBeLessThan(got[0]);
    }
  });

  it("gives the same bits in two runs, and after a resume from a checkpoint made mid-epoch", async () => {
    for (const [, device] of able) {
      const data = problem(96, { features: 6 });
      const fitting = { epochs: 3, batchSize: 16 };
      const run = async (trainer: Trainer): Promise<unknown> => {
        await trainer.fit(data, fitting);
        return { ...(await bitsOf(trainer)), scale: await scaleOf(trainer), history: trainer.history };
      };
      const whole = await run(make(device, mlp()));
      expect(await run(make(device, mlp()))).toEqual(whole);
      const cut = make(wrapDevice(device, { maxQueue: 1 }), mlp());
      for await (const event of cut.run(data, fitting)) if (event.type === "steps" && event.step === 9) break;
      expect(cut.cursor).toMatchObject({ epoch: 1 });
      const saved = decodeCheckpoint(encodeCheckpoint(await checkpointOf(cut, [])), "checkpoint");
      const resumed = make(device, mlp());
      restoreCheckpoint(resumed, saved, [], "checkpoint");
      expect(await run(resumed)).toEqual(whole);
      const plain = make(device, mlp(), { precision: "f32" });
      expect(() => restoreCheckpoint(plain, saved, [], "checkpoint")).toThrow(/made with another precision/);
    }
  });

  it("halves the scale and changes no weight in a step whose gradients overflow, and learns when they fit", async () => {
    for (const [, device] of able) {
      const { x, y } = problem(32, { features: 6 });
      const far = y.map((v) => 3000 * v);
      const trainer = make(device, mlp(), { loss: meanSquaredError(), optimizer: adam({ learningRate: 0.1 }) });
      const before = await bitsOf(trainer);
      expect(await scaleOf(trainer)).toEqual([65536, 0]);
      await trainer.fit({ x, y: far }, { epochs: 1, batchSize: 32, shuffle: false });
      expect(await bitsOf(trainer)).toEqual(before);
      expect(await scaleOf(trainer)).toEqual([32768, 0]);
      const { loss } = await trainer.fit({ x, y: far }, { epochs: 60, batchSize: 32, shuffle: false });
      const [scale] = await scaleOf(trainer);
      expect(scale).toBeLessThan(4096);
      expect(scale).toBeGreaterThanOrEqual(1);
      expect(loss.at(-1)).toBeLessThan(loss[0]);
      expect(Object.values(await trainer.getWeights()).every((w) => w.every(Number.isFinite))).toBe(true);
      trainer.dispose();
    }
  });

  it("doubles the scale after 2,000 good steps", async () => {
    for (const [, device] of able) {
      const trainer = make(device, mlp());
      const [scale, good] = Object.values(trainer.lossScaling);
      scale.write([1024]);
      good.write([1998]);
      const data = problem(32, { features: 6 });
      await trainer.fit(data, { epochs: 1, batchSize: 32 });
      expect(await scaleOf(trainer)).toEqual([1024, 1999]);
      await trainer.fit(data, { epochs: 2, batchSize: 32 });
      expect(await scaleOf(trainer)).toEqual([2048, 1]);
      trainer.dispose();
    }
  });

  it("is E_DEVICE on an adapter without shader-f16, which names the feature and holds nothing", () => {
    const without = wrapDevice(gpu, { limits: { ...LEAST_LIMITS, f16: false } });
    const held = gpu.memory().bytes;
    expect(() => make(without, mlp())).toThrow(
      expect.objectContaining({
        code: "E_DEVICE",
        message: expect.stringContaining("shader-f16"),
        hint: expect.stringContaining('"f32"'),
      }),
    );
    expect(gpu.memory().bytes).toBe(held);
  });

  it("is E_ARGUMENT by another name", async () => {
    const wrong = async (): Promise<unknown> => make(cpu, mlp(), { precision: "f16" as "mixed" });
    expect(await codeOf(wrong())).toBe("E_ARGUMENT");
  });

  it("leaves pooled data whole, which may be beyond f16", async () => {
    const model = sequential({ input: [8, 8, 1] }, [maxPooling2d(2), batchNormalization(), flatten(), dense(1)]);
    const { x, y } = problem(64, { features: 64 });
    for (const [name, device] of able) {
      const losses = async (precision: "f32" | "mixed"): Promise<number[]> => {
        const trainer = make(device, model, { precision });
        const { loss } = await trainer.fit({ x: x.map((v) => 1e6 * v), y }, { epochs: 2, batchSize: 32 });
        trainer.dispose();
        return loss;
      };
      const [want, got] = [await losses("f32"), await losses("mixed")];
      expect(Math.abs((got.at(-1) as number) / (want.at(-1) as number) - 1), name).toBeLessThan(0.01);
    }
  });

  it("says where f16 ends when a loss is not finite", async () => {
    for (const [, device] of able) {
      const trainer = make(device, mlp());
      const { x, y } = problem(32, { features: 6 });
      const run = trainer.fit({ x: x.map((v) => 1e6 * v), y }, { epochs: 1, batchSize: 32 });
      await expect(run).rejects.toMatchObject({ code: "E_NONFINITE", hint: expect.stringContaining("65504") });
      trainer.dispose();
    }
  });
});
