import { describe, expect, it } from "vitest";
import * as core from "../../src/api/core.ts";
import * as dataEntry from "../../src/api/data.ts";
import * as experiment from "../../src/api/experiment.ts";
import * as graph from "../../src/api/graph.ts";
import * as io from "../../src/api/io.ts";
import * as metrics from "../../src/api/metrics.ts";
import * as report from "../../src/api/report.ts";
import * as resample from "../../src/api/resample.ts";
import * as opfs from "../../src/browser/opfs.ts";
import * as inBrowsers from "../../src/browser/platform.ts";
import { openCpu } from "../../src/cpu/device.ts";
import { parseCsv } from "../../src/data/csv.ts";
import { describeTable } from "../../src/data/describe.ts";
import { moons } from "../../src/data/generators.ts";
import { stratifiedSplit } from "../../src/data/splits.ts";
import { tableFromRecords } from "../../src/data/table.ts";
import { TilegradError } from "../../src/errors.ts";
import { rocAuc } from "../../src/metrics/areas.ts";
import { tuneThreshold } from "../../src/metrics/thresholds.ts";
import { apply, functional } from "../../src/model/functional.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { fitLogisticRegression } from "../../src/model/logisticRegression.ts";
import { binaryCrossentropy, focal, softmaxCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam, sgd } from "../../src/model/optimizers.ts";
import { openDevice } from "../../src/openDevice.ts";
import { randomOverSampler } from "../../src/resample/randomOverSampler.ts";
import { smote } from "../../src/resample/smote.ts";
import { modelCheckpoint } from "../../src/train/callbacks.ts";
import { loadModel } from "../../src/train/loading.ts";
import { compile } from "../../src/train/trainer.ts";
import { failure } from "./support.ts";

// What JavaScript lets pass. Types would not, hence the casts.
const wrong = (value: unknown): never => value as never;
const model = sequential({ input: [2] }, [dense(1)]);
const device = openCpu();
const made = () => compile(model, { device, loss: binaryCrossentropy() });
const cyclic: Record<string, unknown> = { own: undefined, big: 1n };
cyclic["own"] = cyclic;
const ends = Uint32Array.from({ length: 20 }, (_, row) => row);
const { table } = parseCsv("a,b\n1,0\n2,1\n");
const pixel = graph.ops.constant(0, [1, 1, 1, 1]);
const image = { width: 1, height: 1, channels: 1, data: [0], max: 255 };
const rows = Array.from({ length: 100_000 }, () => new Float32Array(30));
const message = async (work: () => Promise<unknown>) => {
  const { code, message, hint } = await failure(Promise.resolve().then(work));
  return `${code} ${message} ${hint}`;
};

