import { describe, expect, it } from "vitest";
import { type CheckpointFile, decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import { fingerprint } from "../../src/io/fingerprint.ts";
import { attempt, flips, truncations } from "./corrupt.ts";

const checkpoint: CheckpointFile = {
  step: 123,
  epoch: 4,
  cursor: 3,
  seed: 7,
  data: fingerprint([Float32Array.of(1, 2, 3)]),
  plan: "matmul_tiled 32x32 | adam",
  config: { batchSize: 32, layers: [1, 2] },
  states: { earlyStopping: { best: Number.POSITIVE_INFINITY, wait: 0 }, schedule: null },
  history: { loss: [0.1, Number.NaN, -0, 1 / 3], valLoss: [], "__proto__ ": [Number.NEGATIVE_INFINITY] },
  tensors: {
    "adam/m": { dtype: "f32", shape: [3], data: Float32Array.of(1e-38, Number.NaN, -0) },
    step: { dtype: "u32", shape: [], data: Uint32Array.of(123) },
    order: { dtype: "i32", shape: [2], data: Int32Array.of(-1, 1) },
  },
};
const files = encodeCheckpoint(checkpoint);
const [stateName, headName] = Object.keys(files);

describe("a checkpoint", () => {
  it("comes back with the same bits, NaN, infinities and -0 in its history included", () => {
    const got = decodeCheckpoint(files, "run");
    expect(got).toEqual(checkpoint);
    expect(Object.is(got.history.loss[2], -0)).toBe(true);
    for (const name of Object.keys(checkpoint.tensors)) {
      const bytes = ({ data }: { data: ArrayBufferView }) => Array.from(new Uint8Array(data.buffer));
      expect(bytes(got.tensors[name])).toEqual(bytes(checkpoint.tensors[name]));
    }
  });

  it("is the same bytes when saved again", () => {
    expect(encodeCheckpoint(decodeCheckpoint(files, "run"))).toEqual(files);
    expect(headName).toBe("checkpoint.json");
    expect(stateName).toMatch(/^state-[0-9a-f]{16}\.safetensors$/);
  });

  it("throws E_FILE at every truncation of its state and whichever byte of it is changed", () => {
    for (const damage of [truncations, flips]) {
      for (const bytes of damage(files[stateName])) {
        expect(attempt(() => decodeCheckpoint({ ...files, [stateName]: bytes }, "run"))).toHaveProperty("error");
      }
    }
  });

  it("reads or throws E_FILE whichever byte of its JSON is changed or cut", () => {
    for (const damage of [truncations, flips]) {
      for (const bytes of damage(files[headName])) {
        attempt(() => decodeCheckpoint({ ...files, [headName]: bytes }, "run"));
      }
    }
  });

  it("is not taken for a model", () => {
    const text = new TextDecoder().decode(files[headName]).replace("tilegrad-checkpoint", "tilegrad-model");
    const wrong = { ...files, [headName]: new TextEncoder().encode(text) };
    expect(() => decodeCheckpoint(wrong, "run")).toThrow('format: got "tilegrad-model"');
  });
});
