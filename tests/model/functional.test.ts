import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { apply, functional, input } from "../../src/model/functional.ts";
import { layer } from "../../src/model/layer.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { add, average, concatenate, maximum, multiply, subtract } from "../../src/model/layers/merge.ts";
import { batchNormalization } from "../../src/model/layers/normalization.ts";
import { globalAveragePooling2d } from "../../src/model/layers/pooling.ts";
import { dropout, flatten } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, meanSquaredError, softmaxCrossentropy } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential, summary } from "../../src/model/model.ts";
import { multiLoss } from "../../src/model/multiLoss.ts";
import { sgd } from "../../src/model/optimizers.ts";
import { packInputs, unpackOutputs } from "../../src/model/pack.ts";
import { lossFromJson, modelFromJson } from "../../src/model/registry.ts";
import { openDevice } from "../../src/openDevice.ts";
import { mul, sigmoid } from "../../src/ops/core/elementwise.ts";
import type { CompileOptions } from "../../src/train/compileOptions.ts";
import type { Data } from "../../src/train/data.ts";
import { trainerFromFiles } from "../../src/train/loading.ts";
import { modelFiles } from "../../src/train/saving.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { bitsOf, largestDifference, problem } from "../train/support.ts";

const device = openCpu();

const again = (model: Model): Model => modelFromJson(JSON.parse(JSON.stringify(model.architecture)));

const trainerOf = (model: Model, options: Partial<CompileOptions> = {}): Trainer =>
  new Trainer(model, {
    device,
    loss: binaryCrossentropy(),
    optimizer: sgd({ learningRate: 0.1 }),
    seed: 3,
    ...options,
  });

/** A convolution around which its input is carried. */
function residual(): Model {
  const x = input([6, 6, 1]);
  const stem = apply(conv2d(4, 3, { padding: "same", activation: "relu" }), x);
  const inner = apply(conv2d(4, 3, { padding: "same", name: "inner" }), stem);
  const joined = apply(add(), stem, apply(batchNormalization(), inner));
  const pooled = apply(globalAveragePooling2d(), joined);
  return functional({ inputs: [x], outputs: [apply(dense(1), apply(dropout(0.2), pooled))] });
}

/** Two inputs seen with the same weights, and two answers. */
function twins(): Model {
  const left = input([3], { name: "left" });
  const right = input([3], { name: "right" });
  const shared = dense(4, { activation: "tanh", name: "shared" });
  const a = apply(shared, left);
  const b = apply(shared, right);
  const both = apply(concatenate(), a, b, apply(subtract(), a, b));
  return functional({
    inputs: [left, right],
    outputs: [
      apply(dense(1, { name: "same", activation: "sigmoid" }), both),
      apply(dense(3, { name: "kind", activation: "softmax" }), both),
    ],
  });
}

const twoAnswers = () =>
  multiLoss([
    { loss: binaryCrossentropy({ classWeight: { 1: 2 } }) },
    { loss: softmaxCrossentropy(), weight: 0.5, units: 3, targets: 1 },
  ]);

function twinData(rows: number): Data {
  const { x } = problem(rows, { features: 6 });
  const y = Array.from({ length: rows }, (_, r) => [
    x[6 * r] * x[6 * r + 3] > 0 ? 1 : 0,
    Math.floor(3 * Math.abs(Math.sin(r))),
  ]);
  return { x, y: y.flat() };
}

