/** Two ways to score the same rows: how much one is better, and how sure that is. */
import { sweptAveragePrecision } from "./areas.ts";
import { bootstrapIntervals } from "./bootstrap.ts";
import type { NumberList } from "./check.ts";
import { descendingOrder } from "./order.ts";
import { sweepInOrder } from "./sweep.ts";

/** Of a measure of which more is better. Plain JSON. */
export interface PairedDifference {
  readonly difference: number;
  /** Between these it lies with 95 %. */
  readonly low: number;
  readonly high: number;
}

const MOST_REPLICATES = 500;
const FEWEST_REPLICATES = 50;
/** Rows that are drawn in all. */
const DRAWN = 2e7;

/**
 * Average precision of `a` less that of `b`, with a percentile interval from a stratified bootstrap in which both see the same
 * rows; null when one class is absent.
 */
export function pairedPrAuc(
  y: NumberList,
  a: NumberList,
  b: NumberList,
  options: { readonly seed: number; readonly sampleWeight?: NumberList },
): PairedDifference | null {
  const orders = [a, b].map((scores) => [descendingOrder(scores), scores] as const);
  const differenceAt = (weight?: NumberList): number | null => {
    const [first, second] = orders.map(([order, scores]) =>
      sweptAveragePrecision(sweepInOrder(order, y, scores, weight)),
    );
    return first === null || second === null ? null : first - second;
  };
  const difference = differenceAt(options.sampleWeight);
  const replicates = Math.min(MOST_REPLICATES, Math.max(FEWEST_REPLICATES, Math.floor(DRAWN / y.length)));
  const found = bootstrapIntervals(y, (weight) => ({ prAuc: differenceAt(weight) }), { ...options, replicates });
  return difference === null || found.prAuc === null ? null : { difference, ...found.prAuc };
}

/** Average precision of scores less that of a constant, which is the prevalence; as `pairedPrAuc`. */
export const pairedGuessing = (
  y: NumberList,
  scores: NumberList,
  options: { readonly seed: number; readonly sampleWeight?: NumberList },
): PairedDifference | null => pairedPrAuc(y, scores, new Float32Array(y.length), options);

/** Student's t, 97.5 %, for 1, 2, ... degrees of freedom; then nearly the normal one. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

/**
 * The mean of differences between the folds of a cross-validation, with the interval of the corrected resampled t-test (Nadeau
 * & Bengio 2003), since folds share what they learn from; null for fewer than two.
 * @param tested rows that a fold tests, to one that it learns from
 */
export function pairedFolds(differences: readonly number[], tested: number): PairedDifference | null {
  const n = differences.length;
  if (n < 2) return null;
  const difference = differences.reduce((sum, d) => sum + d, 0) / n;
  const variance = differences.reduce((sum, d) => sum + (d - difference) ** 2, 0) / (n - 1);
  const reach = (T[n - 2] ?? 1.96 + 2.5 / n) * Math.sqrt(variance * (1 / n + tested));
  return { difference, low: difference - reach, high: difference + reach };
}
