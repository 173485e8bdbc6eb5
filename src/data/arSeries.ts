import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { draws, shuffle } from "../random.ts";
import { check, type Generated } from "./generators.ts";

const arSeriesOptions = {
  /** Series; default 200. */
  rows: is.number,
  /** Steps of each; default 64. */
  length: is.number,
  /** For each class the weights of the last values, the latest first; default [[0.7], [-0.7]]. */
  coefficients: is.list as Kind<readonly (readonly number[])[]>,
  /** Standard deviation of the normal innovations, > 0; default 1. */
  noise: is.number,
  /** Any safe integer; default 0. */
  seed: is.number,
};

export interface ArSeriesOptions extends OptionsOf<typeof arSeriesOptions> {}

const STREAM = { innovation: 0x6e06, order: 0x6e07 } as const;
/** Steps before the first one that is kept, in which the start at 0 is forgotten. */
const WARM_UP = 200;
/** Innovations are normal: a stationary series stays far below this many deviations. */
const EXPLODED = 1e4;

/**
 * Autoregressive series, a class for each list of coefficients: v(t) = sum_i c_i v(t - i) + innovation. x is
 * [rows, length], the classes in random order.
 * @throws E_ARGUMENT for bad options, and for coefficients whose series is not stationary
 */
export function arSeries(options: ArSeriesOptions = {}): Generated {
  checkOptions("arSeries", options, arSeriesOptions);
  const { rows = 200, length = 64, coefficients = [[0.7], [-0.7]], noise = 1, seed = 0 } = options;
  check("rows", rows, Number.isInteger(rows) && rows >= 1, "a whole number of at least 1");
  check("length", length, Number.isInteger(length) && length >= 1, "a whole number of at least 1");
  check("noise", noise, noise > 0 && Number.isFinite(noise), "a positive number");
  const finite =
    coefficients.length > 0 && coefficients.every((list) => Array.isArray(list) && list.every(Number.isFinite));
  check("coefficients", JSON.stringify(coefficients), finite, "a list of numbers for each class");
  const x = new Float32Array(rows * length);
  const y = new Float32Array(rows);
  shuffle(rows, seed, STREAM.order, 0).forEach((place, row) => {
    y[row] = place % coefficients.length;
    const weights = coefficients[y[row]];
    const innovation = draws(seed, STREAM.innovation, row);
    const values: number[] = [];
    for (let t = 0; t < WARM_UP + length; t++) {
      const value = weights.reduce((sum, c, i) => sum + c * (values[t - 1 - i] ?? 0), noise * innovation.normal(t));
      if (!(Math.abs(value) < EXPLODED * noise)) throw notStationary(weights);
      values.push(value);
    }
    x.set(values.slice(WARM_UP), row * length);
  });
  return { x, y, rows, columns: length };
}

const notStationary = (weights: readonly number[]): TilegradError =>
  new TilegradError("E_ARGUMENT", `coefficients: got ${weights.join(", ")}, whose series grows without bound.`, {
    hint: "Keep the sum of their absolute values below 1.",
  });
