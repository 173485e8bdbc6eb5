import { describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { openCpu } from "../../src/cpu/device.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import type { Layer } from "../../src/model/layer.ts";
import {
  randomBrightness,
  randomContrast,
  randomErasing,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
} from "../../src/model/layers/augmentation.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { gaussianNoise } from "../../src/model/layers/noise.ts";
import { globalAveragePooling2d } from "../../src/model/layers/pooling.ts";
import { timeWarp } from "../../src/model/layers/seriesAugmentation.ts";
import { flatten, reshape } from "../../src/model/layers/shape.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { sgd } from "../../src/model/optimizers.ts";
import { openDevice } from "../../src/openDevice.ts";
import { input } from "../../src/ops/core/constant.ts";
import { randomBeta } from "../../src/ops/random/beta.ts";
import type { Augment } from "../../src/train/augment.ts";
import { mixup } from "../../src/train/augment.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import { checkpointOf, restoreCheckpoint } from "../../src/train/saving.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { bitsOf, codeOf, largestDifference, onDevices, problem, trainerOf, wrapDevice } from "./support.ts";

const data = problem(40, { features: 36 });
const fitting: FitOptions = { epochs: 3, batchSize: 16, augment: mixup({ alpha: 0.4 }) };

/** Augmented as a series, then as an image. */
const augmented = (): Model =>
  sequential({ input: [12, 3] }, [
    timeWarp(0.5),
    gaussianNoise(0.1),
    reshape([6, 6, 1]),
    randomRotation(0.1),
    randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
    randomErasing({ factor: 0.5 }),
    conv2d(4, 3, { activation: "relu" }),
    globalAveragePooling2d(),
    dense(1),
  ]);

onDevices((device) => {
  it("an augmented run that was cut has the bits of one that was not", async () => {
    const whole = trainerOf(device(), augmented());
    await whole.fit(data, fitting);
    const cut = trainerOf(wrapDevice(device(), { maxQueue: 1 }), augmented());
    for await (const event of cut.run(data, fitting)) if (event.type === "steps" && event.step === 4) break;
    const resumed = trainerOf(device(), augmented());
    const saved = decodeCheckpoint(encodeCheckpoint(await checkpointOf(cut, [])), "checkpoint");
    restoreCheckpoint(resumed, saved, [], "checkpoint");
    await resumed.fit(data, fitting);
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
    for (const trainer of [whole, cut, resumed]) trainer.dispose();
  });
});

describe("augmentation", () => {
  it("trains alike on CPU and GPU, and otherwise with another seed", async () => {
    const [cpu, gpu] = [openCpu(), await openDevice({ backend: "webgpu" })];
    const run = async (trainer: Trainer): Promise<Trainer> => {
      await trainer.fit(data, fitting);
      return trainer;
    };
    const a = await run(trainerOf(cpu, augmented()));
    const b = await run(trainerOf(gpu, augmented()));
    const c = await run(trainerOf(cpu, augmented(), { seed: 8 }));
    expect(largestDifference(a.history.loss, b.history.loss)).toBeLessThan(1e-5);
    const [wa, wb] = [await a.getWeights(), await b.getWeights()];
    for (const name of Object.keys(wa)) expect(largestDifference(wa[name], wb[name]), name).toBeLessThan(1e-5);
    expect(largestDifference(a.history.loss, c.history.loss)).toBeGreaterThan(1e-3);
    gpu.dispose();
  });

  it("adds at most five dispatches a layer", async () => {
    const gpu = await openDevice({ backend: "webgpu" });
    const dispatches = async (...layers: Layer[]): Promise<number> => {
      const model = sequential({ input: [6, 6, 1] }, [...layers, conv2d(2, 3), flatten(), dense(1)]);
      const trainer = trainerOf(gpu, model, { plan: "dispatch" });
      await trainer.fit(data, { epochs: 1, batchSize: 40 });
      trainer.dispose();
      return trainer.dispatches;
    };
    const none = await dispatches();
    const layers = [
      randomFlip(),
      randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 }),
      randomRotation(0.1),
      randomZoom(0.1),
      randomBrightness(0.1),
      randomContrast(0.1),
      randomErasing(),
    ];
    for (const one of layers) expect((await dispatches(one)) - none, one.type).toBeLessThanOrEqual(5);
    gpu.dispose();
  });

  it("is off in evaluation and prediction", async () => {
    const trainer = trainerOf(openCpu(), augmented());
    await trainer.fit(data, { ...fitting, validation: data });
    expect((await trainer.evaluate(data)).loss).toBe(trainer.history.valLoss.at(-1));
    expect(await trainer.predict(data.x)).toEqual(await trainer.predict(data.x));
  });
});

