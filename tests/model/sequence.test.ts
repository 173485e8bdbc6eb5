import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { Layer } from "../../src/model/layer.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding, masking } from "../../src/model/layers/embedding.ts";
import { gru, lstm, simpleRnn } from "../../src/model/layers/recurrent.ts";
import { bidirectional } from "../../src/model/layers/wrappers.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam, rmsprop } from "../../src/model/optimizers.ts";
import { draws } from "../../src/random.ts";
import { compile } from "../../src/train/trainer.ts";
import { openTestGpu } from "../devices.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

/** Noise with one pulse up and one down, in the first and the second half or the other way round: which came first? */
function pulses(rows: number, time: number, seed: number): { x: Float32Array; y: Float32Array } {
  const draw = draws(seed, 0);
  const x = Float32Array.from({ length: rows * time }, (_, i) => 0.2 * draw.normal(i));
  const y = Float32Array.from({ length: rows }, (_, row) => draw.integer(1e6 + row, 2));
  const half = time >> 1;
  for (let row = 0; row < rows; row++) {
    const sign = y[row] ? 2 : -2;
    x[row * time + draw.integer(2e6 + row, half)] += sign;
    x[row * time + half + draw.integer(3e6 + row, half)] -= sign;
  }
  return { x, y };
}

const train = pulses(256, 12, 1);
const test = pulses(100, 12, 2);

async function trained(device: Device, layers: readonly Layer[], epochs: number) {
  const model = sequential({ input: [12, 1] }, [...layers, dense(1)]);
  const optimizer = adam({ learningRate: 0.03 });
  const trainer = await compile(model, {
    device,
    loss: binaryCrossentropy(),
    optimizer,
    metrics: ["accuracy"],
    seed: 3,
  });
  await trainer.fit(train, { epochs, batchSize: 60 });
  return trainer;
}

const networks: [string, readonly Layer[]][] = [
  ["an LSTM", [lstm(8)]],
  ["a stacked GRU over masked input", [masking({ maskValue: -1 }), gru(6, { returnSequences: true }), gru(6)]],
  ["a bidirectional simple RNN", [bidirectional(simpleRnn(6))]],
];

describe.each(networks)("%s", (_, layers) => {
  it("learns which of two pulses came first, with the same losses on CPU and GPU", async () => {
    const onCpu = await trained(openCpu(), layers, 12);
    const onGpu = await trained(gpu, layers, 12);
    expect((await onGpu.evaluate(test)).accuracy).toBeGreaterThan(0.95);
    onGpu.history.loss.forEach((loss, epoch) => {
      expect(Math.abs(loss - onCpu.history.loss[epoch])).toBeLessThan(1e-3);
    });
    onGpu.dispose();
  });

  it("gives the same bits in two runs", async () => {
    const [first, second] = [await trained(gpu, layers, 2), await trained(gpu, layers, 2)];
    expect(await first.getWeights()).toEqual(await second.getWeights());
    first.dispose();
    second.dispose();
  });
});

describe("an LSTM over the pulses", () => {
  const dispatches = new Set<number>();
  it.each([16, 128])(
    "tells them apart in sequences of %d steps, in 20 dispatches a step or fewer, as many for each",
    async (time) => {
      const model = sequential({ input: [time, 1] }, [lstm(8), dense(1)]);
      const trainer = await compile(model, {
        device: gpu,
        loss: binaryCrossentropy(),
        optimizer: adam({ learningRate: 0.03, clipNorm: 1 }),
        metrics: ["rocAuc"],
        seed: 3,
      });
      await trainer.fit(pulses(256, time, 1), { epochs: time === 16 ? 16 : 24, batchSize: 64 });
      expect((await trainer.evaluate(pulses(100, time, 2))).rocAuc).toBeGreaterThan(0.95);
      dispatches.add(trainer.dispatches);
      expect(dispatches.size).toBe(1);
      expect(trainer.dispatches).toBeLessThanOrEqual(20);
      trainer.dispose();
    },
  );
});

describe("a training step", () => {
  const dispatches = async (time: number, layers: readonly Layer[]) => {
    const model = sequential({ input: [time, 3] }, [...layers, dense(1)]);
    const trainer = await compile(model, {
      device: gpu,
      loss: binaryCrossentropy(),
      optimizer: rmsprop({ learningRate: 0.01 }),
      seed: 1,
      plan: "dispatch",
    });
    const x = Float32Array.from({ length: 8 * time * 3 }, (_, i) => Math.sin(i));
    await trainer.fit({ x, y: Float32Array.from({ length: 8 }, (_, i) => i % 2) }, { epochs: 1, batchSize: 8 });
    const count = trainer.dispatches;
    trainer.dispose();
    return count;
  };

  it("of an LSTM takes at most 20 dispatches, whatever the length of the sequences", async () => {
    const counts = [await dispatches(3, [lstm(16)]), await dispatches(70, [lstm(16)])];
    expect(counts[1]).toBe(counts[0]);
    expect(counts[0]).toBeLessThanOrEqual(20);
  });

  it("of two stacked GRUs takes one more, which puts the gates of each unit's weights side by side", async () => {
    const stacked = (): Layer[] => [gru(16, { returnSequences: true }), gru(16)];
    const counts = [await dispatches(2, stacked()), await dispatches(40, stacked())];
    expect(counts[1]).toBe(counts[0]);
    expect(counts[0]).toBeLessThanOrEqual(21);
  });
});

it("an embedding before a GRU learns whether a token occurs in padded sequences", async () => {
  const draw = draws(5, 0);
  const x = Float32Array.from({ length: 200 * 6 }, (_, i) =>
    i % 6 >= 2 + (Math.floor(i / 6) % 5) ? 0 : 1 + draw.integer(i, 9),
  );
  const y = Float32Array.from({ length: 200 }, (_, row) => (x.subarray(6 * row, 6 * row + 6).includes(4) ? 1 : 0));
  const layers = [embedding({ inputDim: 10, outputDim: 4, maskZero: true }), gru(8), dense(1)];
  const trainer = await compile(sequential({ input: [6] }, layers), {
    device: gpu,
    loss: binaryCrossentropy(),
    optimizer: adam({ learningRate: 0.03 }),
    metrics: ["accuracy"],
    seed: 2,
  });
  await trainer.fit({ x, y }, { epochs: 25, batchSize: 50 });
  expect((await trainer.evaluate({ x, y })).accuracy).toBeGreaterThan(0.95);
  trainer.dispose();
});
