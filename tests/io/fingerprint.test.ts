import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprint } from "../../src/io/fingerprint.ts";

describe("fingerprint", () => {
  it("is 128 bits in hex and never changes between releases", () => {
    expect(fingerprint([])).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprint([Uint8Array.of(1, 2, 3, 4, 5), Float32Array.of(1)])).toMatchInlineSnapshot(
      `"eb92c58021a988b71048c04c599fbc75"`,
    );
  });

  it("depends on the bytes only, not on element type or alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 7 }), (bytes, offset) => {
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        expect(fingerprint([moved.subarray(offset)])).toBe(fingerprint([bytes]));
      }),
    );
    expect(fingerprint([Float32Array.of(1, 2)])).toBe(fingerprint([new Uint8Array(Float32Array.of(1, 2).buffer)]));
  });

  it("tells apart all single-bit edits, swaps, shifts and lengths of an array", () => {
    const base = Uint8Array.from({ length: 257 }, (_, i) => i % 7);
    const seen = new Set([fingerprint([base])]);
    let count = 1;
    const add = (...arrays: Uint8Array[]) => {
      seen.add(fingerprint(arrays));
      count++;
    };
    for (let bit = 0; bit < base.length * 8; bit++) {
      const copy = base.slice();
      copy[bit >> 3] ^= 1 << (bit & 7);
      add(copy);
    }
    for (let at = 1; at < base.length; at++) {
      const copy = base.slice();
      [copy[at - 1], copy[at]] = [base[at], base[at - 1]];
      add(copy);
      add(base.subarray(at));
      add(base.subarray(0, at), base.subarray(at));
    }
    expect(seen.size).toBe(count);
  });

  it("tells apart 200,000 pairs of numbers and arrays of zeros of any length", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 200_000; i++) seen.add(fingerprint([Uint32Array.of(i % 500, Math.floor(i / 500))]));
    for (let length = 0; length < 1000; length++) seen.add(fingerprint([new Uint8Array(length + 9)]));
    expect(seen.size).toBe(201_000);
  });
});