describe("mixup", () => {
  it("draws shares whose moments are those of the beta distribution", async () => {
    const size = 20000;
    for (const alpha of [0.05, 0.4, 1, 3]) {
      let stream = 0;
      const graph = { outputs: { y: randomBeta([size], alpha, () => stream++) }, updates: [] };
      const sample = { name: "beta", graph, feeds: {}, types: {}, step: { seedLow: 7, seedHigh: 0, step: 1 } };
      const y = Array.from((await runOnce(openCpu(), sample)).y);
      const mean = y.reduce((a, b) => a + b, 0) / size;
      const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
      const want = 1 / (4 * (2 * alpha + 1));
      // Four standard errors.
      expect(Math.abs(mean - 0.5), `mean at ${alpha}`).toBeLessThan(4 * Math.sqrt(want / size));
      expect(Math.abs(variance / want - 1), `variance at ${alpha}`).toBeLessThan(0.05);
      expect(y.every((v) => v >= 0 && v <= 1)).toBe(true);
    }
  });

  it("mixes features, labels and weights of two rows in the same shares", async () => {
    const rows = 8;
    let stream = 0;
    const batch = { x: input("x", [rows, 2, 2]), y: input("y", [rows]), weight: input("weight", [rows]) };
    const mixed = mixup({ alpha: 1 })(batch, { stream: () => stream++ });
    const graph = { outputs: { x: mixed.x, y: mixed.y, weight: mixed.weight! }, updates: [] };
    // Row r is r everywhere, so that the same mixture shows everywhere.
    const numbers = Float32Array.from({ length: rows }, (_, r) => r);
    const feeds = {
      x: Float32Array.from({ length: 4 * rows }, (_, i) => Math.floor(i / 4)),
      y: numbers,
      weight: numbers,
    };
    const sample = { name: "mixup", graph, feeds, types: batch, step: { seedLow: 7, seedHigh: 0, step: 1 } };
    const { x, y, weight } = await runOnce(openCpu(), sample);
    expect(largestDifference(y, numbers)).toBeGreaterThan(0.1);
    expect(Array.from(weight)).toEqual(Array.from(y));
    for (let i = 0; i < 4 * rows; i++) expect(x[i]).toBe(y[Math.floor(i / 4)]);
  });

  it("learns a straight line, which mixtures of its points lie on", async () => {
    const x = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
    const model = sequential({ input: [1] }, [flatten(), dense(1)]);
    const trainer = trainerOf(openCpu(), model, { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.1 }) });
    await trainer.fit({ x, y: x.map((v) => 2 * v - 1) }, { epochs: 200, batchSize: 16, augment: mixup({ alpha: 1 }) });
    const weights = await trainer.getWeights();
    expect(weights["dense/kernel"][0]).toBeCloseTo(2, 4);
    expect(weights["dense/bias"][0]).toBeCloseTo(-1, 4);
  });

  it("refuses an alpha that is not above 0, and augment a batch of another shape", async () => {
    expect(() => mixup({ alpha: 0 })).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
    const trainer = trainerOf(openCpu(), sequential({ input: [36] }, [dense(1)]));
    const wrong: Augment = (batch) => ({ ...batch, x: batch.y });
    expect(await codeOf(trainer.fit(data, { epochs: 1, augment: wrong }))).toBe("E_SHAPE");
    expect(trainer.step).toBe(0);
  });
});