it.each([
  [
    "an optimizer",
    async () => adam(wrong({ lr: 0.1 })),
    /E_ARGUMENT adam: there is no option "lr"; expected any of learningRate/,
  ],
  ["an optimizer, nearly right", async () => sgd(wrong({ momentun: 0.9 })), /"momentun".*Did you mean momentum/],
  ["a loss", async () => focal(wrong({ gama: 2 })), /focal: there is no option "gama".*Did you mean gamma/],
  [
    "compile",
    () => compile(model, wrong({ device, loss: binaryCrossentropy(), metric: ["f1"] })),
    /Did you mean metrics/,
  ],
  [
    "fit",
    async () => (await made()).fit({ x: [1, 2], y: [1] }, wrong({ epochs: 1, batchsize: 4 })),
    /Did you mean batchSize/,
  ],
  ["parseCsv", async () => parseCsv("a;b\n1;2\n", wrong({ delimeter: ";" })), /Did you mean delimiter/],
  ["stratifiedSplit", async () => stratifiedSplit([0, 1], wrong({ fraction: {} })), /Did you mean fractions/],
  ["a generator", async () => moons(wrong({ row: 9 })), /moons: there is no option "row".*Did you mean rows/],
  [
    "tuneThreshold",
    async () => tuneThreshold([0, 1], [0, 1], { maximize: "f1" }, wrong({ sampleWeights: [1, 1] })),
    /Did you mean sampleWeight/,
  ],
  [
    "resampling",
    () => smote({ x: new Float32Array(2), y: [0, 1] }, wrong({ device, kNeighbours: 1 })),
    /smote: there is no option "kNeighbours".*Did you mean kNeighbors/,
  ],
  ["loadModel", () => loadModel("model", wrong({ device, layer: {} })), /loadModel: .*Did you mean layers/],
  ["openCpu", async () => openCpu(wrong({ precison: "f64" })), /openCpu: .*Did you mean precision/],
  ["openCpu", async () => core.openCpu(wrong({ precison: "f64" })), /openCpu: .*Did you mean precision/],
  ["pooling", async () => core.maxPooling2d(2, wrong({ stride: 1 })), /maxPooling2d: .*Did you mean strides/],
  ["dropout", async () => core.dropout(0.5, wrong({ nam: "a" })), /dropout: .*Did you mean name/],
  ["upsampling", async () => core.upSampling2d(2, wrong({ interpolate: "bilinear" })), /Did you mean interpolation/],
  ["mixup", async () => core.mixup(wrong({ alfa: 3 })), /mixup: there is no option "alfa".*Did you mean alpha/],
  ["calibrationCurve", async () => metrics.calibrationCurve([1], [1], wrong({ bin: 5 })), /Did you mean bins/],
  ["ece", async () => metrics.ece([1], [1], wrong({ strategie: "quantile" })), /Did you mean strategy/],
  ["logLoss", async () => metrics.logLoss([1], [1], wrong({ weights: [1] })), /there is no option "weights"/],
  [
    "splitWindows",
    async () => dataEntry.splitWindows(ends, { length: 1, horizon: 0 }, wrong({ validaton: 0.1, test: 0.1 })),
    /Did you mean validation/,
  ],
  [
    "windows to fit to",
    async () => dataEntry.fitPreprocessor(table, [0, 1], { target: "b", window: wrong({ lenght: 2, horizon: 1 }) }),
    /fitPreprocessor: window: .*Did you mean length/,
  ],
  [
    "a threshold rule",
    async () => tuneThreshold([0, 1], [0, 1], wrong({ maximize: "f1", recallAtLeast: 0.8 })),
    /unknown threshold rule \{ maximize: "f1", recallAtLeast: 0.8 \}/,
  ],
])("a misspelt option of %s is an error, not silence", async (_, work, expected) => {
  expect(await message(work as () => Promise<unknown>)).toMatch(expected);
});

