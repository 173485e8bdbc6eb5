/** What augmentation is made of: layers that change their input in training, and the ranges that they draw from. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { add, mul } from "../ops/core/elementwise.ts";
import type { RandomOptions } from "../ops/random/random.ts";
import { randomUniform } from "../ops/random/random.ts";
import { show } from "../options.ts";
import type { Layer } from "./layer.ts";
import { expectRank } from "./rank.ts";

/** Sequences (of rank 3) or images (4) that are changed in training, and left alone otherwise. */
export const inTraining =
  (type: string, rank: 3 | 4, change: Layer["call"]): Layer["call"] =>
  (x, context) => {
    expectRank(type, x, rank);
    return context.training ? change(x, context) : x;
  };

/** Lower and upper end. */
export type Range = readonly [number, number];

/** Looked at by `rangeOf`. */
export const rangeKind: Kind<number | Range> = is.numbers;

/**
 * A number f is [-f, f].
 * @param least what the lower end may not go below
 * @throws E_ARGUMENT
 */
export function rangeOf(type: string, option: string, value: number | Range, least = Number.NEGATIVE_INFINITY): Range {
  const [low, high, ...more] = typeof value === "number" ? [-value, value] : value;
  if (low <= high && low >= least && Number.isFinite(high - low) && more.length === 0) return [low, high];
  const limit = least === Number.NEGATIVE_INFINITY ? "" : `, from ${least} on`;
  throw new TilegradError(
    "E_ARGUMENT",
    `${type}: got ${option} ${show(value)}; expected a number or [low, high]${limit}.`,
  );
}

/** Uniform in a range. */
export function between(shape: readonly number[], [low, high]: Range, options: RandomOptions): Tensor {
  const drawn = randomUniform(shape, options);
  return low === 0 && high === 1 ? drawn : add(mul(drawn, high - low), low);
}
