/**
 * A table whose rows follow each other in time, as windows: each is `length` rows, named by its last row t, and its label
 * lies `horizon` rows after t. Nothing after t is ever part of a window.
 */

import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue, show } from "../options.ts";
import type { Floats } from "../values.ts";
import type { Column, Table } from "./table.ts";
import { checkTable, columnOf, isMissing } from "./table.ts";

export const WINDOWING = {
  /** Rows of a window, at least 1. */
  length: is.required(is.positiveInteger),
  /** Rows from a window's last row to its label. */
  horizon: is.required(is.number),
};

export interface Windowing extends OptionsOf<typeof WINDOWING> {}

const SHARES = {
  /** Of the windows before the test's. */
  validation: is.required(is.fraction),
  /** Of all windows. */
  test: is.required(is.fraction),
};

export interface WindowShares extends OptionsOf<typeof SHARES> {}

/** The column of a target up(column), else null. */
export const risingColumn = (target: string): string | null => /^up\((.+)\)$/.exec(target)?.[1] ?? null;

/** The labels of up(column). */
export const UP = ["up", "not up"] as const;

/**
 * The table with, in each row t, the label of the window that ends there. The target up(column) becomes a new column of
 * that name: "up" where column[t + horizon] > column[t], else "not up". Any other target is a column that is shifted:
 * row t holds the label of row t + horizon. Labels that lie beyond the end, or follow from a missing cell, are missing.
 * @throws E_DATA for a column that is not there, and up() of texts; E_ARGUMENT for a horizon that is no whole number >= 0,
 *   or 0 with up()
 */
export function labelWindows(table: Table, target: string, horizon: number): Table {
  const rising = risingColumn(target);
  const least = rising === null ? 0 : 1;
  if (!Number.isInteger(horizon) || horizon < least) {
    throw new TilegradError("E_ARGUMENT", `horizon: got ${horizon}; expected a whole number >= ${least}.`, {
      hint: "A window's label lies so many rows after its last row; up() compares two rows, so it needs 1 or more.",
    });
  }
  if (rising === null) {
    const shifted = shift(columnOf(table, target), horizon);
    return { ...table, columns: table.columns.map((column) => (column.name === target ? shifted : column)) };
  }
  const column = columnOf(table, rising);
  if (column.kind !== "numeric") {
    throw new TilegradError("E_DATA", `${table.name}: ${target} is of the column ${JSON.stringify(rising)} of texts.`, {
      hint: "Name a column of numbers.",
    });
  }
  const { values } = column;
  const codes = Int32Array.from(values, (now, t) => {
    const later = values[t + horizon] ?? Number.NaN;
    return Number.isNaN(now) || Number.isNaN(later) ? -1 : later > now ? 0 : 1;
  });
  return { ...table, columns: [...table.columns, { name: target, kind: "categorical", codes, levels: [...UP] }] };
}

function shift(column: Column, by: number): Column {
  if (column.kind === "numeric") {
    return { ...column, values: column.values.map((_, t) => column.values[t + by] ?? Number.NaN) };
  }
  return { ...column, codes: column.codes.map((_, t) => column.codes[t + by] ?? -1) };
}

/**
 * The last rows of all windows, ascending; with a target, of those that have a label there.
 * @throws E_ARGUMENT for a length that is no whole number >= 1; E_DATA when there is no window
 */
export function windowEnds(table: Table, length: number, target?: string): Uint32Array {
  if (!Number.isInteger(length) || length < 1) {
    throw new TilegradError("E_ARGUMENT", `window: got ${length} rows; expected a whole number >= 1.`);
  }
  checkTable(table);
  const label = target === undefined ? undefined : columnOf(table, target);
  const ends = Uint32Array.from({ length: Math.max(0, table.rows - length + 1) }, (_, i) => i + length - 1);
  const labelled = label ? ends.filter((row) => !isMissing(label, row)) : ends;
  if (labelled.length > 0) return labelled;
  const what = label ? "a window with a label" : "a window";
  throw new TilegradError("E_DATA", `${table.name}: got ${table.rows} rows; expected ${what} of ${length} rows.`, {
    hint: "Take shorter windows, a shorter horizon or more rows.",
  });
}

/**
 * Parts in the order of time: train, then validation, then test. Windows in between are left out, so that no row of a part,
 * nor the row of one of its labels, is in any window of a later part.
 * @param ends ascending last rows, as `windowEnds` gives them
 * @throws E_DATA when a part has no window left
 */