describe("a functional model", () => {
  it("in one line is the sequential one", async () => {
    const x = input([5]);
    const model = functional({ inputs: [x], outputs: [apply(dense(1), apply(dense(4, { activation: "relu" }), x))] });
    const plain = sequential({ input: [5] }, [dense(4, { activation: "relu" }), dense(1)]);
    expect(model).toMatchObject({ inputShape: [5], outputShape: [1], parameters: plain.parameters });
    const runs = [model, plain].map(async (m) => {
      const trainer = trainerOf(m);
      await trainer.fit(problem(40), { epochs: 2 });
      return bitsOf(trainer);
    });
    const [a, b] = await Promise.all(runs);
    expect(a).toEqual(b);
  });

  it("with a residual connection trains alike on CPU and GPU", async () => {
    const gpu = await openDevice({ backend: "webgpu" });
    const data = problem(48, { features: 36 });
    const train = async (on: Device): Promise<Trainer> => {
      const trainer = trainerOf(residual(), { device: on });
      await trainer.fit(data, { epochs: 4, batchSize: 16, validation: data });
      return trainer;
    };
    const [a, b] = [await train(device), await train(gpu)];
    expect(a.history.loss.at(-1)).toBeLessThan(a.history.loss[0]);
    for (const name of ["loss", "valLoss"])
      expect(largestDifference(a.history[name], b.history[name])).toBeLessThan(1e-5);
    const [wa, wb] = [await a.getWeights(), await b.getWeights()];
    for (const name of Object.keys(wa)) expect(largestDifference(wa[name], wb[name]), name).toBeLessThan(1e-5);
    b.dispose();
    gpu.dispose();
  });

  it("sums the gradients of a shared layer", async () => {
    // y = (a k + b k), loss (y - t)^2: dk = 2 (y - t) (a + b)
    const [a, b] = [input([1]), input([1])];
    const shared = dense(1, { useBias: false, kernelInitializer: { constant: 0.5 } });
    const model = functional({ inputs: [a, b], outputs: [apply(add(), apply(shared, a), apply(shared, b))] });
    expect(model.parameters.length).toBe(1);
    const trainer = trainerOf(model, { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.01 }) });
    await trainer.fit({ x: [2, 3], y: [1] }, { epochs: 1 });
    expect((await trainer.getWeights())["dense/kernel"][0]).toBeCloseTo(0.5 - 0.01 * 2 * 1.5 * 5, 6);
  });

  it("moves the statistics of a shared batch normalisation once for each use, in order", async () => {
    const [a, b] = [input([1]), input([1])];
    const shared = batchNormalization({ momentum: 0.5, name: "norm" });
    const model = functional({ inputs: [a, b], outputs: [apply(add(), apply(shared, a), apply(shared, b))] });
    const trainer = trainerOf(model, { loss: meanSquaredError() });
    await trainer.fit({ x: [1, 10, 3, 30], y: [0, 0] }, { epochs: 1, batchSize: 2 });
    // 0 -> (0 + 2) / 2 -> (1 + 20) / 2
    expect((await trainer.getWeights())["norm/movingMean"][0]).toBeCloseTo(10.5, 5);
  });

  it("trains several outputs by their own losses", async () => {
    const model = twins();
    expect(model.inputs).toEqual([
      { name: "left", shape: [3] },
      { name: "right", shape: [3] },
    ]);
    expect(model.outputs).toEqual([
      { name: "same", shape: [1] },
      { name: "kind", shape: [3] },
    ]);
    const data = twinData(60);
    const trainer = trainerOf(model, { loss: twoAnswers() });
    await trainer.fit(data, { epochs: 20, batchSize: 60, shuffle: false, validation: data });
    const { loss, valLoss } = trainer.history;
    expect(loss.at(-1)).toBeLessThan(0.95 * loss[0]);
    // The loss of validation is that of the weights after the step: of the next epoch's only one.
    expect(largestDifference(valLoss.slice(0, -1), loss.slice(1))).toBeLessThan(1e-5);
    const { same, kind } = unpackOutputs(model, await trainer.predict(data.x));
    for (let r = 0; r < 60; r++) {
      expect(same[r]).toBeGreaterThan(0);
      expect(same[r]).toBeLessThan(1);
      expect(kind[3 * r] + kind[3 * r + 1] + kind[3 * r + 2]).toBeCloseTo(1, 5);
    }
    expect(await trainer.outputs(data.x)).toEqual(await trainer.predict(data.x));
  });

  it("with a sum of losses has the gradients of the two models apart", async () => {
    const y = [1, -2];
    const only = async (k: 0 | 1): Promise<number> => {
      const model = sequential({ input: [1] }, [dense(1, { useBias: false, kernelInitializer: { constant: 1 } })]);
      const trainer = trainerOf(model, { loss: meanSquaredError() });
      await trainer.fit({ x: [3], y: [y[k]] }, { epochs: 1 });
      return (await trainer.getWeights())["dense/kernel"][0];
    };
    const x = input([1]);
    const head = (name: string) => apply(dense(1, { name, useBias: false, kernelInitializer: { constant: 1 } }), x);
    const trainer = trainerOf(functional({ inputs: [x], outputs: [head("a"), head("b")] }), {
      loss: multiLoss([{ loss: meanSquaredError() }, { loss: meanSquaredError() }]),
    });
    await trainer.fit({ x: [3], y }, { epochs: 1 });
    const weights = await trainer.getWeights();
    expect([weights["a/kernel"][0], weights["b/kernel"][0]]).toEqual([await only(0), await only(1)]);
  });

  it.each([
    ["residual", residual],
    ["twins", twins],
  ] as const)("(%s) is the same again from its JSON", (_, make) => {
    const model = make();
    const copy = again(model);
    expect(copy.architecture).toEqual(model.architecture);
    expect(copy.parameters).toEqual(model.parameters);
    expect(copy.layers).toEqual(model.layers);
    expect(copy).toMatchObject({ inputs: model.inputs, outputs: model.outputs });
  });

  it("is saved and loaded with its weights and losses", async () => {
    const data = twinData(20);
    const trainer = trainerOf(twins(), { loss: twoAnswers() });
    await trainer.fit(data, { epochs: 1 });
    const { trainer: loaded } = trainerFromFiles(await modelFiles(trainer), "model", { device });
    expect(await loaded.predict(data.x)).toEqual(await trainer.predict(data.x));
    expect(await loaded.evaluate(data)).toEqual(await trainer.evaluate(data));
  });

  it("shows in its summary what each layer is applied to", () => {
    expect(summary(twins()).split("\n")).toEqual([
      "layer                      inputs                      output  parameters  bytes",
      "shared (dense)             left                        [4]             16   64 B",
      "shared/2 (dense)           right                       [4]              0    0 B",
      "subtract (subtract)        shared, shared/2            [4]              0    0 B",
      "concatenate (concatenate)  shared, shared/2, subtract  [12]             0    0 B",
      "same (dense)               concatenate                 [1]             13   52 B",
      "kind (dense)               concatenate                 [3]             39  156 B",
      "68 parameters, 68 of them trainable",
    ]);
  });

  it("may be as deep as one likes", () => {
    const x = input([2]);
    const double = add();
    let h = x;
    for (let i = 0; i < 2000; i++) h = apply(double, h, h);
    expect(functional({ inputs: [x], outputs: [h] }).outputShape).toEqual([2]);
  });
});

