import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { shuffle, shuffleInPlace } from "../random.ts";

/** Row numbers (0-based, ascending) of one split. */
export interface Fold {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

export interface Parts {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

const shuffleOptions = {
  /** Default false: rows are dealt out in their own order. */
  shuffle: is.boolean,
  /** Any safe integer; only used with `shuffle`. Default 0. */
  seed: is.number,
};

export interface ShuffleOptions extends OptionsOf<typeof shuffleOptions> {}

const fractionOptions = {
  train: is.required(is.share),
  /** Default 0. */
  validation: is.share,
  /** Default 0. */
  test: is.share,
};

const stratifiedSplitOptions = {
  /** They sum to 1; one of 0 gives an empty part. */
  fractions: is.required(is.object as Kind<OptionsOf<typeof fractionOptions>>),
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface StratifiedSplitOptions extends OptionsOf<typeof stratifiedSplitOptions> {}

const repeatOptions = {
  /** How many times all rows are split. */
  repeats: is.required(is.positiveInteger),
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface RepeatOptions extends OptionsOf<typeof repeatOptions> {}

const timeSeriesOptions = {
  /** Default floor(n / (k + 1)). */
  testSize: is.positiveInteger,
  /** Rows between those to train on and those to test on; default 0. */
  gap: is.integerFrom(0),
};

export interface TimeSeriesSplitOptions extends OptionsOf<typeof timeSeriesOptions> {}

/** Random streams of this file; the step is the class, or the repeat. */
const SPLIT_STREAM = 0x5911;
const FOLD_STREAM = 0xf01d;

/**
 * Splits rows into three parts with the classes' shares in each: test and validation have ceil(fraction * n) rows (as
 * scikit-learn's train_test_split), each class's count is within 1 of its share, and at least 1.
 * @param y labels [n], any numbers.
 * @throws E_ARGUMENT for bad fractions; E_DATA when a class has fewer rows than parts, or a part than classes.
 */
export function stratifiedSplit(y: ArrayLike<number>, options: StratifiedSplitOptions): Parts {
  checkValue("stratifiedSplit", "y", y, is.values);
  const { fractions: given, seed = 0 } = checkOptions("stratifiedSplit", options, stratifiedSplitOptions);
  const { train, validation = 0, test = 0 } = checkOptions("fractions", given, fractionOptions);
  const fractions = [train, validation, test];
  if (Math.abs(train + validation + test - 1) > 1e-6 || train === 0) {
    throw new TilegradError("E_ARGUMENT", `fractions: got ${fractions.join(", ")}; expected shares that sum to 1.`, {
      hint: "For example { train: 0.7, validation: 0.15, test: 0.15 }.",
    });
  }
  const classes = [...rowsByClass(y)];
  const parts = fractions.filter((f) => f > 0).length;
  for (const [label, rows] of classes) {
    if (rows.length >= parts) continue;
    const got = `class ${label} has ${rows.length} row${rows.length === 1 ? "" : "s"}`;
    throw new TilegradError("E_DATA", `stratified split: ${got}; expected at least ${parts}, one for each part.`, {
      hint: "Bring more rows of this class, or split into fewer parts.",
    });
  }
  const pools = classes.map(([, rows], i) => shuffleInPlace(rows, seed, SPLIT_STREAM, i));
  const take = (fraction: number, partsAfter: number): Uint32Array => {
    if (fraction === 0) return new Uint32Array(0);
    const size = Math.ceil(fraction * y.length - 1e-9); // 0.07 * 100 is 7.000000000000001
    if (size < pools.length) {
      const got = `a part of ${fraction} of ${y.length} rows is ${size}, with ${pools.length} classes`;
      throw new TilegradError("E_DATA", `stratified split: ${got}; expected at least one row of each class.`, {
        hint: "Bring more rows, or make the part larger.",
      });
    }
    const available = pools.map((pool) => pool.length);
    const counts = apportion(available, size, partsAfter);
    const taken = counts.map((count, i) => {
      const rows = pools[i].subarray(0, count);
      pools[i] = pools[i].subarray(count);
      return rows;
    });
    return ascending(taken);
  };
  const testRows = take(test, parts - 1);
  const validationRows = take(validation, 1);
  return { train: ascending(pools), validation: validationRows, test: testRows };
}

/**
 * k folds with the classes' shares in each test part: scikit-learn's StratifiedKFold sizes (rows sorted by class are
 * dealt out in turn, so test parts differ by at most 1 row, in all and per class).
 * @throws E_ARGUMENT unless 2 <= k <= the size of the largest class.
 */
export function stratifiedKFold(y: ArrayLike<number>, k: number, options: ShuffleOptions = {}): Fold[] {
  checkValue("stratifiedKFold", "y", y, is.values);
  return stratifiedFolds(y, k, checkOptions("stratifiedKFold", options, shuffleOptions), 0);
}

/** `repeats` shuffled stratified k-folds one after the other, each in another order. @throws as `stratifiedKFold`. */
export function repeatedStratifiedKFold(y: ArrayLike<number>, k: number, options: RepeatOptions): Fold[] {
  checkValue("repeatedStratifiedKFold", "y", y, is.values);
  const { repeats, seed } = checkOptions("repeatedStratifiedKFold", options, repeatOptions);
  return Array.from({ length: repeats }, (_, i) => stratifiedFolds(y, k, { shuffle: true, seed }, i)).flat();
}

/** k folds of n rows, the first n mod k one row larger. @throws E_ARGUMENT unless 2 <= k <= n. */
export function kFold(n: number, k: number, options: ShuffleOptions = {}): Fold[] {
  const { shuffle: shuffled, seed = 0 } = checkOptions("kFold", options, shuffleOptions);
  checkFolds(k, n, `rows (${n})`);
  const order = shuffled ? shuffle(n, seed, FOLD_STREAM, 0) : null;
  const foldOf = new Uint32Array(n);
  const small = Math.floor(n / k);
  const inLarge = (n % k) * (small + 1);
  for (let i = 0; i < n; i++) {
    foldOf[order ? order[i] : i] =
      i < inLarge ? Math.floor(i / (small + 1)) : (n % k) + Math.floor((i - inLarge) / small);
  }
  return foldsFrom(foldOf, k);
}

/**
 * k folds in which all rows of a group are on the same side; groups go, largest first, to the smallest fold so far.
 * @param groups the group of each row [n].
 * @throws E_ARGUMENT unless 2 <= k <= the number of groups.
 */
export function groupKFold(groups: ArrayLike<number | string>, k: number): Fold[] {
  checkValue("groupKFold", "groups", groups, is.values);
  const sizes = new Map<number | string, number>();
  for (let i = 0; i < groups.length; i++) sizes.set(groups[i], (sizes.get(groups[i]) ?? 0) + 1);
  checkFolds(k, sizes.size, `groups (${sizes.size})`);
  const filled = new Array<number>(k).fill(0);
  const foldOfGroup = new Map<number | string, number>();
  for (const [group, size] of [...sizes].sort(([, a], [, b]) => b - a)) {
    const smallest = filled.indexOf(Math.min(...filled));
    filled[smallest] += size;
    foldOfGroup.set(group, smallest);
  }
  return foldsFrom(
    Uint32Array.from({ length: groups.length }, (_, i) => foldOfGroup.get(groups[i]) as number),
    k,
  );
}

/**
 * k splits of n rows in time order: the test parts are the last k blocks of `testSize` rows, each trained on all rows
 * before it but the last `gap` (scikit-learn's TimeSeriesSplit).
 * @throws E_ARGUMENT when k < 2 or no training row is left for the first split.
 */
export function timeSeriesSplit(n: number, k: number, options: TimeSeriesSplitOptions = {}): Fold[] {
  const { testSize = Math.floor(n / (k + 1)), gap = 0 } = checkOptions("timeSeriesSplit", options, timeSeriesOptions);
  checkFolds(k, n - 1, `rows - 1 (${n - 1})`);
  const first = n - k * testSize;
  if (first - gap < 1) {
    const got = `${n} rows, ${k} splits, testSize ${testSize}, gap ${gap}`;
    throw new TilegradError("E_ARGUMENT", `time series split: got ${got}; expected at least 1 row to train on.`, {
      hint: "rows must exceed splits * testSize + gap.",
    });
  }
  return Array.from({ length: k }, (_, i) => {
    const start = first + i * testSize;
    return { train: range(0, start - gap), test: range(start, start + testSize) };
  });
}

/** n folds of one test row each, made one at a time. @throws E_ARGUMENT when n < 2. */
export function* leaveOneOut(n: number): Generator<Fold, void, undefined> {
  checkFolds(n, n, `rows (${n})`);
  for (let row = 0; row < n; row++) {
    const train = range(0, n - 1);
    for (let i = row; i < n - 1; i++) train[i] = i + 1;
    yield { train, test: Uint32Array.of(row) };
  }
}

function stratifiedFolds(
  y: ArrayLike<number>,
  k: number,
  { shuffle: shuffled, seed = 0 }: ShuffleOptions,
  repeat: number,
): Fold[] {
  const classes = [...rowsByClass(y).values()];
  const largest = Math.max(0, ...classes.map((rows) => rows.length));
  checkFolds(k, largest, `the rows of the largest class (${largest})`);
  const foldOf = new Uint32Array(y.length);
  let dealt = 0;
  for (const [c, rows] of classes.entries()) {
    // Dealing rows sorted by class in turn says how many of this class each fold tests.
    const counts = new Uint32Array(k);
    for (let i = 0; i < rows.length; i++) counts[dealt++ % k]++;
    const order = shuffled ? shuffleInPlace(rows, seed, FOLD_STREAM + 1 + c, repeat) : rows;
    let next = 0;
    for (let fold = 0; fold < k; fold++) {
      for (let i = 0; i < counts[fold]; i++) foldOf[order[next++]] = fold;
    }
  }
  return foldsFrom(foldOf, k);
}

/** The rows of each label, ascending; labels in order of first appearance. */
function rowsByClass(y: ArrayLike<number>): Map<number, Uint32Array> {
  const lists = new Map<number, number[]>();
  for (let row = 0; row < y.length; row++) {
    const list = lists.get(y[row]);
    if (list) list.push(row);
    else lists.set(y[row], [row]);
  }
  return new Map([...lists].map(([label, rows]) => [label, Uint32Array.from(rows)]));
}

/**
 * Shares `size` seats among classes by their available rows: the whole part of each quota, then the largest remainders;
 * each class gets at least 1 seat and leaves at least `keep` rows.
 */
function apportion(available: readonly number[], size: number, keep: number): number[] {
  const total = available.reduce((sum, n) => sum + n, 0);
  const quotas = available.map((n) => (n * size) / total);
  const counts = quotas.map((quota, c) => Math.min(Math.max(1, Math.floor(quota)), available[c] - keep));
  const missing = () => size - counts.reduce((sum, n) => sum + n, 0);
  while (missing() !== 0) {
    const up = missing() > 0;
    let best = -1;
    for (let c = 0; c < counts.length; c++) {
      const allowed = up ? counts[c] < available[c] - keep : counts[c] > 1;
      const gain = up ? quotas[c] - counts[c] : counts[c] - quotas[c];
      const bestGain =
        best < 0 ? Number.NEGATIVE_INFINITY : up ? quotas[best] - counts[best] : counts[best] - quotas[best];
      if (allowed && gain > bestGain) best = c;
    }
    if (best < 0) break; // the parts after this one need the rest
    counts[best] += up ? 1 : -1;
  }
  return counts;
}

function foldsFrom(foldOf: Uint32Array, k: number): Fold[] {
  return Array.from({ length: k }, (_, fold) => {
    const all = range(0, foldOf.length);
    return { train: all.filter((row) => foldOf[row] !== fold), test: all.filter((row) => foldOf[row] === fold) };
  });
}

function ascending(lists: readonly Uint32Array[]): Uint32Array {
  const rows = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    rows.set(list, at);
    at += list.length;
  }
  return rows.sort();
}

function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - start }, (_, i) => start + i);
}

function checkFolds(k: number, most: number, what: string): void {
  if (Number.isInteger(k) && k >= 2 && k <= most) return;
  throw new TilegradError("E_ARGUMENT", `folds: got ${k}; expected a whole number from 2 to ${what}.`, {
    hint: "Use fewer folds, or bring more rows.",
  });
}
