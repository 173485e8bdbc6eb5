import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Fold,
  groupKFold,
  kFold,
  leaveOneOut,
  repeatedStratifiedKFold,
  stratifiedKFold,
  stratifiedSplit,
  timeSeriesSplit,
} from "../../src/data/splits.ts";
import { TilegradError } from "../../src/errors.ts";
import { readOracle } from "../oracles/files.ts";

const range = (n: number) => [...Array(n).keys()];
const classCounts = (y: ArrayLike<number>, rows: ArrayLike<number>, labels: readonly number[]) =>
  labels.map((label) => Array.from(rows).filter((row) => y[row] === label).length);

function expectPartition(folds: readonly Fold[], n: number) {
  expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(range(n));
  for (const { train, test } of folds) expect([...train, ...test].sort((a, b) => a - b)).toEqual(range(n));
}

const labels = fc
  .tuple(fc.integer({ min: 30, max: 60 }), fc.integer({ min: 10, max: 30 }))
  .chain(([a, b]) =>
    fc.shuffledSubarray([...Array(a).fill(0), ...Array(b).fill(1)] as number[], { minLength: a + b, maxLength: a + b }),
  );

describe("stratifiedKFold", () => {
  it("partitions the rows, each class and each fold even to one row", () => {
    fc.assert(
      fc.property(labels, fc.integer({ min: 2, max: 5 }), fc.boolean(), fc.integer(), (y, k, shuffle, seed) => {
        const folds = stratifiedKFold(y, k, { shuffle, seed });
        expect(folds.length).toBe(k);
        expectPartition(folds, y.length);
        for (const { test } of folds) {
          expect(Math.abs(test.length - y.length / k)).toBeLessThan(1);
          for (const label of [0, 1]) {
            const all = y.filter((value) => value === label).length;
            expect(Math.abs(classCounts(y, test, [label])[0] - all / k)).toBeLessThan(1);
          }
        }
      }),
    );
  });

  it("shuffles by seed and by nothing else", () => {
    const y = range(100).map((i) => (i % 5 === 0 ? 1 : 0));
    const folds = stratifiedKFold(y, 5, { shuffle: true, seed: 3 });
    expect(stratifiedKFold(y, 5, { shuffle: true, seed: 3 })).toEqual(folds);
    expect(stratifiedKFold(y, 5, { shuffle: true, seed: 4 })).not.toEqual(folds);
    expect(stratifiedKFold(y, 5)).toEqual(stratifiedKFold(y, 5, { seed: 9 }));
  });

  it("repeats with other folds each time", () => {
    const y = range(60).map((i) => i % 2);
    const folds = repeatedStratifiedKFold(y, 3, { repeats: 4, seed: 1 });
    expect(folds.length).toBe(12);
    for (const at of [0, 3, 6, 9]) expectPartition(folds.slice(at, at + 3), 60);
    expect(new Set(folds.map(({ test }) => test.join())).size).toBe(12);
    expect(folds.slice(0, 3)).toEqual(stratifiedKFold(y, 3, { shuffle: true, seed: 1 }));
  });
});

describe("stratifiedSplit", () => {
  const share = fc.integer({ min: 5, max: 40 }).map((percent) => percent / 100);

  it("gives parts of the right sizes that keep the classes' shares and miss no class", () => {
    fc.assert(
      fc.property(labels, share, share, fc.integer(), (y, validation, test, seed) => {
        const parts = stratifiedSplit(y, { fractions: { train: 1 - validation - test, validation, test }, seed });
        const lists = [parts.train, parts.validation, parts.test];
        expect(lists.flatMap((rows) => [...rows]).sort((a, b) => a - b)).toEqual(range(y.length));
        expect(parts.test.length).toBe(Math.ceil(test * y.length - 1e-9));
        expect(parts.validation.length).toBe(Math.ceil(validation * y.length - 1e-9));
        for (const label of [0, 1]) {
          const all = y.filter((value) => value === label).length;
          expect(Math.abs(classCounts(y, parts.test, [label])[0] - (parts.test.length * all) / y.length)).toBeLessThan(
            1,
          );
        }
        for (const rows of lists) for (const count of classCounts(y, rows, [0, 1])) expect(count).toBeGreaterThan(0);
      }),
    );
  });

  it("leaves one of three rare rows to each part", () => {
    const y = range(1000).map((i) => (i < 3 ? 1 : 0));
    const parts = stratifiedSplit(y, { fractions: { train: 0.9, validation: 0.05, test: 0.05 }, seed: 5 });
    for (const rows of [parts.train, parts.validation, parts.test]) expect(classCounts(y, rows, [1])).toEqual([1]);
  });

  it("depends on the seed only, and leaves a part of fraction 0 empty", () => {
    const y = range(200).map((i) => i % 2);
    const split = (seed: number) => stratifiedSplit(y, { fractions: { train: 0.8, test: 0.2 }, seed });
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
    expect(split(1).validation.length).toBe(0);
  });

  it("refuses fractions that are none, and classes that are too small", () => {
    const split = (y: number[], fractions: { train: number; validation?: number; test?: number }) => () =>
      stratifiedSplit(y, { fractions });
    for (const fractions of [
      { train: 0.5 },
      { train: 0, test: 1 },
      { train: 1.2, test: -0.2 },
      { train: Number.NaN },
    ]) {
      expect(split([0, 1], fractions)).toThrow(TilegradError);
    }
    expect(split([0, 0, 0, 0, 1, 1], { train: 0.9, test: 0.1 })).toThrow("is 1, with 2 classes");
    expect(split([0, 0, 0, 0, 1], { train: 0.5, test: 0.5 })).toThrow("class 1 has 1 row; expected at least 2");
  });
});

