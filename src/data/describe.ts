import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { rocAuc } from "../metrics/areas.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { stratifiedKFold } from "./splits.ts";
import { type CategoricalColumn, type Column, type NumericColumn, rowList, type Table } from "./table.ts";
import { type Target, targetOf } from "./target.ts";

export interface ColumnDescription {
  name: string;
  kind: Column["kind"] | "date";
  missing: number;
  /** Different values among the cells that are not missing. */
  distinct: number;
  /** Whether all cells are alike, missing ones included. */
  constant: boolean;
  /** Of numeric columns and dates (days since 1970-01-01) with any cell; `std` is the population's (divided by n). */
  range?: { min: number; max: number; mean: number; std: number };
  /** Of categorical columns: the most frequent levels, at most 5. */
  top?: { level: string; count: number }[];
  /** With a target: the ROC-AUC of this column alone, in [0.5, 1]: of numbers in their better direction, of categories out of fold. */
  auc?: number;
}

export interface TableDescription {
  rows: number;
  /** Without those whose cells were not kept. */
  columns: ColumnDescription[];
  /** Rows that equal an earlier row in every column; null (unknown) for tables on disk. */
  duplicates: number | null;
  /** Columns that alone give an AUC > 0.99: they may contain the answer. */
  leakSuspects: string[];
}

const LEAK_AUC = 0.99;
const TOP_LEVELS = 5;
/** A level is scored by its share of positives in the other folds: that in its own rows would fit them, if only by chance. */
const FOLDS = 5;
/** Where levels have fewer rows on average, other folds know too little of them. */
const ROWS_PER_LEVEL = 2;

const describeTableOptions = {
  /** Tells which columns predict it suspiciously well. */
  target: is.object as Kind<Target>,
  /** Default all. */
  rows: is.values,
};

export interface DescribeTableOptions extends OptionsOf<typeof describeTableOptions> {}

/**
 * What is in the given rows of a table: types, missing cells, ranges, cardinality, duplicates, and with a
 * `target` the columns that predict it suspiciously well. A missing number scores lowest; a category scores its share
 * of positives in other rows than those that are scored (the mean over 5 folds).
 * @throws E_DATA as `targetOf`.
 */
export function describeTable(table: Table, options: DescribeTableOptions = {}): TableDescription {
  checkOptions("describeTable", options, describeTableOptions);
  const rows = rowList(table, options.rows);
  const y = options.target && targetOf(options.target, table, rows);
  const kept = table.columns.filter((column) => column.kind === "numeric" || !column.left);
  const folds = y && foldsOf(y);
  const columns = kept.map((column) => {
    const description = describeColumn(column, rows);
    const auc = y && folds && column.name !== options.target?.name ? aucAlone(column, rows, y, folds) : null;
    return auc === null ? description : { ...description, auc };
  });
  const leakSuspects = columns.filter(({ auc = 0 }) => auc > LEAK_AUC).map(({ name }) => name);
  const duplicates = table.onDisk ? null : countDuplicates(table, rows);
  return { rows: rows.length, columns, duplicates, leakSuspects };
}

function describeColumn(column: Column, rows: Uint32Array): ColumnDescription {
  return column.kind === "numeric" ? describeNumbers(column, rows) : describeLevels(column, rows);
}

const isConstant = (distinct: number, missing: number): boolean => distinct + Math.min(missing, 1) <= 1;

/** Sorted, because a map of as many numbers as a table on disk may have would not fit into memory. */
function describeNumbers({ name, values, date }: NumericColumn, rows: Uint32Array): ColumnDescription {
  const sorted = Float64Array.from(rows, (row) => values[row] + 0).sort(); // -0 and 0 are the same number
  const firstMissing = sorted.findIndex(Number.isNaN); // NaN sorts last
  const present = firstMissing < 0 ? sorted : sorted.subarray(0, firstMissing);
  const missing = rows.length - present.length;
  let distinct = 0;
  for (let i = 0; i < present.length; i++) if (i === 0 || present[i] !== present[i - 1]) distinct++;
  const kind = date ? "date" : "numeric";
  const common = { name, kind, missing, distinct, constant: isConstant(distinct, missing) } as const;
  return present.length === 0 ? common : { ...common, range: rangeOf(present) };
}

function describeLevels({ name, kind, codes, levels }: CategoricalColumn, rows: Uint32Array): ColumnDescription {
  const counts = new Map<number, number>();
  let missing = 0;
  for (const row of rows) {
    if (codes[row] < 0) missing++;
    else counts.set(codes[row], (counts.get(codes[row]) ?? 0) + 1);
  }
  const common = { name, kind, missing, distinct: counts.size, constant: isConstant(counts.size, missing) };
  if (counts.size === 0) return common;
  const byFrequency = [...counts].sort(([a, m], [b, n]) => n - m || a - b).slice(0, TOP_LEVELS);
  return { ...common, top: byFrequency.map(([code, count]) => ({ level: levels[code], count })) };
}

