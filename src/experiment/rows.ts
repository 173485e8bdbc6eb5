/**
 * Rows have five forms on their way, each with one name:
 *
 *   Task      a table, what is to be predicted in it, and its rows that have an input and a label
 *   Split     numbers of rows of the task, by what they are for
 *   Labels    what is known of some rows beside their inputs
 *   Examples  labels with their inputs, in memory or wherever a store keeps them
 *   Prepared  the examples of a split, and the preprocessor that was fitted on those to train on
 */
import type { ImageSize } from "../data/pixels.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import type { Unseen } from "../data/transform.ts";
import type { Windowing } from "../data/windows.ts";
import { shuffleInPlace } from "../random.ts";
import type { Data } from "../train/data.ts";
import type { RowSource } from "../train/source.ts";

export interface Task {
  readonly table: Table;
  readonly target: Target;
  readonly image?: ImageSize;
  readonly window?: Windowing;
  /** Rows that have an input and a label, ascending; of a window its last. */
  readonly rows: Uint32Array;
}

export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
}

export interface Labels {
  /** [rows], 0 or 1. */
  readonly y: Float32Array;
  /** [rows], at least 0; where a column of weights was named. */
  readonly sampleWeight?: Float32Array;
  /** [rows], at least 0; where a column of amounts was named. */
  readonly amounts?: Float64Array;
}

export interface ExamplesInMemory extends Labels {
  /** [rows, inputs], row-major. */
  readonly x: Float32Array;
}

export interface StoredExamples extends Labels, RowSource {
  readonly fingerprint: string;
  read(start: number, count: number): Data | Promise<Data>;
}

export type Examples = ExamplesInMemory | StoredExamples;

export interface Prepared {
  readonly table: Table;
  readonly target: Target;
  readonly preprocessor: Preprocessor;
  readonly train: Examples;
  readonly validation: Examples | null;
  readonly test: Examples | null;
  /** Rows of the table that are for nothing. */
  readonly unused: number;
  /** Cells of the table that training had nothing like. */
  readonly unseen: Unseen;
  /** What else there is to say; `preparedWarnings` puts both together. */
  readonly warnings: readonly string[];
  /**
   * The rows that are not for testing in `k` folds, cut as all rows were. Each is prepared anew, when its turn comes, and
   * disposed of after it. @throws E_ARGUMENT for too many folds
   */
  folds(k: number): AsyncIterable<Prepared>;
}

/** Keeps the examples of tables that are on disk: files in Node. */
export interface ExampleStore {
  /** @param rows ascending @param name of the rows, for progress @throws E_FILE, E_DATA, E_ABORTED */
  keep(
    name: string,
    preprocessor: Preprocessor,
    table: Table,
    rows: Uint32Array,
    labels: Labels,
  ): Promise<{ readonly examples: StoredExamples; readonly warnings: readonly string[] }>;
  /** One beside it, for a fold. */
  another(): ExampleStore;
  dispose(): void;
}

/** The weights of rows that have any, as an option of the metrics. */
export const weightsOf = ({ sampleWeight }: Labels): { readonly sampleWeight?: Float32Array } =>
  sampleWeight ? { sampleWeight } : {};

/** The weights and amounts of rows that have any, as options of what chooses or shows thresholds. */
export const pricesOf = (rows: Labels): Pick<Labels, "sampleWeight" | "amounts"> => ({
  ...weightsOf(rows),
  ...(rows.amounts ? { amounts: rows.amounts } : {}),
});

/** What `predict` takes. */
export const inputsOf = (examples: Examples): Float32Array | RowSource => ("x" in examples ? examples.x : examples);

export const positivesIn = ({ y }: Labels): number => y.reduce((sum, label) => sum + label, 0);

const SAMPLE_STREAM = 0x5a_4d_50;

/** About `most` rows, with the classes' shares, in memory. @param inputs numbers of a row */
export async function sampleOf(
  examples: Examples,
  inputs: number,
  most: number,
  seed: number,
): Promise<ExamplesInMemory> {
  const { y, sampleWeight } = examples;
  if (y.length <= most) return "x" in examples ? examples : ((await examples.read(0, y.length)) as ExamplesInMemory);
  // At least one row of each class, however rare.
  const rows = [0, 1].flatMap((label) => {
    const all = Uint32Array.from(y.keys()).filter((row) => y[row] === label);
    return [...shuffleInPlace(all, seed, SAMPLE_STREAM, label).subarray(0, Math.ceil((all.length * most) / y.length))];
  });
  const picked = new Float32Array(rows.length * inputs);
  for (const [i, row] of rows.entries()) {
    const x = "x" in examples ? examples.x.subarray(row * inputs, (row + 1) * inputs) : (await examples.read(row, 1)).x;
    picked.set(x, i * inputs);
  }
  const pick = (all: Float32Array): Float32Array => Float32Array.from(rows, (row) => all[row]);
  return { x: picked, y: pick(y), ...(sampleWeight ? { sampleWeight: pick(sampleWeight) } : {}) };
}

/** Some examples after others, which are kept in the same way. */
export function joinedExamples(a: Examples, b: Examples): Examples {
  if ("x" in a && "x" in b) return { x: joined(a.x, b.x), ...joinedLabels(a, b) };
  const [first, second] = [a as StoredExamples, b as StoredExamples];
  const labels = joinedLabels(a, b);
  const { y, sampleWeight } = labels;
  return {
    rows: y.length,
    ...labels,
    fingerprint: `${first.fingerprint} ${second.fingerprint}`,
    async read(start, size) {
      const end = start + size;
      const parts = [
        ...(start < first.rows ? [await first.read(start, Math.min(end, first.rows) - start)] : []),
        ...(end > first.rows
          ? [await second.read(Math.max(0, start - first.rows), end - Math.max(start, first.rows))]
          : []),
      ];
      if (parts.length === 1) return parts[0];
      const weights = sampleWeight ? { sampleWeight: sampleWeight.subarray(start, end) } : {};
      return { x: joined(parts[0].x, parts[1].x), y: y.subarray(start, end), ...weights };
    },
  };
}

/** Those of some rows after those of others, which have the same kinds. */
export function joinedLabels(a: Labels, b: Labels): Labels {
  return {
    y: joined(a.y, b.y),
    ...(a.sampleWeight && b.sampleWeight ? { sampleWeight: joined(a.sampleWeight, b.sampleWeight) } : {}),
    ...(a.amounts && b.amounts
      ? { amounts: filled(new Float64Array(a.amounts.length + b.amounts.length), a.amounts, b.amounts) }
      : {}),
  };
}

/** One list after the other. */
export const joined = (a: ArrayLike<number>, b: ArrayLike<number>): Float32Array =>
  filled(new Float32Array(a.length + b.length), a, b);

function filled<T extends Float32Array | Float64Array>(both: T, a: ArrayLike<number>, b: ArrayLike<number>): T {
  both.set(a);
  both.set(b, a.length);
  return both;
}
