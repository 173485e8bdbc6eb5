import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { columnStd } from "./columns.ts";
import { defineResampler } from "./define.ts";
import { segments } from "./interpolate.ts";
import type { FeatureRows } from "./neighbors.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { smoteOptions } from "./smote.ts";
import { append, checkNeighbors, rowsToAdd, take } from "./types.ts";

const smoteNCOptions = () => ({
  ...smoteOptions(),
  /** Columns that hold a category as a code, and groups of columns that hold one as a one-hot code. */
  categoricalFeatures: is.required(is.list as Kind<readonly (number | readonly number[])[]>),
});

export interface SmoteNCOptions extends OptionsOf<typeof smoteNCOptions> {}

/**
 * SMOTE for columns of both kinds: numbers are interpolated, a category is the one most frequent among the base's
 * `kNeighbors` neighbours (of equally frequent ones, the nearest). Two rows of different category are as far apart in it
 * as sqrt(1/2) of the median standard deviation of the rarer class's numbers, as in imbalanced-learn (Chawla et al. 2002
 * have the median itself).
 * @throws E_ARGUMENT for columns that are not there or all columns; E_DATA, E_ARGUMENT, E_SHAPE as `smote`
 */
export const smoteNC = /* @__PURE__ */ defineResampler(
  "smoteNC",
  smoteNCOptions,
  async (classes, options: SmoteNCOptions) => {
    const { device, kNeighbors: k = 5, seed = 0 } = options;
    const groups = checkGroups(options.categoricalFeatures, classes.columns);
    checkNeighbors("smoteNC", "kNeighbors", k, classes.minority.length);
    const count = rowsToAdd("smoteNC", classes, options);
    const rows = take(classes, classes.minority);
    const codes = groups.map((group) => codesOf(rows, group));
    const numeric = numericColumns(groups, classes.columns);
    const { indices } = await nearestNeighbors(device, encode(rows, numeric, codes), encode(rows, numeric, codes), k, {
      excludeSelf: true,
    });
    const segment = segments({ from: rows, neighbors: indices, k }, seed);
    const made = new Float32Array(count * rows.columns);
    for (let s = 0; s < count; s++) {
      const { base, neighbor, lambda } = segment(s);
      const out = made.subarray(s * rows.columns, (s + 1) * rows.columns);
      for (const c of numeric) {
        const a = rows.data[base * rows.columns + c];
        out[c] = a + lambda * (rows.data[neighbor * rows.columns + c] - a);
      }
      const around = indices.subarray(base * k, (base + 1) * k);
      groups.forEach((group, g) => {
        const chosen = mostFrequent(around, codes[g]);
        for (const c of group) out[c] = rows.data[chosen * rows.columns + c];
      });
    }
    return append(classes, made, count);
  },
);

/** @throws E_ARGUMENT for columns that are not there, twice, all, or none */
function checkGroups(features: SmoteNCOptions["categoricalFeatures"], columns: number): (readonly number[])[] {
  const groups = features.map((feature) => (typeof feature === "number" ? [feature] : feature));
  const all = groups.flat();
  const bad = all.find((c) => !Number.isInteger(c) || c < 0 || c >= columns);
  if (bad !== undefined) {
    throw new TilegradError("E_ARGUMENT", `smoteNC: got categorical column ${bad}; x has columns 0 to ${columns - 1}.`);
  }
  if (new Set(all).size < all.length) {
    throw new TilegradError("E_ARGUMENT", "smoteNC: a column is in categoricalFeatures twice.");
  }
  if (all.length === 0 || all.length === columns) {
    throw new TilegradError(
      "E_ARGUMENT",
      `smoteNC: ${all.length} of ${columns} columns are categorical; expected columns of both kinds.`,
      { hint: all.length === 0 ? "Use smote." : "Use randomOverSampler." },
    );
  }
  return groups;
}

const numericColumns = (groups: readonly (readonly number[])[], columns: number): number[] =>
  Array.from({ length: columns }, (_, c) => c).filter((c) => !groups.some((group) => group.includes(c)));

/** The category of each row in these columns, numbered as they come. */
function codesOf({ data, rows, columns }: FeatureRows, group: readonly number[]): Uint32Array {
  const known = new Map<string, number>();
  return Uint32Array.from({ length: rows }, (_, row) => {
    const key = group.map((c) => data[row * columns + c]).join();
    const code = known.get(key) ?? known.size;
    known.set(key, code);
    return code;
  });
}

/** Rows between which neighbours are searched: the numbers, and half the median deviation in a column per category. */
function encode(rows: FeatureRows, numeric: readonly number[], codes: readonly Uint32Array[]): FeatureRows {
  const std = Array.from(columnStd(rows))
    .filter((_, c) => numeric.includes(c))
    .sort((a, b) => a - b);
  const middle = std.length >> 1;
  const median = std.length % 2 === 1 ? std[middle] : (std[middle - 1] + std[middle]) / 2;
  const widths = codes.map((column) => column.reduce((most, code) => Math.max(most, code), 0) + 1);
  const columns = numeric.length + widths.reduce((a, b) => a + b, 0);
  const data = new Float32Array(rows.rows * columns);
  for (let row = 0; row < rows.rows; row++) {
    let at = row * columns;
    for (const c of numeric) data[at++] = rows.data[row * rows.columns + c];
    codes.forEach((column, g) => {
      data[at + column[row]] = median / 2;
      at += widths[g];
    });
  }
  return { data, rows: rows.rows, columns };
}

/** Of these rows, nearest first, the first of the most frequent category. */
function mostFrequent(rows: Uint32Array, codes: Uint32Array): number {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(codes[row], (counts.get(codes[row]) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return rows.find((row) => counts.get(codes[row]) === most) as number;
}