export function splitWindows(
  ends: Uint32Array,
  windowing: Windowing,
  shares: WindowShares,
): { train: Uint32Array; validation: Uint32Array; test: Uint32Array } {
  if (!(ends instanceof Uint32Array)) {
    throw new TilegradError("E_ARGUMENT", `splitWindows: got ends ${show(ends)}; expected what windowEnds gives.`);
  }
  checkOptions("splitWindows", windowing, WINDOWING);
  checkOptions("splitWindows", shares, SHARES);
  const { length, horizon } = windowing;
  const cut = (list: Uint32Array, share: number): [Uint32Array, Uint32Array] => {
    const size = share > 0 ? Math.max(1, Math.round(list.length * share)) : 0;
    const later = list.subarray(list.length - size);
    if (size === 0) return [list, later];
    // The later part's first window begins at later[0] - length + 1; labels before it are at most at its left.
    const before = list.filter((row) => row + horizon <= later[0] - length);
    if (before.length > 0) return [before, later];
    throw new TilegradError(
      "E_DATA",
      `got ${ends.length} windows of ${length} rows, horizon ${horizon}; none is left to train on before those that are kept.`,
      { hint: "Take shorter windows, smaller shares for validation and test, or more rows." },
    );
  };
  const [rest, test] = cut(ends, shares.test);
  const [train, validation] = cut(rest, shares.validation);
  return { train, validation, test };
}

/** Dickey & Fuller's 5 % point for a series with a mean, of many rows (Fuller 1976, table 8.5.2). */
const UNIT_ROOT = -2.86;

/**
 * Whether a series has a level that moves, as far as these values tell: the test of Dickey & Fuller (1979) does not reject that
 * it is a random walk. Later values then lie where no earlier one has been.
 */
export function isMoving(values: Float64Array): boolean {
  let [n, sumX, sumD, sumXX, sumXD, sumDD] = [0, 0, 0, 0, 0, 0];
  const first = values.find((value) => !Number.isNaN(value)) ?? 0;
  for (let t = 1; t < values.length; t++) {
    const [x, d] = [values[t - 1] - first, values[t] - values[t - 1]];
    if (Number.isNaN(d)) continue;
    n++;
    sumX += x;
    sumD += d;
    sumXX += x * x;
    sumXD += x * d;
    sumDD += d * d;
  }
  // d = a + b x + error; a walk has b = 0, and the further b is below it, the faster the series comes back to its mean.
  const [xx, xd, dd] = [sumXX - sumX ** 2 / n, sumXD - (sumX * sumD) / n, sumDD - sumD ** 2 / n];
  const slope = xd / xx;
  const error = Math.sqrt(Math.max(0, dd - slope * xd) / (n - 2) / xx);
  return !(slope / error < UNIT_ROOT);
}

/**
 * Scales some features of each window by its own rows, in place: mean 0, deviation 1. Nothing that comes after a window has a
 * part in it, and a level that training never saw looks as one that it did. NaN, a missing cell, becomes 0, the mean.
 * @param x [windows, length, features] @param columns places of these features
 */
export function scaleWindows(x: Float32Array, features: number, length: number, columns: readonly number[]): void {
  const width = length * features;
  for (let start = 0; start < x.length; start += width) {
    for (const column of columns) {
      const places = Array.from({ length }, (_, t) => start + t * features + column);
      const present = places.map((at) => x[at]).filter((value) => !Number.isNaN(value));
      const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
      const isConstant = present.every((value) => value === present[0]);
      const std = Math.sqrt(present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / present.length);
      for (const at of places) x[at] = Number.isNaN(x[at]) || isConstant ? 0 : (x[at] - mean) / std;
    }
  }
}

/** x [rows, features] -> [ends, length, features]: the rows up to each end, in their order. @throws E_ARGUMENT */
export function gatherWindows(x: Float32Array, features: number, length: number, ends: ArrayLike<number>): Floats {
  if (!(x instanceof Float32Array)) {
    throw new TilegradError("E_ARGUMENT", `gatherWindows: got x ${show(x)}; expected a Float32Array.`);
  }
  for (const [name, value] of Object.entries({ features, length }))
    checkValue("gatherWindows", name, value, is.positiveInteger);
  checkValue("gatherWindows", "ends", ends, is.values);
  const width = length * features;
  const windows = new Float32Array(ends.length * width);
  for (let i = 0; i < ends.length; i++) {
    const last = (ends[i] + 1) * features;
    windows.set(x.subarray(last - width, last), i * width);
  }
  return windows;
}
