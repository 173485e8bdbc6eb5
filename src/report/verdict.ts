/** Whether the network was worth it: by which measure, by how much, and how sure that is. */
import type { PairedDifference } from "../metrics/paired.ts";

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/**
 * One sentence, or none where there is nothing to compare with.
 * @param versus the network's measure less that of logistic regression, turned so that more is better
 */
export function verdictOf(
  versus: PairedDifference | null | undefined,
  { measure = "PR-AUC", network = "the network" } = {},
): string[] {
  if (!versus) return [];
  const { difference, low, high } = versus;
  const interval = `${signed(difference)}, 95 % interval of the paired difference ${signed(low)} to ${signed(high)}`;
  const simple = "train --model mlp --layers ''";
  if (low > 0) return [`By ${measure} ${network} is better than logistic regression (${interval}).`];
  if (high < 0)
    return [`By ${measure} logistic regression is better than ${network} (${interval}): prefer it (${simple}).`];
  return [
    `By ${measure} these rows do not tell ${network} from logistic regression (${interval}); the latter is simpler (${simple}).`,
  ];
}
