import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { checkScored, type Numeric } from "./check.ts";

/** Where the scores of each class lie: index 0 is label 0. Plain JSON. */
export interface ScoreDistribution {
  /** The bins span [low, high]: [0, 1], or the data where scores leave that, or from 0 on where they reach less than half. */
  readonly low: number;
  readonly high: number;
  /** Rows of each class in each bin of equal width. */
  readonly counts: readonly [readonly number[], readonly number[]];
  /** Per class the scores at which its cumulative share rises, ascending, and the share at or below each. */
  readonly cumulative: readonly [CumulativeShare, CumulativeShare];
}

export interface CumulativeShare {
  readonly score: readonly number[];
  readonly share: readonly number[];
}

/** Points of a cumulative distribution: as many as a plot can tell apart. */
const POINTS = 400;

/** 1, or the score itself beyond that; where scores are small, as when yes is rare, the next round number. */
export function upperEnd(most: number): number {
  if (most >= 0.5 || most <= 0) return Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find((step) => step * power >= most) ?? 10) * power;
}

const scoreDistributionOptions = {
  /** Of the histogram; default 40. */
  bins: is.positiveInteger,
};

export interface ScoreDistributionOptions extends OptionsOf<typeof scoreDistributionOptions> {}

/**
 * Histogram and cumulative distribution of the scores by class.
 *
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @throws `E_DATA` on bad rows
 */
export function scoreDistribution(
  labels: Numeric,
  given: Numeric,
  options: ScoreDistributionOptions = {},
): ScoreDistribution {
  const { bins = 40 } = checkOptions("scoreDistribution", options, scoreDistributionOptions);
  const { y, scores } = checkScored("scoreDistribution", labels, given);
  let low = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    low = Math.min(low, scores[i]);
    most = Math.max(most, scores[i]);
  }
  const high = upperEnd(most);
  const ofClass = (label: number): Float64Array =>
    Float64Array.from(scores)
      .filter((_, i) => y[i] === label)
      .sort();
  const classes = [ofClass(0), ofClass(1)] as const;
  const counts = classes.map((sorted) => {
    const count = new Array<number>(bins).fill(0);
    for (const score of sorted) count[Math.min(bins - 1, Math.floor(((score - low) / (high - low)) * bins))]++;
    return count;
  }) as [number[], number[]];
  const cumulativeOf = (sorted: Float64Array): CumulativeShare => {
    const points = Math.min(POINTS, sorted.length);
    const ranks = Array.from({ length: points }, (_, i) => Math.ceil(((i + 1) * sorted.length) / points));
    return { score: ranks.map((rank) => sorted[rank - 1]), share: ranks.map((rank) => rank / sorted.length) };
  };
  const cumulative = [cumulativeOf(classes[0]), cumulativeOf(classes[1])] as const;
  return { low, high, counts, cumulative };
}
