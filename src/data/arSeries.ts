import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, show } from "../options.ts";
import { draws, shuffle } from "../random.ts";
import type { Generated } from "./generators.ts";

const arSeriesOptions = {
  /** Series; default 200. */
  rows: is.positiveInteger,
  /** Steps of each; default 64. */
  length: is.positiveInteger,
  /** For each class the weights of the last values, the latest first; default [[0.7], [-0.7]]. */
  coefficients: is.list as Kind<readonly (readonly number[])[]>,
  /** Standard deviation of the normal innovations; default 1. */
  noise: is.positiveFinite,
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
  const {
    rows = 200,
    length = 64,
    coefficients = [[0.7], [-0.7]],
    noise = 1,
    seed = 0,
  } = checkOptions("arSeries", options, arSeriesOptions);
  const finite =
    coefficients.length > 0 && coefficients.every((list) => Array.isArray(list) && list.every(Number.isFinite));
  if (!finite) {
    const got = show(coefficients);
    throw new TilegradError("E_ARGUMENT", `arSeries: got coefficients ${got}; expected a list of numbers a class.`);
  }
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
