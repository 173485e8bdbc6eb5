import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { apply, functional, input } from "../../src/model/functional.ts";
import type { Layer } from "../../src/model/layer.ts";
import { multiHeadAttention } from "../../src/model/layers/attention.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding, masking } from "../../src/model/layers/embedding.ts";
import { gru, lstm, simpleRnn } from "../../src/model/layers/recurrent.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { bidirectional, timeDistributed } from "../../src/model/layers/wrappers.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { openTestGpu } from "../devices.ts";
import { counting, run, shapeThrough } from "./run.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

const cells: [string, (options: { units: number; returnSequences?: boolean; goBackwards?: boolean }) => Layer][] = [
  ["lstm", lstm],
  ["gru", gru],
  ["simpleRnn", simpleRnn],
];

const near = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    expect(Math.abs(v - want[i])).toBeLessThan(2e-5);
  });
};

const wave = (shape: readonly number[]): Float32Array => counting(shape).map((i) => Math.sin(i * 0.7));

describe.each(cells)("%s", (type, cell) => {
  it("returns the last step, or every step with returnSequences", async () => {
    const x = wave([2, 5, 3]);
    const all = await run([cell({ units: 4, returnSequences: true })], x, [2, 5, 3], { device: openCpu() });
    const last = await run([cell({ units: 4 })], x, [2, 5, 3], { device: openCpu() });
    expect(all.shape).toEqual([2, 5, 4]);
    expect(last.y).toEqual([...all.y.slice(16, 20), ...all.y.slice(36, 40)]);
  });

  it("going backwards equals going forwards over the reversed steps, put back in order", async () => {
    const x = wave([1, 4, 2]);
    const reversed = Float32Array.from({ length: 8 }, (_, i) => x[(3 - (i >> 1)) * 2 + (i & 1)]);
    const options = { units: 3, returnSequences: true };
    const forward = await run([cell(options)], reversed, [1, 4, 2], { device: gpu });
    const backward = await run([cell({ ...options, goBackwards: true })], x, [1, 4, 2], { device: gpu });
    const steps = [0, 1, 2, 3].map((t) => forward.y.slice(3 * t, 3 * t + 3));
    near(backward.y, steps.reverse().flat());
  });

  it("gives a padded sequence the result of the same sequence without padding, through layers between", async () => {
    const short = wave([1, 3, 2]);
    const padded = new Float32Array(10);
    padded.set(short);
    const layers = [masking(), dropout(0.5), cell({ units: 3, returnSequences: true }), cell({ units: 2 })];
    for (const device of [openCpu(), gpu]) {
      const want = await run(layers.slice(1), short, [1, 3, 2], { device });
      const weights = Object.fromEntries(Object.entries(want.weights));
      near((await run(layers, padded, [1, 5, 2], { device, weights })).y, want.y);
    }
  });

  it("comes back from model.json alone and inside a bidirectional layer", () => {
    const model = sequential({ input: [6, 2] }, [
      cell({ units: 3, returnSequences: true }),
      bidirectional(cell({ units: 4 }), { mergeMode: "ave" }),
    ]);
    const again = modelFromJson(JSON.parse(JSON.stringify(model.architecture)));
    expect(again.parameters).toEqual(model.parameters);
    expect(again.outputShape).toEqual([4]);
    expect(again.layers[0].type).toBe(type);
  });

  it("refuses an input that is no sequence, and units that are no positive integer", () => {
    expect(() => shapeThrough(cell({ units: 3 }), [4])).toThrow(/expected a sequence \[batch, time, features\]/);
    expect(() => cell({ units: 0 })).toThrow(/positive integer/);
  });
});

it("lstm starts its forget gates at 1, unless told otherwise", () => {
  const bias = (layer: Layer) => sequential({ input: [2, 1] }, [layer]).parameters.find((p) => p.name.endsWith("bias"));
  expect(bias(lstm(2))?.initializer).toEqual({ values: [0, 0, 1, 1, 0, 0, 0, 0] });
  expect(bias(lstm(2, { unitForgetBias: false }))?.initializer).toBe("zeros");
});

describe("bidirectional", () => {
  it("joins forward and backward states at each step, and the last of each without returnSequences", async () => {
    const x = wave([2, 4, 3]);
    const device = openCpu();
    const both = await run([bidirectional(lstm(2, { returnSequences: true }))], x, [2, 4, 3], { device });
    const pick = (part: string, cell: string): Record<string, number[]> =>
      Object.fromEntries(
        Object.entries(both.weights)
          .filter(([name]) => name.includes(`/${part}/`))
          .map(([name, values]) => [`${cell}/${name.split("/")[2]}`, values]),
      );
    const one = (goBackwards: boolean, returnSequences: boolean) =>
      run([lstm(2, { goBackwards, returnSequences })], x, [2, 4, 3], {
        device,
        weights: pick(goBackwards ? "backward" : "forward", "lstm"),
      });
    const [a, b] = [await one(false, true), await one(true, true)];
    near(
      both.y,
      Array.from({ length: 8 }, (_, s) => [...a.y.slice(2 * s, 2 * s + 2), ...b.y.slice(2 * s, 2 * s + 2)]).flat(),
    );
    const last = await run([bidirectional(lstm(2))], x, [2, 4, 3], { device, weights: both.weights });
    const [af, bf] = [await one(false, false), await one(true, false)];
    near(
      last.y,
      [0, 1].flatMap((n) => [...af.y.slice(2 * n, 2 * n + 2), ...bf.y.slice(2 * n, 2 * n + 2)]),
    );
  });

  it("refuses what is not recurrent", () => {
    expect(() => bidirectional(dense(3))).toThrow(/Wrap|dense/);
  });
});

