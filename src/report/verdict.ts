/** Whether the network was worth it: by which measure, by how much, and how sure that is. */
import type { PairedDifference } from "../metrics/paired.ts";
import type { ClassificationReport } from "../metrics/report.ts";

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

/**
 * One sentence where a model is no better than one constant answer, by log loss or by a paired interval; else none.
 * @param versus the model's PR-AUC less that of a constant, the prevalence; null where a class is absent
 */
export function guessingOf(
  { logLoss, baseline }: Pick<ClassificationReport, "logLoss" | "baseline">,
  versus: PairedDifference | null | undefined,
): string[] {
  if (!versus) return [];
  const { difference, low, high } = versus;
  const constant = baseline.logLoss;
  const unsure = logLoss !== null && constant !== null && logLoss >= constant;
  const losses = unsure
    ? `log loss ${logLoss.toFixed(3)}, where the prevalence alone reaches ${constant.toFixed(3)}`
    : "";
  const interval = `PR-AUC above guessing ${signed(difference)}, 95 % interval ${signed(low)} to ${signed(high)}`;
  const ranks = low > 0;
  if (unsure && ranks)
    return [`As probabilities the scores are no better than guessing (${losses}), but they rank rows (${interval}).`];
  if (unsure) return [`The model is no better than guessing (${losses}; ${interval}).`];
  return ranks ? [] : [`By PR-AUC these rows do not tell the model from guessing (${interval}).`];
}