describe("other splits", () => {
  it("kFold gives contiguous folds, the first n mod k one larger, or shuffled ones", () => {
    expect(kFold(7, 3).map(({ test }) => [...test])).toEqual([
      [0, 1, 2],
      [3, 4],
      [5, 6],
    ]);
    const shuffled = kFold(50, 4, { shuffle: true, seed: 2 });
    expectPartition(shuffled, 50);
    expect(shuffled.map(({ test }) => test.length)).toEqual([13, 13, 12, 12]);
  });

  it("groupKFold never splits a group, and balances rows", () => {
    const groups = ["a", "b", "a", "c", "d", "a", "c", "b", "d"];
    const folds = groupKFold(groups, 3);
    expectPartition(folds, 9);
    for (const { train, test } of folds) {
      const tested = new Set(Array.from(test, (row) => groups[row]));
      expect(Array.from(train).some((row) => tested.has(groups[row]))).toBe(false);
    }
    expect(folds.map(({ test }) => test.length).sort()).toEqual([2, 3, 4]);
  });

  it("timeSeriesSplit trains on the past only, less the gap", () => {
    expect(timeSeriesSplit(6, 3).map(({ train, test }) => [[...train], [...test]])).toEqual([
      [[0, 1, 2], [3]],
      [[0, 1, 2, 3], [4]],
      [[0, 1, 2, 3, 4], [5]],
    ]);
    expect(timeSeriesSplit(10, 2, { testSize: 3, gap: 2 }).map(({ train, test }) => [[...train], [...test]])).toEqual([
      [
        [0, 1],
        [4, 5, 6],
      ],
      [
        [0, 1, 2, 3, 4],
        [7, 8, 9],
      ],
    ]);
  });

  it("leaveOneOut tests every row once", () => {
    expectPartition([...leaveOneOut(5)], 5);
  });

  it("refuse fold numbers that cannot be", () => {
    const y = [0, 0, 0, 1];
    for (const run of [
      () => kFold(3, 4),
      () => kFold(3, 1),
      () => kFold(3, 1.5),
      () => stratifiedKFold(y, 4),
      () => stratifiedKFold([], 2),
      () => groupKFold(["a", "a"], 2),
      () => timeSeriesSplit(4, 3, { gap: 1 }),
      () => timeSeriesSplit(3, 3),
      () => repeatedStratifiedKFold(y, 2, { repeats: 0 }),
      () => [...leaveOneOut(1)],
    ]) {
      expect(run).toThrow(TilegradError);
    }
  });
});

interface OracleFold {
  test_size: number;
  test_class_counts: number[];
}

interface SamplingOracle {
  stratified_kfold: { id: string; k: number; y: { data: number[] }; sklearn_folds: OracleFold[] }[];
  stratified_split: {
    id: string;
    y: { data: number[] };
    test_fraction: number;
    test_size_in: number[];
    test_class_counts_within_1_of: number[];
  }[];
}

describe("scikit-learn", () => {
  const sampling = readOracle<SamplingOracle>("sampling")!;

  it("has the same fold sizes per class", () => {
    for (const { k, y, sklearn_folds } of sampling.stratified_kfold) {
      const names = [...new Set(y.data)].sort((a, b) => a - b);
      const sizes = stratifiedKFold(y.data, k).map(({ test }) => ({
        test_size: test.length,
        test_class_counts: classCounts(y.data, test, names),
      }));
      const order = (folds: OracleFold[]) => folds.map((f) => [f.test_size, ...f.test_class_counts].join()).sort();
      expect(order(sizes)).toEqual(order(sklearn_folds));
      expectPartition(stratifiedKFold(y.data, k, { shuffle: true, seed: 1 }), y.data.length);
    }
  });

  it("has the same split sizes, and class counts within 1 of the shares", () => {
    for (const { y, test_fraction, test_size_in, test_class_counts_within_1_of } of sampling.stratified_split) {
      const fractions = { train: 1 - test_fraction, test: test_fraction };
      const { test } = stratifiedSplit(y.data, { fractions, seed: 1 });
      expect(test_size_in).toContain(test.length);
      const names = [...new Set(y.data)].sort((a, b) => a - b);
      classCounts(y.data, test, names).forEach((count, c) => {
        expect(Math.abs(count - test_class_counts_within_1_of[c])).toBeLessThanOrEqual(1);
      });
    }
  });
});
