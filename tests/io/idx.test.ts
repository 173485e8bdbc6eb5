import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeIdx, encodeIdx, type IdxArray } from "../../src/io/idx.ts";
import { attempt, flips, truncations } from "./corrupt.ts";

const small = encodeIdx({ shape: [2, 2], data: Int16Array.of(1, -2, 300, 4) });

describe("IDX", () => {
  it("gives back every array it wrote", () => {
    const arrays = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }).chain((shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const types = fc.constantFrom(Uint8Array, Int8Array, Int16Array, Int32Array, Float32Array, Float64Array);
      const bytes = fc.uint8Array({ minLength: length * 8, maxLength: length * 8 });
      return fc
        .tuple(types, bytes)
        .map(([type, raw]): IdxArray => ({ shape, data: new type(raw.slice().buffer, 0, length) }));
    });
    fc.assert(fc.property(arrays, (array) => void expect(decodeIdx(encodeIdx(array), "a")).toEqual(array)));
  });

  it("has the layout of MNIST: type, rank, big-endian sizes, big-endian elements", () => {
    expect(Array.from(small)).toEqual([0, 0, 11, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 255, 254, 1, 44, 0, 4]);
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4);
    expect(decodeIdx(labels, "labels")).toEqual({ shape: [3], data: Uint8Array.of(5, 0, 4) });
  });

  it.each([
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), "got a gzip file"],
    ["no bytes", new Uint8Array(0), "got the first bytes []"],
    ["another type", Uint8Array.of(0, 0, 10, 1, 0, 0, 0, 0), "got the first bytes [0,0,10,1]"],
    ["rank 0", Uint8Array.of(0, 0, 8, 0, 1), "a rank of 1 or more"],
    ["sizes cut off", Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1), "got 8 bytes; expected 12 or more"],
    ["missing data", Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5), "got 1 data bytes; expected 3 for [3]"],
    ["255 huge sizes", Uint8Array.of(0, 0, 8, 255, ...Array(1020).fill(255)), "got 0 data bytes"],
  ])("refuses %s, naming the file", (_, bytes, message) => {
    const got = attempt(() => decodeIdx(bytes, "train-images"));
    expect("error" in got && got.error.message).toContain("train-images: ");
    expect("error" in got && got.error.message).toContain(message);
  });

  it("throws E_FILE at every truncation, and reads or throws E_FILE whichever byte is changed", () => {
    for (const bytes of truncations(small)) expect(attempt(() => decodeIdx(bytes, "a"))).toHaveProperty("error");
    for (const bytes of flips(small)) attempt(() => decodeIdx(bytes, "a"));
  });
});