describe("merging layers", () => {
  it.each([
    ["add", add, [5, 7]],
    ["subtract", subtract, [-3, -3]],
    ["multiply", multiply, [4, 10]],
    ["average", average, [2.5, 3.5]],
    ["maximum", maximum, [4, 5]],
    ["concatenate", concatenate, [1, 2, 4, 5]],
  ] as const)("%s joins [1, 2] and [4, 5]", async (_, make, want) => {
    const [a, b] = [input([2], { name: "a" }), input([2], { name: "b" })];
    const model = functional({ inputs: [a, b], outputs: [apply(make(), a, b)] });
    const trainer = trainerOf(model, { loss: meanSquaredError() });
    expect(Array.from(await trainer.outputs(packInputs(model, { b: [4, 5], a: [1, 2] })))).toEqual(want);
  });

  it("stretch axes of 1", () => {
    expect(apply(multiply(), input([4, 4, 3]), input([1, 1, 3])).shape).toEqual([4, 4, 3]);
    expect(apply(concatenate({ axis: 1 }), input([4, 3]), input([2, 3])).shape).toEqual([6, 3]);
  });
});

describe("errors", () => {
  const x = input([3]);
  const fails = (make: () => unknown, code: string, message: RegExp): void =>
    expect(make).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));

  it("name the layer whose inputs do not fit", () => {
    fails(
      () => apply(add({ name: "join" }), x, input([4])),
      "E_SHAPE",
      /^layer "join" \(input f32\[1, 3\], f32\[1, 4\]\): add/,
    );
    fails(() => apply(conv2d(3, 3, { name: "eye" }), x), "E_SHAPE", /^layer "eye"/);
    fails(() => apply(dense(1), x, x), "E_ARGUMENT", /^layer "dense".*expected one/);
    fails(() => apply(add(), x), "E_ARGUMENT", /^layer "add".*two or more/);
    fails(() => apply(concatenate({ axis: 0 }), x, x), "E_ARGUMENT", /concatenate/);
    fails(() => input([0]), "E_SHAPE", /^input/);
  });

  it("name a shared layer that is given widths of its own", () => {
    const shared = dense(2);
    const y = input([4]);
    const make = () => functional({ inputs: [x, y], outputs: [apply(add(), apply(shared, x), apply(shared, y))] });
    fails(make, "E_SHAPE", /^layer "dense".*asked for as/);
  });

  it("tell of inputs that are missing, doubled or no inputs", () => {
    const y = apply(dense(1), x);
    fails(() => functional({ inputs: [input([3])], outputs: [y] }), "E_ARGUMENT", /needs "input" \[3\]/);
    fails(() => functional({ inputs: [x, x], outputs: [y] }), "E_ARGUMENT", /each once/);
    fails(() => functional({ inputs: [y], outputs: [y] }), "E_ARGUMENT", /dense/);
    fails(() => functional({ inputs: [x], outputs: [] }), "E_ARGUMENT", /no outputs/);
    const named = () => apply(dense(1, { name: "twice" }), x);
    fails(() => functional({ inputs: [x], outputs: [named(), named()] }), "E_ARGUMENT", /"twice"/);
  });

  it("tell what an architecture lacks", () => {
    const layers = [{ name: "a", type: "flatten", inputs: ["x"] }];
    const base = { type: "functional", inputs: [{ name: "x", shape: [2] }], layers, outputs: ["a"] };
    expect(modelFromJson(base).outputShape).toEqual([2]);
    fails(() => modelFromJson({ ...base, outputs: ["b"] }), "E_FILE", /outputs\[0\].*"b"/);
    fails(() => modelFromJson({ ...base, outputs: undefined }), "E_FILE", /outputs/);
    fails(() => modelFromJson({ ...base, inputs: [3] }), "E_FILE", /inputs\[0\]/);
    fails(() => modelFromJson({ ...base, layers: [null] }), "E_FILE", /layers\[0\]/);
    fails(() => modelFromJson({ ...base, layers: [...layers, ...layers] }), "E_FILE", /layers\[1\].*"a"/);
    fails(
      () => modelFromJson({ ...base, layers: [{ name: "a", layer: "b", inputs: ["x"] }] }),
      "E_FILE",
      /layers\[0\]/,
    );
  });

  it("tell what inputs and losses do not fit", () => {
    const model = twins();
    fails(() => packInputs(model, { left: [1, 2, 3] }), "E_SHAPE", /"right" has 0/);
    fails(() => packInputs(model, { left: [1, 2, 3], right: [1, 2, 3, 4, 5, 6] }), "E_SHAPE", /"right" has 6/);
    fails(() => packInputs(model, { middle: [] }), "E_ARGUMENT", /"middle"/);
    fails(() => unpackOutputs(model, [1, 2, 3]), "E_SHAPE", /multiple of 4/);
    fails(() => multiLoss([]), "E_ARGUMENT", /no losses/);
    fails(() => multiLoss([{ loss: binaryCrossentropy({ reduction: "weightedMean" }) }]), "E_ARGUMENT", /weightedMean/);
    fails(() => multiLoss([{ loss: binaryCrossentropy(), weight: -1 }]), "E_ARGUMENT", /weight -1/);
    const { type, config } = twoAnswers();
    expect(lossFromJson({ type, config })).toMatchObject({ type, config });
  });
});

