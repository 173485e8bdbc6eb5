import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSafetensors } from "../../src/io/foreignSafetensors.ts";
import { encodeSafetensors, matchTensors, type StoredTensor } from "../../src/io/safetensors.ts";
import { attempt, flips, truncations } from "./corrupt.ts";

const shapes = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
const tensors = fc.dictionary(
  fc
    .oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "7", "dense/kernel"))
    .filter((name) => name !== "__metadata__"),
  fc.tuple(fc.constantFrom("f32", "u32", "i32"), shapes, fc.nat()).map(([dtype, shape, seed]): StoredTensor => {
    const bits = Uint32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.imul(i + seed, 0x9e3779b9),
    );
    const data = { f32: new Float32Array(bits.buffer), u32: bits, i32: new Int32Array(bits.buffer) }[dtype];
    return { dtype, shape, data };
  }),
  { maxKeys: 6, noNullPrototype: false },
);
const bitsOf = ({ data }: StoredTensor) => Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length));

/** A file with this header and so many data bytes. */
function file(header: string, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  return bytes;
}

const small = encodeSafetensors(
  {
    w: { dtype: "f32", shape: [2, 2], data: Float32Array.of(1, -2, Number.NaN, 4) },
    n: { dtype: "u32", shape: [], data: Uint32Array.of(7) },
  },
  { format: "test" },
);

