import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { conv2d, depthwiseConv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { batchNormalization } from "../../src/model/layers/normalization.ts";
import { globalAveragePooling2d, maxPooling2d } from "../../src/model/layers/pooling.ts";
import { flatten } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { draws } from "../../src/random.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { compile } from "../../src/train/trainer.ts";
import { openTestGpu } from "../devices.ts";

/** 8 x 8 images of noise with one bright line, upright (1) or flat (0), anywhere. */
function lines(rows: number, seed: number): { x: Float32Array; y: Float32Array } {
  const draw = draws(seed, 0);
  const x = Float32Array.from({ length: rows * 64 }, (_, i) => 0.3 * draw.uniform(i));
  const y = Float32Array.from({ length: rows }, (_, row) => draw.integer(1e6 + row, 2));
  for (let row = 0; row < rows; row++) {
    const at = draw.integer(2e6 + row, 8);
    for (let k = 0; k < 8; k++) x[row * 64 + (y[row] ? k * 8 + at : at * 8 + k)] += 0.7;
  }
  return { x, y };
}

const plain = () =>
  sequential({ input: [8, 8, 1] }, [
    conv2d(6, 3, { activation: "relu", padding: "same" }),
    maxPooling2d(2),
    conv2d(8, 3, { activation: "relu" }),
    flatten(),
    dense(1),
  ]);

const normalised = () =>
  sequential({ input: [8, 8, 1] }, [
    conv2d(6, 3, { strides: 2, padding: "same", useBias: false }),
    batchNormalization({ momentum: 0.8 }),
    depthwiseConv2d(3, { padding: "same", activation: "relu" }),
    conv2d(8, 1, { activation: "relu" }),
    globalAveragePooling2d(),
    dense(1),
  ]);

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

const train = lines(192, 1);
const test = lines(64, 2);

async function trained(device: Device, model: ReturnType<typeof plain>, epochs = 10): Promise<Trainer> {
  const options = { device, loss: binaryCrossentropy(), optimizer: adam({ learningRate: 0.01 }), seed: 3 };
  const trainer = await compile(model, { ...options, metrics: ["accuracy"] });
  await trainer.fit(train, { epochs, batchSize: 40 });
  return trainer;
}

describe.each([
  ["a plain CNN", plain],
  ["a CNN with batch norm, depthwise and pointwise convolutions", normalised],
])("%s", (_, model) => {
  it("tells upright from flat lines it has not seen, with the same losses on CPU and GPU", async () => {
    const onCpu = await trained(openCpu(), model());
    const onGpu = await trained(gpu, model());
    expect((await onGpu.evaluate(test)).accuracy).toBeGreaterThan(0.95);
    for (const [epoch, loss] of onGpu.history.loss.entries()) {
      expect(Math.abs(loss - onCpu.history.loss[epoch])).toBeLessThan(1e-3);
    }
    onGpu.dispose();
  });

  it("gives the same bits in two runs", async () => {
    const [first, second] = [await trained(gpu, model(), 2), await trained(gpu, model(), 2)];
    expect(await first.getWeights()).toEqual(await second.getWeights());
    first.dispose();
    second.dispose();
  });
});
