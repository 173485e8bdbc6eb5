import { expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { openDevice } from "../../src/index.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { binaryCrossentropy, focal } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { adam, sgd } from "../../src/model/optimizers.ts";
import { checkpoint } from "../../src/train/callbacks.ts";
import { compile } from "../../src/train/trainer.ts";
import { failure } from "./support.ts";

// What JavaScript lets pass. Types would not, hence the casts.
const wrong = (value: unknown): never => value as never;
const model = sequential({ input: [2] }, [dense(1)]);
const device = openCpu();
const made = () => compile(model, { device, loss: binaryCrossentropy() });
const cyclic: Record<string, unknown> = { own: undefined, big: 1n };
cyclic["own"] = cyclic;
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
])("a misspelt option of %s is an error, not silence", async (_, work, expected) => {
  expect(await message(work as () => Promise<unknown>)).toMatch(expected);
});

it.each([
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
  ["a checkpoint", async () => checkpoint(wrong({ sav: 1 })), /no option "sav".*Did you mean save/],
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
