import { describe, expect, it } from "vitest";
import { isLeftover } from "../../src/io/bundle.ts";

describe("what an earlier save left", () => {
  const published = ["weights-0123456789abcdef.safetensors", "model.json"];
  it.each([
    ["other weights", "weights-fedcba9876543210.safetensors"],
    ["a temporary file on a disk", ".model.json.12.tmp"],
    ["a temporary file of other weights on a disk", ".weights-fedcba9876543210.safetensors.12.tmp"],
    ["a swap file of Chromium's", "model.json.crswap"],
    ["a second swap file of Chromium's", "model.json.1.crswap"],
    ["a swap file of the very weights", "weights-0123456789abcdef.safetensors.crswap"],
  ])("is %s", (_what, name) => {
    expect(isLeftover(name, published)).toBe(true);
  });

  it.each(["model.json", published[0], "report.html", "tensors-fedcba9876543210.safetensors", "notes.1.crswap"])(
    "is not %s",
    (name) => {
      expect(isLeftover(name, published)).toBe(false);
    },
  );
});
