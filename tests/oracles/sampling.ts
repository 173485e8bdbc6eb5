import { type Fold, stratifiedKFold, stratifiedSplit } from "../../src/data/splits.ts";
import type { Device } from "../../src/device.ts";
import { classWeightBalanced, classWeightToSampleWeight } from "../../src/metrics/weights.ts";
import type { CaseResult } from "./metrics.ts";
import type { SmoteCase } from "./smote.ts";
import { checkSmote } from "./smote.ts";

/** A case that nothing here checks yet. */
export interface Unsupported {
  readonly id: string;
  readonly unsupported: true;
}

interface ClassWeights {
  id?: string;
  y: { data: number[] };
  classes: number[];
  balanced: number[];
  sample_weight: number[];
}

interface KFoldCase {
  k: number;
  y: { data: number[] };
  each_class_count_in: [low: number, high: number][];
  each_test_size_in: [low: number, high: number];
}

interface SplitCase {
  y: { data: number[] };
  test_fraction: number;
  test_size_in: number[];
  test_class_counts_within_1_of: number[];
}

type Result = Omit<CaseResult, "id">;
type Check = (one: never, tolerance: Tolerance, device: Device) => Result | Promise<Result>;

interface Tolerance {
  weights: { rtol: number };
  distances: { rtol: number };
  on_segment: { atol: number };
}

const checks: Readonly<Record<string, Check>> = {
  stratified_kfold({ k, y, each_class_count_in, each_test_size_in }: KFoldCase) {
    for (const options of orders) {
      const folds = stratifiedKFold(y.data, k, options);
      if (folds.length !== k) return fails(`${folds.length} folds, want ${k}`);
      const tested = folds.flatMap(({ test }) => Array.from(test));
      if (!isEveryRow(tested, y.data.length)) return fails("the test parts do not partition the rows");
      for (const fold of folds) {
        if (!isPartition(fold, y.data.length)) return fails("a fold's train and test do not partition the rows");
        if (!within(fold.test.length, each_test_size_in)) return fails(`a test part of ${fold.test.length} rows`);
        const counts = classCounts(y.data, fold.test, each_class_count_in.length);
        const bad = counts.findIndex((count, label) => !within(count, each_class_count_in[label]));
        if (bad >= 0) return fails(`${counts[bad]} rows of class ${bad} in a test part`);
      }
    }
    return { ratio: 0 };
  },
  stratified_split({ y, test_fraction, test_size_in, test_class_counts_within_1_of }: SplitCase) {
    for (const seed of [0, 1, 2]) {
      const fractions = { train: 1 - test_fraction, test: test_fraction };
      const split = stratifiedSplit(y.data, { fractions, seed });
      if (!isPartition(split, y.data.length)) return fails("train and test do not partition the rows");
      if (!test_size_in.includes(split.test.length)) return fails(`a test part of ${split.test.length} rows`);
      const counts = classCounts(y.data, split.test, test_class_counts_within_1_of.length);
      const far = counts.findIndex((count, label) => Math.abs(count - test_class_counts_within_1_of[label]) > 1);
      if (far >= 0) return fails(`${counts[far]} rows of class ${far} in the test part`);
    }
    return { ratio: 0 };
  },
  class_weights({ y, classes, balanced, sample_weight }: ClassWeights, { weights: { rtol } }) {
    const got = classWeightBalanced(y.data);
    const rows = classWeightToSampleWeight(y.data, got);
    const pairs = [
      ...classes.map((label, j) => [got[label], balanced[j]]),
      ...sample_weight.map((want, i) => [rows[i], want]),
    ];
    const ratio = Math.max(...pairs.map(([value, want]) => Math.abs(value - want) / (rtol * Math.abs(want))));
    return ratio <= 1 ? { ratio } : { ratio, error: `balanced weights ${JSON.stringify(got)}, want ${balanced}` };
  },
  smote: (one: SmoteCase, { distances, on_segment }, device) =>
    checkSmote(device, one, distances.rtol, on_segment.atol),
};

const orders = [{}, ...[0, 1, 2].map((seed) => ({ shuffle: true, seed }))];

const fails = (error: string): Omit<CaseResult, "id"> => ({ ratio: Infinity, error });

const within = (value: number, [low, high]: readonly [number, number]): boolean => value >= low && value <= high;

const isEveryRow = (rows: readonly number[], n: number): boolean =>
  rows.length === n && new Set(rows).size === n && rows.every((row) => row >= 0 && row < n);

const isPartition = ({ train, test }: Fold, n: number): boolean => isEveryRow([...train, ...test], n);

function classCounts(y: readonly number[], rows: Uint32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const row of rows) counts[y[row]]++;
  return counts;
}

/** Checks every case of a file of the sampling family; neighbours are searched on the device. */
export async function runSampling(file: unknown, device: Device): Promise<(CaseResult | Unsupported)[]> {
  const { tolerance, ...lists } = file as { tolerance: Tolerance } & Record<string, unknown>;
  const results: (CaseResult | Unsupported)[] = [];
  for (const [name, list] of Object.entries(lists)) {
    if (!Array.isArray(list)) continue;
    for (const [i, one] of (list as { id?: string }[]).entries()) {
      const id = `${name}/${one.id ?? i}`;
      const check = checks[name];
      if (check === undefined) {
        results.push({ id, unsupported: true });
        continue;
      }
      try {
        results.push({ id, ...(await check(one as never, tolerance, device)) });
      } catch (error) {
        results.push({ id, ratio: Infinity, error: String(error) });
      }
    }
  }
  return results;
}