it.each([
  [
    "a layer that was not called",
    async () => sequential({ input: [2] }, [wrong(dense)]),
    /got a function.*Call it: dense\(/,
  ],
  [
    "a layer without a type",
    async () => sequential({ input: [2] }, [wrong({ call() {} })]),
    /got type undefined; expected a string/,
  ],
  ["a threshold rule", async () => tuneThreshold([0, 1], [0, 1], wrong("f1")), /unknown threshold rule "f1".*maximize/],
  [
    "steps of a profile",
    async () => (await made()).profile({ x: [1, 2], y: [1] }, { steps: 0 }),
    /profile: got steps 0; expected a positive integer/,
  ],
  [
    "a callback's hook",
    async () =>
      (await made()).fit({ x: [1, 2], y: [1] }, { epochs: 1, callbacks: [wrong({ name: "a", onEpochEnd: 5 })] }),
    /callbacks\[0\]: got onEpochEnd 5; expected a function/,
  ],
  [
    "rows to resample",
    async () => randomOverSampler(wrong({ x: "0 1 2 3", y: [0, 0, 0, 1] })),
    /got x "0 1 2 3"; expected an array of values/,
  ],
  ["a folder", async () => (await made()).save(wrong(null)), /save: got folder null; expected a string/],
  ["a flag", async () => dense(1, wrong({ useBias: "no" })), /dense: got useBias "no"; expected true or false/],
  [
    "a word",
    async () => dense(1, wrong({ activation: "rely" })),
    /dense: got activation "rely"; expected .*Did you mean "relu"/,
  ],
  ["a number", async () => adam(wrong({ clipNorm: "1" })), /adam: got clipNorm "1"; expected a number/],
  [
    "a learning rate",
    async () => sgd({ learningRate: wrong("0.1") }),
    /learningRate: got "0.1"; expected a finite number/,
  ],
  [
    "an optimizer",
    () => compile(model, { device, loss: binaryCrossentropy(), optimizer: wrong({}) }),
    /optimizer: got \{\}; expected .*adam/,
  ],
  [
    "a plan",
    () => compile(model, { device, loss: binaryCrossentropy(), plan: wrong("residnt") }),
    /Did you mean "resident"/,
  ],
  ["a checkpoint", async () => modelCheckpoint(wrong({ foldr: "a" })), /no option "foldr".*Did you mean folder/],
  [
    "a cyclic loss",
    () => compile(model, wrong({ device, loss: cyclic })),
    /loss: got \{ own: \{ own: \{ \.\.\. \}, big: 1 \}, big: 1 \};/,
  ],
  [
    "a list of rows",
    async () => (await made()).fit(wrong(rows), { epochs: 1 }),
    /got \[\[0, 0, 0, 0, \.\.\.\], .*, \.\.\.\]; expected \{ x, y \}/,
  ],
  [
    "a list of rows to predict",
    async () => (await made()).predict(wrong([[1, 2]])),
    /x has 1 values; .*rows\.flat\(\)/,
  ],
  [
    "callbacks",
    async () => (await made()).fit({ x: [1, 2], y: [1] }, { epochs: 1, callbacks: wrong([7]) }),
    /callbacks\[0\]: got 7/,
  ],
  [
    "all options",
    async () => (await made()).fit({ x: [1, 2], y: [1] }, wrong(null)),
    /fit: got null; expected an object/,
  ],
  ["rows", async () => (await made()).fit(wrong(null), { epochs: 1 }), /fit: got null; expected \{ x, y \}/],
  ["layers", async () => sequential({ input: [2] }, wrong([dense(1), 1])), /layers\[1\]: got 1; expected a layer/],
  ["an input", async () => sequential({ input: wrong(2) }, [dense(1)]), /got input 2; expected a list/],
  [
    "an initializer",
    async () => sequential({ input: [2] }, [dense(1, { kernelInitializer: wrong("heUnifrm") })]),
    /layer "dense".*initializer: got "heUnifrm".*Did you mean "heUniform"/,
  ],
  [
    "a regularizer",
    async () => sequential({ input: [2] }, [dense(1, { kernelRegularizer: { l2: -1 } })]),
    /regularizer: got l1 0, l2 -1; expected finite numbers of at least 0/,
  ],
  ["a model", () => compile(wrong(null), { device, loss: binaryCrossentropy() }), /model: got null; expected a model/],
  ["a value of a model", async () => apply(dense(1), wrong(3)), /apply: input 0: got 3; expected what input\(\)/],
  ["outputs", async () => functional(wrong({ inputs: [] })), /functional: got outputs undefined; expected a list/],
  ["a text for a CSV", async () => parseCsv(wrong(null)), /csv: got null; expected a text or its bytes/],
  [
    "a text among several for a CSV",
    () => dataEntry.readCsv(wrong(["a\n", 1])),
    /csv: got 1; expected a text or its bytes/,
  ],
  ["an encoding", async () => parseCsv("a\n1", wrong({ encoding: 8 })), /got encoding 8; expected utf-8/],
  ["columns to skip", async () => parseCsv("a\n1", wrong({ skip: [5] })), /got skip \[5\]; expected a list of strings/],
  ["options", async () => core.mixup(wrong(null)), /mixup: got null; expected an object of options/],
  ["a precision", async () => openCpu(wrong({ precision: "f46" })), /openCpu: got precision "f46"; expected f32, f64/],
  [
    "a strategy",
    async () => metrics.mce([1], [1], wrong({ strategy: "even" })),
    /got strategy "even"; expected uniform/,
  ],
  [
    "a size",
    async () => dataEntry.resizeImage(image, wrong([-1, 1, 1])),
    /resizeImage: got height -1; expected a positive/,
  ],
  [
    "an image",
    async () => dataEntry.resizeImage({ ...image, width: 2 }, [1, 1, 1]),
    /E_SHAPE .* got 1 numbers; expected 2/,
  ],
  [
    "padding",
    async () => graph.ops.conv2dTranspose(pixel, pixel, wrong({ padding: {} })),
    /conv2dTranspose: got padding \{\}.*"same"/,
  ],
  ["a table", async () => describeTable(wrong({})), /table: got \{\}; expected a table, as readCsv/],
  ["records", async () => tableFromRecords(wrong([null])), /tableFromRecords: \[0\]: got null; expected/],
  ["scores", async () => rocAuc([0, 1], wrong(undefined)), /rocAuc: got scores undefined; expected an array of values/],
  [
    "inputs of a logistic regression",
    async () => fitLogisticRegression(wrong("x"), wrong("x")),
    /fitLogisticRegression: got x "x"; expected an array of values/,
  ],
  ["rows to resample", () => randomOverSampler(wrong(null)), /randomOverSampler: got null; expected \{ x, y \}/],
  [
    "options of resampling",
    () => smote({ x: new Float32Array(2), y: [0, 1] }, wrong(undefined)),
    /smote: got device undefined; expected a device, from await openDevice/,
  ],
])("%s of another kind is a typed error", async (_, work, expected) => {
  expect(await message(work as () => Promise<unknown>)).toMatch(expected);
});

it.each([
  [
    "labels of a yes/no loss that are not from 0 to 1",
    { x: [1, 2, 3, 4], y: [1, 2] },
    /E_DATA fit: the label of row 1 is 2; binaryCrossentropy expects 0 \(no\) to 1/,
  ],
  ["no features", { y: [1] }, /E_DATA fit: got no x.*packInputs/],
  ["no labels", { x: [1, 2] }, /E_DATA fit: got no y/],
  [
    "rows in arrays of their own",
    {
      x: [
        [0, 1],
        [1, 0],
      ].concat([
        [1, 1],
        [0, 0],
      ]),
      y: [0, 1],
    },
    /flat array, row after row: rows.flat\(\)/,
  ],
])("%s are a typed error", async (_, data, expected) => {
  const trainer = await made();
  expect(await message(() => trainer.fit(wrong(data), { epochs: 1 }))).toMatch(expected);
});

it("fields of data other than x, y and sampleWeight are ignored", async () => {
  const data = { x: [1, 2, 3, 4], y: [0, 1], sampleWeight: [1, 2] };
  const weights = async (extra: object): Promise<unknown> => {
    const trainer = await made();
    await trainer.fit({ ...data, ...extra }, { epochs: 1 });
    const learned = await trainer.getWeights();
    trainer.dispose();
    return learned;
  };
  expect(await weights({ sampleWeights: [9, 9], weights: 3, weightKg: [70, 80], names: ["a"] })).toEqual(
    await weights({}),
  );
});

it("labels that are no class are a typed error, and probabilities for each class are none", async () => {
  const three = sequential({ input: [2] }, [dense(3)]);
  const trainer = await compile(three, { device, loss: softmaxCrossentropy() });
  const x = [1, 2, 3, 4];
  for (const label of [3, -1, 1.5]) {
    const expected = `the label of row 1 is ${label}; softmaxCrossentropy expects class numbers 0 to 2`;
    expect(await message(() => trainer.fit({ x, y: [2, label] }, { epochs: 1 }))).toContain(expected);
    expect(await message(() => trainer.evaluate({ x, y: [2, label] }))).toContain(expected);
  }
  await trainer.fit({ x, y: [0, 0.5, 0.5, 0, 1, 0], sampleWeight: [1, 2] }, { epochs: 1 });
  trainer.dispose();
});

it("compile names what it takes for a loss, an optimizer and a device, and a device its backends", async () => {
  const loss = binaryCrossentropy();
  expect(await message(() => compile(model, wrong({ device, loss: "bce" })))).toMatch(/"bce".*binaryCrossentropy\(\)/);
  expect(await message(() => compile(model, wrong({ device, loss, optimizer: "adam" })))).toMatch(/"adam".*adam\(\)/);
  expect(await message(() => compile(model, wrong({ device: "cpu", loss })))).toMatch(/"cpu".*openDevice\(\)/);
  expect(await message(() => openDevice(wrong({ backend: "gpu" })))).toMatch(/Did you mean "webgpu"/);
  expect(await message(async () => binaryCrossentropy(wrong({ classWeight: "balanced" })))).toMatch(
    /classWeightBalanced\(labels\)/,
  );
});

it("compile without a loss, and predict without rows, say what is missing", async () => {
  expect(await message(() => compile(model, wrong({ device })))).toMatch(
    /E_ARGUMENT compile: loss: got undefined; expected .*binaryCrossentropy/,
  );
  const trainer = await made();
  expect(await message(() => trainer.predict(wrong(undefined)))).toMatch(/E_DATA predict: got no x/);
});

describe("nonsense for the first two arguments", () => {
  const values = [undefined, null, {}, 1, "x", []];
  const calls = [[], ...values.map((a) => [a]), ...values.flatMap((a) => values.map((b) => [a, b]))];
  // Left out: what opens a device, or in Node has no browser around it.
  const { openDevice: _, ...inCore } = core;
  const { readImageFolder } = inBrowsers;
  const exported = [
    inCore,
    dataEntry,
    metrics,
    resample,
    report,
    experiment,
    io,
    graph,
    graph.ops,
    opfs,
    { readImageFolder },
  ];
  const functions = exported.flatMap((entry) =>
    Object.entries(entry).filter(([, value]) => typeof value === "function"),
  );

  it.each(functions as [string, (...given: unknown[]) => unknown][])(
    "of %s is a typed error, or is none",
    async (name, f) => {
      const make = (given: unknown[]) => (/^[A-Z]/.test(name) ? Reflect.construct(f, given) : f(...given));
      for (const given of calls) {
        try {
          await make(given);
        } catch (error) {
          expect(error, JSON.stringify(given)).toBeInstanceOf(TilegradError);
          expect(error).not.toMatchObject({ code: "E_INTERNAL" });
        }
      }
    },
  );
});

it.each([
  [
    "bytes",
    async () => io.decodeNpy(wrong(null), "a.npy"),
    /E_ARGUMENT decodeNpy: got bytes null; expected bytes in a/,
  ],
  [
    "a buffer",
    () => io.readIdx(wrong(new ArrayBuffer(8)), "a"),
    /readIdx: got bytes \{\}; expected bytes in a Uint8Array/,
  ],
  ["a tensor", async () => graph.ops.add(wrong(null), 1), /add: got null; expected a tensor, such as/],
  [
    "an op's option",
    async () => graph.ops.sum(graph.ops.constant(1, [2]), wrong({ axis: 0 })),
    /no option "axis".*Did you mean axes/,
  ],
  ["a trainer", () => report.integratedGradients(wrong({}), []), /integratedGradients: got \{\}; expected a trainer/],
  ["a preprocessor", async () => dataEntry.inputShapeOf(wrong({})), /inputShapeOf: got \{\}; expected a preprocessor/],
  [
    "scores",
    () => report.permutationImportance(wrong("predict"), new Float32Array(1), [1], []),
    /got predict "predict"; expected a f/,
  ],
])("%s of another kind, in place of what is computed with, is told", async (_, work, expected) => {
  expect(await message(work as () => Promise<unknown>)).toMatch(expected);
});
