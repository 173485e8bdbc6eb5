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
    const counts = adasynCounts(await othersAmong(classes, k, device), k, wanted);
    const rows = take(classes, classes.minority);
    const { indices } = await nearestNeighbors(device, rows, rows, k, { excludeSelf: true });
    const bases = counts.flatMap((count, row) => new Array<number>(count).fill(row));
    const made = interpolate({ from: rows, to: rows, neighbors: indices, k, bases }, bases.length, seed);
    return append(classes, made, bases.length);
  },
);

/**
 * Samples of each row, of `wanted` in all but for rounding; `others`: neighbours of the other class of each, of k. In the order
 * of imbalanced-learn 0.10, operation by operation, because a share of half a sample is rounded either way. @throws E_DATA
 */
export function adasynCounts(others: ArrayLike<number>, k: number, wanted: number): number[] {
  const shares = Float64Array.from(others, (c) => c / k);
  const total = pairwiseSum(shares);
  if (total === 0) {
    throw new TilegradError("E_DATA", "adasyn: no row of the rarer class has a neighbour of the other class.", {
      hint: "The classes lie apart: use smote, or leave resampling out.",
    });
  }
  return Array.from(shares, (share) => roundHalfEven((share / total) * wanted));
}

/** NumPy's sum: by halves down to 128 values, which eight accumulators take in turn. */
function pairwiseSum(values: Float64Array): number {
  const { length } = values;
  if (length < 8) return values.reduce((sum, v) => sum + v, 0);
  if (length > 128) {
    const half = Math.floor(length / 2);
    const middle = half - (half % 8);
    return pairwiseSum(values.subarray(0, middle)) + pairwiseSum(values.subarray(middle));
  }
  const whole = length - (length % 8);
  const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, lane) => {
    let sum = values[lane];
    for (let i = lane + 8; i < whole; i += 8) sum += values[i];
    return sum;
  });
  return values.subarray(whole).reduce((sum, v) => sum + v, a + b + (c + d) + (e + f + (g + h)));
}

function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
