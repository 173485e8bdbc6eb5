import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { othersAmong } from "./borderlineSmote.ts";
import { defineResampler, deviceOptions, randomOptions } from "./define.ts";
import { interpolate } from "./interpolate.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { append, checkNeighbors, rowsToAdd, take } from "./types.ts";

const adasynOptions = () => ({
  ...deviceOptions(),
  ...randomOptions(),
  /** Neighbours among all rows that tell how hard a row is, and among its class that it is joined with; default 5. */
  nNeighbors: is.positiveInteger,
});

export interface AdasynOptions extends OptionsOf<typeof adasynOptions> {}

/**
 * SMOTE with more samples where the other class is near: row i is the base of round(G r_i / sum r) of them, r_i being the
 * share of the other class among its `nNeighbors` nearest rows (He, Bai, Garcia & Li 2008). So their number is G, what
 * the ratio asks for, only about.
 * @throws E_DATA when no row of the rarer class has a neighbour of the other; E_DATA, E_ARGUMENT, E_SHAPE as `smote`
 */
export const adasyn = /* @__PURE__ */ defineResampler(
  "adasyn",
  adasynOptions,
  async (classes, options: AdasynOptions) => {
    const { device, nNeighbors: k = 5, seed = 0 } = options;
    checkNeighbors("adasyn", "nNeighbors", k, classes.minority.length);
    const wanted = rowsToAdd("adasyn", classes, options);
    const counts = adasynCounts(await othersAmong(classes, k, device), wanted);
    const rows = take(classes, classes.minority);
    const { indices } = await nearestNeighbors(device, rows, rows, k, { excludeSelf: true });
    const bases = counts.flatMap((count, row) => new Array<number>(count).fill(row));
    const made = interpolate({ from: rows, to: rows, neighbors: indices, k, bases }, bases.length, seed);
    return append(classes, made, bases.length);
  },
);

/** Samples of each row, of `wanted` in all but for rounding; `others`: neighbours of the other class of each. @throws E_DATA */
export function adasynCounts(others: ArrayLike<number>, wanted: number): number[] {
  const total = Array.from(others).reduce((sum, c) => sum + c, 0);
  if (total === 0) {
    throw new TilegradError("E_DATA", "adasyn: no row of the rarer class has a neighbour of the other class.", {
      hint: "The classes lie apart: use smote, or leave resampling out.",
    });
  }
  return Array.from(others, (c) => roundHalfEven((c / total) * wanted));
}

function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  // Half within rounding of the shares counts as half.
  if (Math.abs(value - low - 0.5) > 1e-9) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
