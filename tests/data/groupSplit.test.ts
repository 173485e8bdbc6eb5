import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupSplit } from "../../src/data/groupSplit.ts";

/** The group of each row, from the sizes of the groups. */
const groupsOf = (...sizes: readonly number[]) => sizes.flatMap((size, group) => Array<number>(size).fill(group));
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 12 });
const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });

describe("groupSplit", () => {
  it("parts the rows, each group on one side, and neither side empty", () => {
    fc.assert(
      fc.property(sizes, share, fc.integer(), (counts, test, seed) => {
        const groups = groupsOf(...counts);
        const y = groups.map((_, row) => row % 2);
        const parts = groupSplit(groups, y, { test, seed });
        expect([...parts.train, ...parts.test].sort((a, b) => a - b)).toEqual(groups.map((_, row) => row));
        const tested = new Set(Array.from(parts.test, (row) => groups[row]));
        expect(Array.from(parts.train).some((row) => tested.has(groups[row]))).toBe(false);
        expect(Math.min(parts.train.length, parts.test.length)).toBeGreaterThan(0);
      }),
    );
  });

  it("comes as near to the share as half of the largest group, unless one of the smallest is too much", () => {
    fc.assert(
      fc.property(sizes, share, fc.integer(), (counts, test, seed) => {
        const groups = groupsOf(...counts);
        const y = new Float32Array(groups.length);
        const off = Math.abs(groupSplit(groups, y, { test, seed }).test.length - test * groups.length);
        const least = Math.min(...counts) - Math.min(test, 1 - test) * groups.length;
        expect(off).toBeLessThanOrEqual(Math.max(Math.max(...counts) / 2, least) + 1e-9);
      }),
    );
  });

  it.each([0.2, 0.5, 0.6, 0.9])("gives single rows their share to the row: %d", (test) => {
    const groups = Array.from({ length: 300 }, (_, row) => `r${row}`);
    const y = groups.map((_, row) => row % 2);
    expect(groupSplit(groups, y, { test }).test).toHaveLength(300 * test);
  });

  it("depends on the seed alone, and takes the smallest group where all are too large", () => {
    const groups = groupsOf(150, ...Array<number>(30).fill(5));
    const y = groups.map((_, row) => row % 2);
    const tests = [0, 0, 1].map((seed) => groupSplit(groups, y, { test: 0.2, seed }).test);
    expect(tests.map(({ length }) => length)).toEqual([60, 60, 60]);
    expect(tests[1]).toEqual(tests[0]);
    expect(tests[2]).not.toEqual(tests[0]);
    const large = groupsOf(100, 90, 110);
    expect(groupSplit(large, y.slice(0, 300), { test: 0.05 }).test).toHaveLength(90);
    expect(groupSplit(large, y.slice(0, 300), { test: 0.95 }).train).toHaveLength(90);
  });

  it("has every class on both sides where a class has groups enough", () => {
    const groups = groupsOf(...Array<number>(20).fill(3));
    for (let seed = 0; seed < 50; seed++) {
      const y = groups.map((group) => Number(group === 4 || group === 11));
      const { train, test } = groupSplit(groups, y, { test: 0.2, seed });
      for (const rows of [train, test]) expect(new Set(Array.from(rows, (row) => y[row]))).toEqual(new Set([0, 1]));
      const single = groupSplit(
        groups,
        groups.map((group) => Number(group === 4)),
        { test: 0.2, seed },
      );
      expect(single.test).toHaveLength(12);
    }
  });

  it.each([0, 1, -0.2, Number.NaN])("refuses a fraction of %d", (test) => {
    expect(() => groupSplit(["a", "b"], [0, 1], { test })).toThrow("expected a number in (0, 1)");
  });

  it("refuses a single group", () => {
    expect(() => groupSplit(["a", "a"], [0, 1], { test: 0.5 })).toThrow("groups: got 1; expected at least 2");
  });
});
