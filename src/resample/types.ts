/** What every method of resampling takes and gives. */
import { TilegradError } from "../errors.ts";
import { checkObject } from "../options.ts";
import type { Floats, NumberList, Numeric } from "../values.ts";
import { floatsOf, numbersOf } from "../values.ts";
import type { FeatureRows } from "./neighbors.ts";

/** Labelled rows. */
export interface Labelled<X extends Numeric = Float32Array, Y extends Numeric = NumberList> {
  /** [rows, columns], row-major, finite. */
  readonly x: X;
  /** 0 or 1, [rows]. */
  readonly y: Y;
}

/** Labelled rows as callers have them. */
export type NumericRows = Labelled<Numeric, Numeric>;

/** Rows to train on. */
export interface Resampled {
  /** f32 [rows, columns]. */
  readonly x: Floats;
  /** 0 or 1, [rows]. */
  readonly y: Floats;
  /** The given row that each row is, or -1 for one that was made. Given rows come first, in their order. */
  readonly source: Int32Array;
}

/** Checked rows, and which are of the rarer class (of equal classes: the positives). */
export interface Classes extends FeatureRows {
  readonly y: Floats;
  /** Label of the rarer class. */
  readonly rare: 0 | 1;
  readonly minority: Uint32Array;
  readonly majority: Uint32Array;
}

/** @throws E_DATA for labels other than 0 and 1, a class without rows, and values that are not finite; E_SHAPE */
export function classesOf(method: string, data: NumericRows): Classes {
  checkObject(method, data, "{ x, y }");
  const x = floatsOf(method, "x", data.x);
  const y = numbersOf(method, "y", data.y);
  const rows = y.length;
  const columns = x.length / rows;
  if (rows === 0 || !Number.isInteger(columns) || columns === 0) {
    throw new TilegradError(
      "E_SHAPE",
      `${method}: x has ${x.length} values for ${rows} labels; expected rows * columns.`,
    );
  }
  const bad = x.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new TilegradError(
      "E_DATA",
      `${method}: row ${Math.floor(bad / columns)}, column ${bad % columns} is ${x[bad]}; expected a finite number.`,
      { hint: "Fill missing values in first; a fitted preprocessor does." },
    );
  }
  const byLabel: [number[], number[]] = [[], []];
  for (let row = 0; row < rows; row++) {
    const label = y[row];
    if (label !== 0 && label !== 1) {
      throw new TilegradError("E_DATA", `${method}: the label of row ${row} is ${label}; expected 0 or 1.`);
    }
    byLabel[label].push(row);
  }
  const rare = byLabel[0].length < byLabel[1].length ? 0 : 1;
  const minority = Uint32Array.from(byLabel[rare]);
  const majority = Uint32Array.from(byLabel[1 - rare]);
  if (minority.length === 0) {
    throw new TilegradError("E_DATA", `${method}: all ${rows} rows have the label ${1 - rare}; expected two classes.`, {
      hint: "Resample training rows that hold both classes.",
    });
  }
  return { data: x, rows, columns, y: Float32Array.from(y), rare, minority, majority };
}

/** The given rows of a matrix. */
export function take({ data, columns }: FeatureRows, rows: ArrayLike<number>): FeatureRows & { data: Floats } {
  const taken = new Float32Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    taken.set(data.subarray(rows[i] * columns, (rows[i] + 1) * columns), i * columns);
  }
  return { data: taken, rows: rows.length, columns };
}

/** Only these rows. */
export function keep(classes: Classes, rows: ArrayLike<number>): Resampled {
  return {
    x: take(classes, rows).data,
    y: Float32Array.from(rows, (row) => classes.y[row]),
    source: Int32Array.from(rows),
  };
}

/** All rows, and made ones of the rarer class behind them. `source`: rows that are repeated rather than made. */
export function append(
  { data, rows, y, rare }: Classes,
  made: Float32Array,
  count: number,
  source?: Int32Array,
): Resampled {
  const x = new Float32Array(data.length + made.length);
  x.set(data);
  x.set(made, data.length);
  const labels = new Float32Array(rows + count).fill(rare);
  labels.set(y);
  const from = new Int32Array(rows + count).fill(-1);
  for (let row = 0; row < rows; row++) from[row] = row;
  if (source) from.set(source, rows);
  return { x, y: labels, source: from };
}

const percent = (ratio: number): string => ratio.toPrecision(3);

/** @throws E_DATA when the rows are closer to balance already */
function checkRatio(method: string, ratio: number, { minority, majority }: Classes): void {
  const now = minority.length / majority.length;
  if (ratio >= now) return;
  throw new TilegradError(
    "E_DATA",
    `${method}: got samplingStrategy ${ratio}; the rows have ${minority.length} to ${majority.length} (${percent(now)}) already.`,
    { hint: `Ask for a ratio from ${percent(now)} to 1, or leave resampling out.` },
  );
}

/** Rows of the rarer class that over-sampling adds. */
export function rowsToAdd(
  method: string,
  classes: Classes,
  { samplingStrategy = 1 }: { readonly samplingStrategy?: number },
): number {
  checkRatio(method, samplingStrategy, classes);
  return Math.max(0, Math.floor(samplingStrategy * classes.majority.length - classes.minority.length + 1e-9));
}

/** Rows of the other class that under-sampling keeps. */
export function rowsToKeep(
  method: string,
  classes: Classes,
  { samplingStrategy = 1 }: { readonly samplingStrategy?: number },
): number {
  checkRatio(method, samplingStrategy, classes);
  return Math.min(classes.majority.length, Math.floor(classes.minority.length / samplingStrategy + 1e-9));
}

/**
 * @param rows rows that neighbours are looked for among; a row is not its own neighbour
 * @throws E_DATA when there are too few rows
 */
export function checkNeighbors(
  method: string,
  option: string,
  k: number,
  rows: number,
  { what = "of the rarer class", self = true }: { readonly what?: string; readonly self?: boolean } = {},
): void {
  const needed = self ? k + 1 : k;
  if (rows >= needed) return;
  const most = rows - (needed - k);
  const count = `${rows} ${rows === 1 ? "row" : "rows"} ${what}`;
  throw new TilegradError("E_DATA", `${method}: got ${count}; ${option} ${k} needs at least ${needed}.`, {
    hint: `${most > 0 ? `Set ${option} to ${most} or less, use` : "Use"} randomOverSampler, or bring more rows.`,
  });
}

/** Random streams of resampling; the first is the row a sample is made from, and so on. */
export const RESAMPLE_STREAM = {
  base: 0x5a3e_0000,
  neighbor: 0x5a3e_0001,
  lambda: 0x5a3e_0002,
  noise: 0x5a3e_0003,
  cluster: 0x5a3e_0004,
};