/** Statistics of sorted values. */
function rangeOf(sorted: Float64Array): { min: number; max: number; mean: number; std: number } {
  const n = sorted.length;
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  return { min: sorted[0], max: sorted[n - 1], mean, std: Math.sqrt(squares / n) };
}

/** The AUC of the column alone; null where it says nothing. */
function aucAlone(column: Column, rows: Uint32Array, y: Float32Array, folds: readonly Uint32Array[]): number | null {
  if (column.kind === "categorical") return levelAuc(column, rows, y, folds);
  const auc = rocAuc(y, numericScores(column.values, rows));
  return auc === null ? null : Math.max(auc, 1 - auc);
}

function numericScores(values: Float64Array, rows: Uint32Array): Float64Array {
  return Float64Array.from(rows, (row) => (Number.isNaN(values[row]) ? -Number.MAX_VALUE : values[row]));
}

/** Places in `y`, in folds that each have a row of either class; none where that cannot be. */
function foldsOf(y: Float32Array): readonly Uint32Array[] {
  const positives = y.reduce((sum, label) => sum + label, 0);
  const k = Math.min(FOLDS, positives, y.length - positives);
  return k < 2 ? [] : stratifiedKFold(y, k, { shuffle: true }).map(({ test }) => test);
}

/** The mean over the folds of the AUC within each, its levels scored by their share of positives in the others. */
function levelAuc(
  { codes }: CategoricalColumn,
  rows: Uint32Array,
  y: Float32Array,
  folds: readonly Uint32Array[],
): number | null {
  const all = new Map<number, Count>();
  for (const [i, row] of rows.entries()) add(all, codes[row], y[i]);
  if (folds.length === 0 || all.size * ROWS_PER_LEVEL > rows.length) return null;
  const prevalence = y.reduce((sum, label) => sum + label, 0) / y.length;
  const aucs = folds.map((fold) => {
    const own = new Map<number, Count>();
    for (const i of fold) add(own, codes[rows[i]], y[i]);
    const scores = Float64Array.from(fold, (i) => {
      const [total, here] = [all, own].map((counts) => counts.get(codes[rows[i]]) as Count);
      // A level that the other folds lack says nothing.
      return (total.positives - here.positives + prevalence) / (total.rows - here.rows + 1);
    });
    return rocAuc(
      Float32Array.from(fold, (i) => y[i]),
      scores,
    );
  });
  return Math.max(0.5, aucs.reduce<number>((sum, auc) => sum + (auc ?? 0.5), 0) / folds.length);
}

interface Count {
  rows: number;
  positives: number;
}

function add(counts: Map<number, Count>, level: number, label: number): void {
  const count = counts.get(level) ?? { rows: 0, positives: 0 };
  counts.set(level, { rows: count.rows + 1, positives: count.positives + label });
}

/** Counts rows that equal an earlier one, found by a 53-bit hash and then compared cell by cell. */
function countDuplicates(table: Table, rows: Uint32Array): number {
  const hashes = hashRows(table, rows);
  const columns = table.columns.map((column) => (column.kind === "numeric" ? column.values : column.codes));
  const first = new Map<number, number>();
  let duplicates = 0;
  rows.forEach((row, i) => {
    const earlier = first.get(hashes[i]);
    if (earlier === undefined) first.set(hashes[i], row);
    else if (columns.every((cells) => Object.is(cells[row] + 0, cells[earlier] + 0))) duplicates++;
  });
  return duplicates;
}

/** One 53-bit hash per row, f64 [rows]: two 32-bit multiplicative hashes over the bits of all its cells. */
function hashRows(table: Table, rows: Uint32Array): Float64Array {
  const high = new Uint32Array(rows.length).fill(0x811c9dc5);
  const low = new Uint32Array(rows.length).fill(0x9747b28c);
  const cell = new Float64Array(1);
  const bits = new Uint32Array(cell.buffer);
  for (const column of table.columns) {
    const cells = column.kind === "numeric" ? column.values : column.codes;
    for (let i = 0; i < rows.length; i++) {
      cell[0] = cells[rows[i]] + 0; // -0 and 0 are the same number
      for (const word of bits) {
        high[i] = mix(high[i] ^ word, 0x85ebca6b);
        low[i] = mix(low[i] ^ word, 0xc2b2ae35);
      }
    }
  }
  return Float64Array.from(rows, (_, i) => (high[i] & 0x1fffff) * 2 ** 32 + low[i]);
}

function mix(word: number, factor: number): number {
  const product = Math.imul(word, factor);
  return Math.imul(product ^ (product >>> 15), 0x27d4eb2f);
}
