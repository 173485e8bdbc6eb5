import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeNpy, encodeNpy, type NpyNumbers } from "../../src/io/npy.ts";
import { attempt, flips, truncations } from "./corrupt.ts";

/** A file as NumPy would write it. */
function file(dict: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(`${dict}\n`);
  const length = version === 1 ? [text.length, 0] : [text.length, 0, 0, 0];
  return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...data);
}
const dict = (descr: string, fortran: string, shape: string) =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const small = encodeNpy({ dtype: "f4", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });

describe("NPY", () => {
  it("gives back every array it wrote", () => {
    const arrays = fc.array(fc.nat({ max: 3 }), { maxLength: 4 }).chain((shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const bytes = fc.uint8Array({ minLength: length * 8, maxLength: length * 8 });
      const dtypes = fc.constantFrom("f4", "f8", "i4", "u4", "u1", "i8", "b1");
      return fc.tuple(dtypes, bytes).map(([dtype, raw]): NpyNumbers => {
        const view = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u4: Uint32Array, i8: BigInt64Array };
        if (dtype === "u1" || dtype === "b1") {
          return { dtype, shape, data: raw.slice(0, length).map((x) => (dtype === "b1" ? x & 1 : x)) };
        }
        return { dtype, shape, data: new view[dtype](raw.slice().buffer, 0, length) };
      });
    });
    fc.assert(fc.property(arrays, (array) => void expect(decodeNpy(encodeNpy(array), "a.npy")).toEqual(array)));
  });

  it("has the layout of version 1: data begin at a multiple of 64", () => {
    expect(small.length).toBe(128 + 24);
    expect(new TextDecoder().decode(small.subarray(10, 128)).trimEnd()).toBe(dict("<f4", "False", "(2, 3)"));
    expect(small[127]).toBe(0x0a);
  });

  it("reads versions 1 to 3, scalars and any order of entries", () => {
    const one = new Uint8Array(Float64Array.of(1.5).buffer);
    for (const version of [1, 2, 3]) {
      const got = decodeNpy(file(dict("<f8", "False", "()"), one, version), "a");
      expect(got).toEqual({ dtype: "f8", shape: [], data: Float64Array.of(1.5) });
    }
    const turned = "{'shape':(1,),'descr':'<f8','fortran_order':False}";
    expect(decodeNpy(file(turned, one), "a").shape).toEqual([1]);
  });

  it("reads every plain type of NumPy, in both byte orders", () => {
    const big = (bytes: number[]) => Uint8Array.from(bytes);
    const cases: [string, number[], ArrayLike<unknown>][] = [
      ["|i1", [255, 2], [-1, 2]],
      ["<i2", [255, 255, 0, 1], [-1, 256]],
      [">i2", [255, 255, 1, 0], [-1, 256]],
      ["<u2", [255, 255, 1, 0], [65535, 1]],
      [">u4", [0, 0, 1, 0, 255, 255, 255, 255], [256, 4294967295]],
      ["<u8", [1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(255)], [1n, 2n ** 64n - 1n]],
      [">i8", [0, 0, 0, 0, 0, 0, 0, 7, ...Array(8).fill(255)], [7n, -1n]],
      [">f4", [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], [1.5, -2]],
      [">f8", [0x3f, 0xf8, ...Array(6).fill(0), 0x40, ...Array(7).fill(0)], [1.5, 2]],
      ["<f2", [0x00, 0x3e, 0x01, 0x00], [1.5, 2 ** -24]],
      [">f2", [0xfc, 0x00, 0x7b, 0xff], [-Infinity, 65504]],
      ["|b1", [0, 1], [0, 1]],
      ["<U3", [97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3d, 0xf6, 1, 0, 98, 0, 0, 0, 99, 0, 0, 0], ["a", "\u{1f63d}bc"]],
      [">U1", [0, 0, 0, 97, 0, 0, 0, 0], ["a", ""]],
      ["|S2", [97, 98, 99, 0], ["ab", "c"]],
    ];
    for (const [descr, bytes, want] of cases) {
      const got = decodeNpy(file(dict(descr, "False", "(2L,)"), big(bytes)), "a");
      expect(Array.from(got.data as ArrayLike<unknown>), descr).toEqual(want);
      expect(got.shape).toEqual([2]);
    }
    const texts = decodeNpy(file(dict("|S1", "True", "(2, 2)"), big([97, 98, 99, 100])), "a");
    expect(texts).toEqual({ dtype: "S", shape: [2, 2], data: ["a", "c", "b", "d"] });
  });

  it("turns Fortran order into C order", () => {
    // np.asfortranarray([[[0,1],[2,3],[4,5]],[[6,7],[8,9],[10,11]]]): the first index runs fastest.
    const stored = Uint8Array.of(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11);
    const got = decodeNpy(file(dict("|u1", "True", "(2, 3, 2)"), stored), "a");
    expect(Array.from(got.data as Uint8Array)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it.each([
    ["dates", file(dict("<M8[D]", "False", "(1,)"), new Uint8Array(8)), "element type <M8[D]"],
    ["long doubles", file(dict("<f16", "False", "(1,)"), new Uint8Array(16)), "element type <f16"],
    ["objects", file(dict("|O", "False", "(1,)"), new Uint8Array(8)), "element type |O"],
    [
      "structures",
      file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4)),
      "descr",
    ],
    ["missing data", file(dict("<f4", "False", "(2,)"), new Uint8Array(4)), "got 4 data bytes; expected 8"],
    ["surplus data", file(dict("<f4", "False", "(1,)"), new Uint8Array(5)), "got 5 data bytes; expected 4"],
    ["a size beyond all numbers", file(dict("<f4", "False", "(99999999, 99999999)"), new Uint8Array(4)), "got shape"],
    ["a bool of 2", file(dict("|b1", "False", "(1,)"), Uint8Array.of(2)), "neither 0 nor 1"],
    ["another format", new Uint8Array(64), "do not begin with"],
    ["another version", file(dict("<f4", "False", "()"), new Uint8Array(4), 4), "format version 4"],
  ])("refuses %s, naming the file", (_, bytes, message) => {
    const got = attempt(() => decodeNpy(bytes, "data/x.npy"));
    expect("error" in got && got.error.message).toContain("data/x.npy: ");
    expect("error" in got && got.error.message).toContain(message);
  });

  it("throws E_FILE at every truncation, and reads or throws E_FILE whichever byte is changed", () => {
    for (const bytes of truncations(small)) expect(attempt(() => decodeNpy(bytes, "a"))).toHaveProperty("error");
    for (const bytes of flips(small)) attempt(() => decodeNpy(bytes, "a"));
  });

  it("takes no longer than a moment over the most awkward header", () => {
    const text = `{'a':'b'${" ".repeat(65_000)}x`;
    const bytes = file(text, new Uint8Array(0));
    new DataView(bytes.buffer).setUint16(8, text.length + 1, true);
    const before = performance.now();
    expect(attempt(() => decodeNpy(bytes, "a"))).toHaveProperty("error");
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("refuses to write data that dtype and shape contradict", () => {
    expect(() => encodeNpy({ dtype: "f4", shape: [2], data: new Float64Array(2) })).toThrow("got Float64Array of 2");
    expect(() => encodeNpy({ dtype: "f4", shape: [2], data: new Float32Array(3) })).toThrow(
      "expected Float32Array of 2",
    );
  });
});