describe("embedding", () => {
  it("looks rows up by token, and masks token 0 when asked", async () => {
    const table = Array.from({ length: 8 }, (_, i) => i / 8);
    const x = [1, 3, 0, 0];
    const options = { device: gpu, weights: { "embedding/embeddings": table } };
    const { y } = await run([embedding({ inputDim: 4, outputDim: 2 })], x, [2, 2], options);
    near(
      y,
      [2, 3, 6, 7, 0, 1, 0, 1].map((v) => v / 8),
    );
    const layers = [embedding({ inputDim: 4, outputDim: 2, maskZero: true }), gru(2)];
    const { y: states } = await run(layers, x, [2, 2], options);
    expect(states.slice(2)).toEqual([0, 0]);
  });
});

describe("timeDistributed", () => {
  it("applies a layer to each step and comes back from model.json", async () => {
    const x = wave([2, 3, 2]);
    const each = await run([timeDistributed(dense(2))], x, [2, 3, 2], { device: openCpu() });
    const weights = Object.fromEntries(
      Object.entries(each.weights).map(([n, v]) => [n.replace("timeDistributed", "dense"), v]),
    );
    expect((await run([dense(2)], x, [2, 3, 2], { device: openCpu(), weights })).y).toEqual(each.y);
    const model = sequential({ input: [3, 2] }, [timeDistributed(dense(2, { activation: "relu" }))]);
    expect(modelFromJson(JSON.parse(JSON.stringify(model.architecture))).parameters).toEqual(model.parameters);
  });
});

describe("multiHeadAttention", () => {
  const attend = (useCausalMask = false): Layer => multiHeadAttention({ numHeads: 2, keyDim: 3, useCausalMask });

  it("keeps the shape, and gives the same on CPU and GPU", async () => {
    const x = wave([2, 5, 4]);
    const onCpu = await run([attend()], x, [2, 5, 4], { device: openCpu() });
    expect(onCpu.shape).toEqual([2, 5, 4]);
    near((await run([attend()], x, [2, 5, 4], { device: gpu })).y, onCpu.y);
  });

  it("does not look ahead when causal", async () => {
    const x = wave([1, 4, 2]);
    const changed = x.slice();
    changed.fill(9, 6);
    const [a, b] = await Promise.all([x, changed].map((v) => run([attend(true)], v, [1, 4, 2], { device: openCpu() })));
    near(b.y.slice(0, 6), a.y.slice(0, 6));
    expect(b.y.slice(6)).not.toEqual(a.y.slice(6));
  });

  it("does not look at padding", async () => {
    const short = wave([1, 3, 2]);
    const padded = new Float32Array(10);
    padded.set(short);
    const want = await run([attend()], short, [1, 3, 2], { device: gpu });
    near((await run([masking(), attend()], padded, [1, 5, 2], { device: gpu })).y.slice(0, 6), want.y);
  });
});

describe("initial states", () => {
  const cells = { lstm: [lstm, 2], gru: [gru, 1], simpleRnn: [simpleRnn, 1] } as const;

  it.each(Object.keys(cells) as (keyof typeof cells)[])("%s goes on from where it was left", async (name) => {
    const [make, states] = cells[name];
    const sequence = input([3, 2], { name: "x" });
    const before = Array.from({ length: states }, (_, k) => input([4], { name: `state${k}` }));
    const cell = make(4, { name: "cell", useBias: false });
    const model = functional({ inputs: [sequence, ...before], outputs: [apply(cell, sequence, ...before)] });
    const weights = Object.fromEntries(
      model.parameters.map(({ name: parameter, shape }) => [parameter, counting(shape).map((v) => Math.sin(v))]),
    );
    const trainer = new Trainer(model, { device: openCpu(), loss: meanSquaredError(), seed: 1 });
    await trainer.setWeights(weights);
    const x = Array.from({ length: 6 }, (_, i) => Math.cos(i));
    const predict = async (h: readonly number[]) => [...(await trainer.predict(Float32Array.from([...x, ...h])))];
    const zeros = new Array(4 * states).fill(0);
    const plain = await run([cell], x, [1, 3, 2], { device: openCpu(), weights });
    for (const [i, v] of (await predict(zeros)).entries()) expect(v).toBeCloseTo(plain.y[i], 6);
    const moved = await predict(zeros.map((_, i) => (i % 3) - 1));
    expect(Math.abs(moved[0] - plain.y[0])).toBeGreaterThan(1e-3);
    expect(modelFromJson(model.architecture).architecture).toEqual(model.architecture);
  });

  it("are handed to both directions, and refused in a wrong number or shape", () => {
    const x = input([3, 2]);
    const [a, b] = [input([4]), input([4])];
    expect(apply(bidirectional(gru(4)), x, a, b).shape).toEqual([8]);
    expect(() => apply(lstm(4), x, a)).toThrow(/lstm: got the initial states .*; expected none, or h0 and c0 \[1, 4\]/);
    expect(() => apply(gru(4), x, input([5]))).toThrow(/expected none, or h0 \[1, 4\]/);
  });
});
