import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TilegradError } from "../src/errors.ts";
import { draws, mulHi, philoxInto, seedKey, shuffle, uniform01 } from "../src/random.ts";

const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe("philoxInto", () => {
  it("gives the published Random123 vectors", () => {
    const all = 0xffffffff;
    const block = (...counterAndKey: [number, number, number, number, number, number]): number[] => {
      const out = new Uint32Array(4);
      philoxInto(out, ...counterAndKey);
      return [...out];
    };
    expect(block(0, 0, 0, 0, 0, 0)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(block(all, all, all, all, all, all)).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0)).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it("multiplies u32 exactly", () => {
    fc.assert(fc.property(u32, u32, (a, b) => mulHi(a, b) === Number((BigInt(a) * BigInt(b)) >> 32n)));
  });
});

describe("uniform01", () => {
  it("lies in [0, 1) and is exact in float32", () => {
    expect(uniform01(0)).toBe(0);
    expect(uniform01(0xffffffff)).toBeLessThan(1);
    fc.assert(fc.property(u32, (u) => Math.fround(uniform01(u)) === uniform01(u)));
  });
});

describe("seedKey", () => {
  it("gives different safe integers different keys", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => {
        const same = seedKey(a).join() === seedKey(b).join();
        return same === (a === b);
      }),
    );
    expect(seedKey(7)).toEqual([7, 0]);
    expect(seedKey(-1)).toEqual([0xffffffff, 0xffffffff]);
    expect(seedKey(2 ** 32 + 5)).toEqual([5, 1]);
  });

  it("refuses what is no safe integer", () => {
    for (const seed of [1.5, Number.NaN, Infinity, 2 ** 53]) expect(() => seedKey(seed)).toThrow(TilegradError);
  });
});

describe("shuffle", () => {
  it("is a permutation, the same each time, another for another seed, stream or step", () => {
    const order = shuffle(1000, 7, 1, 2);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect(shuffle(1000, 7, 1, 2)).toEqual(order);
    for (const other of [shuffle(1000, 8, 1, 2), shuffle(1000, 7, 2, 2), shuffle(1000, 7, 1, 3)]) {
      expect(other).not.toEqual(order);
    }
    expect(shuffle(0, 1, 0, 0).length).toBe(0);
    expect([...shuffle(1, 1, 0, 0)]).toEqual([0]);
  });

  it("visits all 24 orders of 4 evenly", () => {
    const seen = new Map<string, number>();
    const trials = 24_000;
    for (let step = 0; step < trials; step++) {
      const name = shuffle(4, 3, 0, step).join("");
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const chi2 = [...seen.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(49.7); // the 99.9 % point of chi-square with 23 degrees of freedom
  });
});

describe("draws", () => {
  it("keeps integers below the bound and even, for bounds that do not divide 2^32", () => {
    const draw = draws(11, 0);
    const bound = 3 * 2 ** 30; // a plain modulus would give the lower third twice as often
    let low = 0;
    for (let i = 0; i < 30_000; i++) {
      const value = draw.integer(i, bound);
      expect(value).toBeLessThan(bound);
      if (value < bound / 3) low++;
    }
    expect(Math.abs(low - 10_000)).toBeLessThan(4 * Math.sqrt((30_000 * 2) / 9));
  });

  it("has the moments of a standard normal", () => {
    const draw = draws(5, 9);
    const n = 50_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const z = draw.normal(i);
      sum += z;
      squares += z * z;
    }
    expect(Math.abs(sum / n)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(squares / n - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });
});