it("flattens images into a row beside other inputs", async () => {
  const image = input([2, 2, 1], { name: "image" });
  const facts = input([2], { name: "facts" });
  const model = functional({ inputs: [image, facts], outputs: [apply(concatenate(), apply(flatten(), image), facts)] });
  const x = packInputs(model, { image: [1, 2, 3, 4, 11, 12, 13, 14], facts: [5, 6, 15, 16] });
  expect(Array.from(x)).toEqual([1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]);
  expect(Array.from(await trainerOf(model, { loss: meanSquaredError() }).outputs(x))).toEqual(Array.from(x));
});

it("is described in the documentation by JSON that makes a model", () => {
  const layers = fs.readFileSync(new URL("../../docs/layers.md", import.meta.url), "utf8");
  const model = modelFromJson(JSON.parse(/```json\n([\s\S]*?)```/.exec(layers)![1]));
  expect(model).toMatchObject({ inputShape: [16], outputShape: [1] });
  expect(model.parameters.map((p) => p.name)).toEqual(["tower/kernel", "tower/bias", "dense/kernel", "dense/bias"]);
  expect(again(model).architecture).toEqual(model.architecture);
});

it("takes a custom layer that joins several inputs", async () => {
  const gate = (options = {}) => ({
    ...layer("gate", options, (_, { inputs: [x, by] }) => mul(x, sigmoid(by))),
    merges: true as const,
  });
  const [a, b] = [input([1]), input([1])];
  const model = functional({ inputs: [a, b], outputs: [apply(gate(), a, b)] });
  const copy = modelFromJson(JSON.parse(JSON.stringify(model.architecture)), { gate });
  expect(Array.from(await trainerOf(copy, { loss: meanSquaredError() }).outputs([3, 0]))).toEqual([1.5]);
});
