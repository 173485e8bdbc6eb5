import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { SymbolicTensor } from "../../src/model/functional.ts";
import { apply, applyAll, functional, input } from "../../src/model/functional.ts";
import type { Layer } from "../../src/model/layer.ts";
import { multiHeadAttention } from "../../src/model/layers/attention.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { masking } from "../../src/model/layers/embedding.ts";
import { gru, lstm, simpleRnn } from "../../src/model/layers/recurrent.ts";
import { bidirectional, remat, timeDistributed } from "../../src/model/layers/wrappers.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { openTestGpu } from "../devices.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

type Weights = Readonly<Record<string, Float32Array>>;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const waves = (n: number, rate: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * rate));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const weightsOf = ({ parameters }: Model): Weights =>
  Object.fromEntries(
    parameters.map(({ name, shape }, k) => [
      name,
      waves(
        shape.reduce((a, b) => a * b, 1),
        0.7 + 0.3 * k,
      ),
    ]),
  );

/** What the model gives for one row, on the CPU and on the GPU. */
async function predictions(model: Model, x: Float32Array, weights: Weights): Promise<number[][]> {
  const results: number[][] = [];
  for (const device of [openCpu(), gpu]) {
    const trainer = new Trainer(model, { device, loss: meanSquaredError(), seed: 1 });
    await trainer.setWeights(weights);
    results.push([...(await trainer.predict(x))]);
    trainer.dispose();
  }
  return results;
}

const close = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  for (const [i, v] of got.entries()) expect(Math.abs(v - want[i])).toBeLessThan(2e-5);
};

/** x · w + b, of w [x.length, columns]. */
const project = (x: readonly number[], w: ArrayLike<number>, b: (column: number) => number): number[] => {
  const columns = w.length / x.length;
  return range(columns).map((c) => x.reduce((sum, v, k) => sum + v * w[k * columns + c], b(c)));
};

