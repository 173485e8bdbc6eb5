import { describe, expect, it } from "vitest";
import type { Files } from "../../src/io/bundle.ts";
import { decodeModel, encodeModel, type ModelFile } from "../../src/io/model.ts";
import { attempt, flips, truncations } from "./corrupt.ts";

const model: ModelFile = {
  architecture: { type: "sequential", config: { input: [2], layers: [{ type: "dense", config: { units: 1 } }] } },
  weights: {
    "dense/kernel": { dtype: "f32", shape: [2, 1], data: Float32Array.of(0.5, -1.5) },
    "dense/bias": { dtype: "f32", shape: [1], data: Float32Array.of(0.25) },
  },
  preprocessing: { columns: ["age", "NaN"], mean: [40.5, Number.NaN] },
  threshold: { value: 0.31, rule: "f1" },
  labels: { positive: "yes", negative: "NaN" },
  training: { seed: 7, epochs: 3, loss: Number.NaN, bestEpoch: 2 },
};
const files = encodeModel(model);
const weightsName = Object.keys(files)[0];

/** The files with the text of model.json edited. */
function edited(from: string, to: string): Files {
  const text = new TextDecoder().decode(files["model.json"]);
  expect(text).toContain(from);
  return { ...files, "model.json": new TextEncoder().encode(text.replace(from, to)) };
}

describe("a saved model", () => {
  it("comes back whole, weights in their order, NaN and labels named NaN included", () => {
    const got = decodeModel(files, "model");
    expect(got).toEqual(model);
    expect(Object.keys(got.weights)).toEqual(["dense/kernel", "dense/bias"]);
  });

  it("needs only architecture and weights", () => {
    const bare = { architecture: null, weights: {} };
    expect(decodeModel(encodeModel(bare), "model")).toEqual(bare);
  });

  it("is the same bytes when saved again, and readable JSON that ends with a newline", () => {
    expect(encodeModel(decodeModel(files, "model"))).toEqual(files);
    const text = new TextDecoder().decode(files["model.json"]);
    expect(text.endsWith("}\n")).toBe(true);
    expect(JSON.parse(text)).toMatchObject({ format: "tilegrad-model", version: 1, tensors: { file: weightsName } });
    expect(weightsName).toMatch(/^weights-[0-9a-f]{16}\.safetensors$/);
  });

  it("names its weights by their content, so that other weights have another name", () => {
    const other = { ...model.weights, "dense/bias": { dtype: "f32", shape: [1], data: Float32Array.of(0.5) } } as const;
    expect(Object.keys(encodeModel({ ...model, weights: other }))[0]).not.toBe(weightsName);
  });

  it("throws E_FILE at every truncation of either file", () => {
    for (const name of Object.keys(files)) {
      for (const bytes of truncations(files[name])) {
        // Only the last newline of model.json can be spared.
        if (name === "model.json" && bytes.length === files[name].length - 1) continue;
        expect(attempt(() => decodeModel({ ...files, [name]: bytes }, "model"))).toHaveProperty("error");
      }
    }
  });

  it("throws E_FILE whichever byte of the weights is changed, and reads or throws E_FILE for model.json", () => {
    for (const bytes of flips(files[weightsName])) {
      expect(attempt(() => decodeModel({ ...files, [weightsName]: bytes }, "model"))).toHaveProperty("error");
    }
    for (const bytes of flips(files["model.json"])) {
      const got = attempt(() => decodeModel({ ...files, "model.json": bytes }, "model"));
      if ("value" in got) expect(Object.keys(got.value.weights)).toHaveLength(2);
    }
  });

  it.each([
    ['"tilegrad-model"', '"keras"', 'model/model.json: format: got "keras"; expected "tilegrad-model"'],
    ['"version": 1', '"version": 2', "model/model.json: version: got 2; expected 1"],
    ['"value": 0.31', '"value": "0.31"', 'threshold.value: got "0.31"; expected a number'],
    ['"rule": "f1"', '"rule": 1', "threshold.rule: got 1; expected text"],
    ['"positive"', '"positiv"', "labels.positive: got nothing; expected text"],
    ['"seed": 7', '"seed": -7', "training.seed: got -7; expected a whole number >= 0"],
    ['"threshold"', '"treshold"', "treshold: got"],
    ["[2, 1]", "[1, 2]", 'model: tensor "dense/kernel": got f32 [2,1]; expected f32 [1,2]'],
    ["[2, 1]", "[2, -1]", "weights[0].shape[1]: got -1"],
    ['"dense/bias"', '"dense/b"', 'tensor "dense/b": got nothing; expected f32 [1]'],
    ['"file": "weights', '"file": "../weights', "tensors.file: got"],
    ['"f32"', '"f64"', 'weights[0].dtype: got "f64"'],
  ])("says what is wrong: %s -> %s", (from, to, message) => {
    const got = attempt(() => decodeModel(edited(from, to), "model"));
    expect("error" in got && got.error.message).toContain(message);
  });

  it("says which file is missing", () => {
    const { "model.json": head, [weightsName]: weights } = files;
    expect(() => decodeModel({ "model.json": head }, "model")).toThrow(`model: got no ${weightsName}`);
    expect(() => decodeModel({ [weightsName]: weights }, "model")).toThrow("model: got no model.json");
  });
});