describe("safetensors", () => {
  it("gives back every bit of every tensor, whatever its name", () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (record, metadata) => {
        const got = decodeSafetensors(encodeSafetensors(record, metadata), "t");
        expect(Object.keys(got.tensors).sort()).toEqual(Object.keys(record).sort());
        expect(got.metadata).toEqual(metadata);
        for (const name of Object.keys(record)) {
          expect(got.tensors[name]).toMatchObject({ dtype: record[name].dtype, shape: record[name].shape });
          expect(bitsOf(got.tensors[name])).toEqual(bitsOf(record[name]));
        }
      }),
    );
  });

  it("is laid out as the format says: length, padded header sorted by name, data in the same order", () => {
    const length = Number(new DataView(small.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(small.subarray(8, 8 + length)).trimEnd()).toBe(
      '{"__metadata__":{"format":"test"},"n":{"dtype":"U32","shape":[],"data_offsets":[0,4]},' +
        '"w":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]}}',
    );
    expect(Array.from(new Float32Array(small.slice(8 + length + 4).buffer))).toEqual([1, -2, Number.NaN, 4]);
  });

  it("gives the same bytes whatever the order of the tensors", () => {
    const a: StoredTensor = { dtype: "f32", shape: [1], data: Float32Array.of(1) };
    const b: StoredTensor = { dtype: "i32", shape: [1], data: Int32Array.of(-1) };
    expect(encodeSafetensors({ a, b }, { x: "1", y: "2" })).toEqual(encodeSafetensors({ b, a }, { y: "2", x: "1" }));
  });

  it("reads from the middle of a larger buffer", () => {
    const padded = new Uint8Array(small.length + 3);
    padded.set(small, 3);
    expect(decodeSafetensors(padded.subarray(3), "t")).toEqual(decodeSafetensors(small, "t"));
  });

  it("throws E_FILE at every truncation", () => {
    for (const bytes of truncations(small))
      expect(attempt(() => decodeSafetensors(bytes, "t"))).toHaveProperty("error");
  });

  it("reads valid tensors or throws E_FILE, whichever byte is changed", () => {
    for (const bytes of flips(small)) {
      const got = attempt(() => decodeSafetensors(bytes, "t"));
      if ("error" in got) continue;
      for (const { dtype, shape, data } of Object.values(got.value.tensors)) {
        expect(["f32", "u32", "i32"]).toContain(dtype);
        expect(data.length).toBe(shape.reduce((x, y) => x * y, 1));
      }
    }
  });

  it("reads or throws E_FILE on random bytes behind any header length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void attempt(() => decodeSafetensors(bytes, "t"))),
    );
    fc.assert(fc.property(fc.json(), (header) => void attempt(() => decodeSafetensors(file(header, 16), "t"))));
  });

  const entry = (begin: number, end: number, shape = `[${(end - begin) / 4}]`) =>
    `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;
  it.each([
    ["no header length", new Uint8Array(7), "got 7 bytes; expected at least 8"],
    ["a header beyond the file", file("{}").subarray(0, 9), "got 9 bytes; expected 10 or more"],
    ["a huge header length", new Uint8Array(16).fill(255), "expected at most 100000000"],
    ["a header that is no JSON", file("{oops"), "not UTF-8 JSON"],
    ["a header that is a list", file("[]"), "does not begin with {"],
    ["a name twice", file(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), 'the key "a" twice'],
    [
      "an unknown dtype",
      file('{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}', 4),
      'a.dtype: got "F8_E4M3"',
    ],
    ["a dtype of the prototype", file('{"a":{"dtype":"toString","shape":[],"data_offsets":[0,4]}}', 4), "a.dtype"],
    ["17 dimensions", file(`{"a":${entry(0, 4, `[${Array(17).fill(1)}]`)}}`, 4), "at most 16 dimensions"],
    ["a negative size", file(`{"a":${entry(0, 4, "[-1]")}}`, 4), "a.shape[0]: got -1"],
    ["a fractional size", file(`{"a":${entry(0, 6, "[1.5]")}}`, 6), "a.shape[0]: got 1.5"],
    [
      "a size beyond all numbers",
      file(`{"a":${entry(0, 4, "[9007199254740991,9007199254740991]")}}`, 4),
      "a.data_offsets",
    ],
    [
      "shape and bytes that differ",
      file(`{"a":${entry(0, 8, "[1]")}}`, 8),
      "a.data_offsets: got [0,8]; expected 4 bytes",
    ],
    ["offsets that overlap", file(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`, 8), 'tensor "b" begins at 4, inside'],
    ["offsets that leave a hole", file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), "hole from 4 to 8"],
    ["offsets past the end", file(`{"a":${entry(0, 8)}}`, 4), 'tensor "a" ends at 8; the file has 4'],
    ["data nobody owns", file(`{"a":${entry(0, 4)}}`, 8), "got 8 data bytes; expected 4"],
    ["no dtype", file('{"a":{"shape":[],"data_offsets":[0,4]}}', 4), "a.dtype: got nothing"],
    ["metadata that is no text", file('{"__metadata__":{"a":1}}'), "__metadata__.a: got 1; expected text"],
  ])("says what is wrong: %s", (_, bytes, message) => {
    const got = attempt(() => decodeSafetensors(bytes, "model/w.safetensors"));
    expect(got).toHaveProperty("error");
    if ("error" in got) {
      expect(got.error.message).toContain("model/w.safetensors");
      expect(got.error.message).toContain(message);
    }
  });

  it("refuses to write tensors whose data is not what they say", () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ a: { dtype: "f32", shape: [2], data } })).toThrow("got 3 values; expected 2");
    expect(() => encodeSafetensors({ a: { dtype: "u32", shape: [3], data } })).toThrow("got Float32Array");
    expect(() => encodeSafetensors({ __metadata__: { dtype: "f32", shape: [3], data } })).toThrow("reserves");
  });

  it("matches tensors with an expected list, naming the one that differs", () => {
    const w: StoredTensor = { dtype: "f32", shape: [2, 3], data: new Float32Array(6) };
    matchTensors({ w }, [{ name: "w", shape: [2, 3] }], "m");
    expect(() => matchTensors({ w }, [{ name: "w", shape: [3, 2] }], "m")).toThrow(
      'm: tensor "w": got f32 [2,3]; expected f32 [3,2]',
    );
    expect(() => matchTensors({ w }, [{ name: "v", shape: [2] }], "m")).toThrow('tensor "v": got nothing');
    expect(() => matchTensors({ w }, [], "m")).toThrow('tensor "w": got f32 [2,3]; expected no such tensor');
  });

  it("reads 16-bit floats, doubles, integers and booleans beside others, and only what is asked for", () => {
    const header = {
      half: { dtype: "F16", shape: [2], data_offsets: [0, 4] },
      brain: { dtype: "BF16", shape: [2], data_offsets: [4, 8] },
      num_batches_tracked: { dtype: "I64", shape: [], data_offsets: [8, 16] },
      flags: { dtype: "BOOL", shape: [2], data_offsets: [16, 18] },
      small: { dtype: "I8", shape: [2], data_offsets: [18, 20] },
      odd: { dtype: "F8_E4M3", shape: [4], data_offsets: [20, 24] },
      double: { dtype: "F64", shape: [1], data_offsets: [24, 32] },
      huge: { dtype: "I64", shape: [1], data_offsets: [32, 40] },
    };
    const data = new DataView(new ArrayBuffer(40));
    for (const [at, bits] of [0x3e00, 0x0001, 0x3fc0, 0xff80].entries()) data.setUint16(2 * at, bits, true);
    data.setBigInt64(8, 1234n, true);
    for (const [at, byte] of [1, 0, -1, 5].entries()) data.setInt8(16 + at, byte);
    data.setFloat64(24, 0.1, true);
    data.setBigInt64(32, 2n ** 40n, true);
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + 40);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(new Uint8Array(data.buffer), 8 + text.length);
    const only = ["half", "brain", "num_batches_tracked", "flags", "small", "double"];
    const { tensors } = decodeSafetensors(bytes, "w", { only });
    expect({ ...tensors }).toEqual({
      half: { dtype: "f32", shape: [2], data: Float32Array.of(1.5, 2 ** -24) },
      brain: { dtype: "f32", shape: [2], data: Float32Array.of(1.5, -Infinity) },
      num_batches_tracked: { dtype: "i32", shape: [], data: Int32Array.of(1234) },
      flags: { dtype: "u32", shape: [2], data: Uint32Array.of(1, 0) },
      small: { dtype: "i32", shape: [2], data: Int32Array.of(-1, 5) },
      double: { dtype: "f32", shape: [1], data: Float32Array.of(0.1) },
    });
    expect(() => decodeSafetensors(bytes, "w")).toThrow('got "F8_E4M3"');
    expect(() => decodeSafetensors(bytes, "w", { only: ["huge"] })).toThrow("got 1099511627776; expected integers");
  });
});