/** Keras's layers in plain loops: h of every step, and the last states, of x [time, features]. */
function plain(
  type: string,
  x: readonly number[][],
  weights: Weights,
  units: number,
): { y: number[][]; states: number[][] } {
  const [kernel, recurrent, bias] = ["kernel", "recurrentKernel", "bias"].map((name) => weights[`cell/${name}`]);
  let h = new Array<number>(units).fill(0);
  let c = new Array<number>(units).fill(0);
  const y = x.map((step) => {
    const z = project(step, kernel, (column) => bias[column]);
    const a = project(h, recurrent, (column) => (type === "gru" ? bias[z.length + column] : 0));
    const gate = (g: number, j: number): number => z[g * units + j] + a[g * units + j];
    if (type === "simpleRnn") h = range(units).map((j) => Math.tanh(gate(0, j)));
    else if (type === "gru") {
      h = h.map((before, j) => {
        const update = sigmoid(gate(0, j));
        const n = Math.tanh(z[2 * units + j] + sigmoid(gate(1, j)) * a[2 * units + j]);
        return update * before + (1 - update) * n;
      });
    } else {
      c = c.map((before, j) => sigmoid(gate(1, j)) * before + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
      h = c.map((cell, j) => sigmoid(gate(3, j)) * Math.tanh(cell));
    }
    return h;
  });
  return { y, states: type === "lstm" ? [h, c] : [h] };
}

const cells = { lstm, gru, simpleRnn };
const [TIME, FEATURES, UNITS] = [5, 3, 4];

describe.each(Object.keys(cells) as (keyof typeof cells)[])("%s with returnState", (type) => {
  const options = { units: UNITS, returnSequences: true, returnState: true, name: "cell" };

  it("gives every step and the last states, as loops do", async () => {
    const x = input([TIME, FEATURES]);
    const model = functional({ inputs: [x], outputs: applyAll(cells[type](options), x) });
    const weights = weightsOf(model);
    const values = waves(TIME * FEATURES, 0.37);
    const rows = range(TIME).map((t) => [...values.slice(t * FEATURES, (t + 1) * FEATURES)]);
    const { y, states } = plain(type, rows, weights, UNITS);
    for (const got of await predictions(model, values, weights)) close(got, [...y, ...states].flat());
  });

  it("gives the states of the last step that is no padding, and going backwards those of the first", async () => {
    for (const goBackwards of [false, true]) {
      const x = input([TIME, FEATURES]);
      const [, ...states] = applyAll(cells[type]({ ...options, goBackwards }), apply(masking(), x));
      const model = functional({ inputs: [x], outputs: states });
      const weights = weightsOf(model);
      const values = waves(TIME * FEATURES, 0.37).fill(0, 3 * FEATURES);
      const rows = range(3).map((t) => [...values.slice(t * FEATURES, (t + 1) * FEATURES)]);
      const want = plain(type, goBackwards ? rows.reverse() : rows, weights, UNITS).states;
      for (const got of await predictions(model, values, weights)) close(got, want.flat());
    }
  });

  it("comes back from model.json, its outputs by name, alone and in both directions", () => {
    const x = input([TIME, FEATURES], { name: "x" });
    const one = applyAll(cells[type](options), x);
    const both = applyAll(bidirectional(cells[type](options), { name: "both" }), x);
    expect(both.map(({ shape }) => shape)).toEqual([[TIME, 2 * UNITS], ...both.slice(1).map(() => [UNITS])]);
    expect(both.length).toBe(2 * one.length - 1);
    const model = functional({ inputs: [x], outputs: [...one, ...both] });
    expect(model.outputs.slice(0, 2).map(({ name }) => name)).toEqual(["cell", "cell/output1"]);
    const again = modelFromJson(JSON.parse(JSON.stringify(model.architecture)));
    expect(again.architecture).toEqual(model.architecture);
    expect(again.parameters).toEqual(model.parameters);
    expect(again.outputs).toEqual(model.outputs);
  });

  it("is refused where one output is needed, with what to write instead", () => {
    const layer = cells[type](options);
    const count = type === "lstm" ? 3 : 2;
    const message = (where: string): RegExp => new RegExp(`${where}: layer cell has ${count} outputs; expected one`);
    expect(() => sequential({ input: [TIME, FEATURES] }, [layer, dense(1)])).toThrow(message("sequential"));
    expect(() => apply(layer, input([TIME, FEATURES]))).toThrow(message("apply"));
    expect(() => apply(timeDistributed(layer), input([2, TIME, FEATURES]))).toThrow(message("timeDistributed"));
    expect(() => apply(remat([layer]), input([TIME, FEATURES]))).toThrow(message("remat"));
    expect(() => sequential({ input: [TIME, FEATURES] }, [layer])).toThrow(
      expect.objectContaining({ code: "E_ARGUMENT", hint: expect.stringContaining("applyAll") }),
    );
  });
});

it("an encoder hands its states to a decoder, and both learn; a model uses only some of a layer's outputs", async () => {
  const from = input([4, 2], { name: "from" });
  const to = input([3, 2], { name: "to" });
  const [, h, c] = applyAll(lstm(6, { returnState: true, name: "encoder" }), from);
  const decoded = apply(lstm(6, { name: "decoder" }), to, h, c);
  const model = functional({ inputs: [from, to], outputs: [apply(dense(1), decoded)] });
  const x = waves(32 * 14, 0.61);
  const y = Float32Array.from({ length: 32 }, (_, i) => x[14 * i] - x[14 * i + 5]);
  const losses: number[][] = [];
  for (const device of [openCpu(), gpu]) {
    const trainer = new Trainer(model, {
      device,
      loss: meanSquaredError(),
      optimizer: adam({ learningRate: 0.02 }),
      seed: 3,
    });
    const { loss } = await trainer.fit({ x, y }, { epochs: 12, batchSize: 8 });
    expect(loss[11]).toBeLessThan(0.5 * loss[0]);
    losses.push([...loss]);
    trainer.dispose();
  }
  for (const [i, v] of losses[1].entries()) expect(v).toBeCloseTo(losses[0][i], 3);
});

it("both directions give the states of the forward layer, then those of the backward one", async () => {
  const x = input([TIME, FEATURES]);
  const outputs = applyAll(bidirectional(gru({ units: 2, returnState: true }), { name: "both" }), x);
  const [y, forward, backward] = outputs;
  const model = functional({ inputs: [x], outputs: [y, forward, backward] });
  for (const got of await predictions(model, waves(TIME * FEATURES, 0.37), weightsOf(model))) {
    close(got.slice(0, 4), got.slice(4));
  }
});

describe("multiHeadAttention over other values", () => {
  const [QUERIES, STEPS, HEADS, SIZE] = [3, 4, 2, 3];
  const layer = (): Layer => multiHeadAttention({ numHeads: HEADS, keyDim: SIZE, valueDim: 2, name: "attend" });
  const rowsOf = (values: Float32Array, width: number): number[][] =>
    range(values.length / width).map((i) => [...values.slice(i * width, (i + 1) * width)]);

  /** Keras's call(query, value, key) in plain loops. */
  function attended(query: number[][], value: number[][], key: number[][], weights: Weights, seen: number): number[] {
    const of = (name: string, x: number[]): number[] =>
      project(x, weights[`attend/${name}Kernel`], (c) => weights[`attend/${name}Bias`][c]);
    const [q, k, v] = [
      query.map((x) => of("query", x)),
      key.map((x) => of("key", x)),
      value.map((x) => of("value", x)),
    ];
    return q.flatMap((mine) => {
      const joined = range(HEADS).flatMap((head) => {
        const part = (row: number[], size: number): number[] => row.slice(head * size, (head + 1) * size);
        const scores = k
          .slice(0, seen)
          .map((other) => part(mine, SIZE).reduce((sum, a, i) => sum + a * part(other, SIZE)[i], 0) / Math.sqrt(SIZE));
        const weight = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = weight.reduce((a, b) => a + b, 0);
        return range(2).map((i) => weight.reduce((sum, w, t) => sum + (w / total) * part(v[t], 2)[i], 0));
      });
      return of("output", joined);
    });
  }

  const inputs = (): SymbolicTensor[] => [input([QUERIES, 4]), input([STEPS, 5]), input([STEPS, 2])];
  const x = waves(QUERIES * 4 + STEPS * 5 + STEPS * 2, 0.53);
  const parts = [x.slice(0, 12), x.slice(12, 32), x.slice(32)];

  it.each([
    ["query and value", 2],
    ["query, value and key", 3],
  ])("is applied to %s, as in Keras, and comes back from model.json", async (_, count) => {
    const given = inputs().slice(0, count);
    const model = functional({ inputs: given, outputs: [apply(layer(), ...given)] });
    expect(model.outputShape).toEqual([QUERIES, 4]);
    const weights = weightsOf(model);
    const [query, value, key] = [rowsOf(parts[0], 4), rowsOf(parts[1], 5), rowsOf(parts[2], 2)];
    const want = attended(query, value, count === 3 ? key : value, weights, STEPS);
    for (const got of await predictions(model, x.slice(0, count === 3 ? x.length : 32), weights)) close(got, want);
    expect(modelFromJson(JSON.parse(JSON.stringify(model.architecture))).parameters).toEqual(model.parameters);
  });

  it("does not look at padding of the values, and takes no mask of theirs for its own", async () => {
    const [query, value] = inputs();
    const padded = x.slice(0, 32);
    padded.fill(0, 12 + 2 * 5);
    const y = apply(layer(), query, apply(masking(), value));
    const model = functional({ inputs: [query, value], outputs: [apply(gru(2, { name: "after" }), y), y] });
    const weights = weightsOf(model);
    const want = attended(rowsOf(parts[0], 4), rowsOf(padded.slice(12), 5), rowsOf(padded.slice(12), 5), weights, 2);
    for (const got of await predictions(model, padded, weights)) close(got.slice(2), want);
  });

  it("refuses keys of other steps than the values, and a causal mask over other steps", () => {
    const [query, value, key] = [input([QUERIES, 4]), input([STEPS, 5]), input([STEPS + 1, 2])];
    expect(() => apply(layer(), query, value, key)).toThrow(/multiHeadAttention: got .*; expected .*value and key/);
    const causal = multiHeadAttention({ numHeads: 1, keyDim: 2, useCausalMask: true });
    expect(() => apply(causal, query, value)).toThrow(/as many queries as steps/);
  });
});
