/** What decisions cost on some rows, where the threshold was chosen by costs. */

import { bold } from "../cli/terminal/terminal.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { thresholdTable } from "../metrics/thresholdTable.ts";
import type { RowLabels } from "../node/rowFile.ts";
import type { DecisionCost } from "../report/result.ts";
import { pricesOf } from "./examples.ts";
import { costsAmounts } from "./threshold.ts";

/** The costs of a rule that has any, and of which the rows have the amounts. */
export const costsOf = (rule: ThresholdRule | null, rows: RowLabels) =>
  rule && "minimizeCost" in rule && (rows.amounts || !costsAmounts(rule)) ? rule.minimizeCost : null;

/** The total at a threshold, beside alerting never and always; null where `costsOf` is. */
export function decisionCost(
  rows: RowLabels,
  scores: Float32Array,
  threshold: number,
  rule: ThresholdRule | null,
): DecisionCost | null {
  const costs = costsOf(rule, rows);
  if (!costs) return null;
  const thresholds = [threshold, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const [atThreshold, neverAlert, alwaysAlert] = thresholdTable(rows.y, scores, {
    thresholds,
    costs,
    ...pricesOf(rows),
  }).map(({ cost }) => cost as number);
  return { atThreshold, neverAlert, alwaysAlert };
}

const amount = (cost: number): string => cost.toLocaleString("en-US", { maximumFractionDigits: 2 });

/** One line, or none. */
export function costLine(cost: DecisionCost | null, logistic?: DecisionCost | null): string[] {
  if (!cost) return [];
  const beside = [
    ...(logistic ? [`logistic regression at its own ${amount(logistic.atThreshold)}`] : []),
    `never alert ${amount(cost.neverAlert)}`,
    `alert always ${amount(cost.alwaysAlert)}`,
  ];
  return [`${bold("Cost")}  ${amount(cost.atThreshold)} at the threshold; ${beside.join(", ")}`];
}
