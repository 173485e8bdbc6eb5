import { checkScored, type NumberList } from "./check.ts";

/** Where the scores of each class lie: index 0 is label 0. Plain JSON. */
export interface ScoreDistribution {
  /** The bins span [low, high]: [0, 1], or the data where scores leave that. */
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

/**
 * Histogram and cumulative distribution of the scores by class.
 *
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @throws `E_DATA` on bad rows
 */
export function scoreDistribution(y: NumberList, scores: NumberList, { bins = 40 } = {}): ScoreDistribution {
  checkScored("scoreDistribution", y, scores);
  let [low, high] = [0, 1];
  for (let i = 0; i < scores.length; i++) {
    low = Math.min(low, scores[i]);
    high = Math.max(high, scores[i]);
  }
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
