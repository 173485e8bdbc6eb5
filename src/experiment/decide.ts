/** How scores become probabilities and decisions: calibration, threshold, and what the decisions cost. */
import { TilegradError } from "../errors.ts";
import type { Calibration } from "../metrics/calibration.ts";
import { fitCalibration } from "../metrics/calibration.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { parseThresholdRule } from "../metrics/thresholdRule.ts";
import type { TunedThreshold } from "../metrics/thresholds.ts";
import { thresholdTable } from "../metrics/thresholdTable.ts";
import type { DecisionCost } from "../report/result.ts";
import { isMargin } from "./objective.ts";
import type { DecisionOptions, LossOptions, Settings } from "./options.ts";
import type { Examples, Labels } from "./rows.ts";
import { pricesOf, weightsOf } from "./rows.ts";
import { refuse } from "./variants.ts";

/**
 * The rule as JSON.
 * @throws E_ARGUMENT, also for a number that no score can be, for amounts that it lacks, and for folds that it has no use for
 */
export function thresholdRule({ decision, columns }: Pick<Settings, "decision" | "columns">): ThresholdRule {
  const { threshold, thresholdFolds } = decision;
  const rule = parseThresholdRule(threshold);
  if ("fixed" in rule) {
    if (!(rule.fixed >= 0 && rule.fixed <= 1)) {
      throw new TilegradError("E_ARGUMENT", `\`threshold\`: got ${threshold}; expected a number in [0, 1].`, {
        hint: "Scores are never below 0 or above 1: the answer would be the same for every row.",
      });
    }
    if (typeof thresholdFolds === "number") refuse({ thresholdFolds }, `\`threshold: ${threshold}\``);
  }
  // Where one kind of mistake costs nothing, never (or always) to alert is the cheapest: that must be said, not left out.
  const unsaid = "minimizeCost" in rule && (["fp", "fn"] as const).find((name) => !(name in rule.minimizeCost));
  if (unsaid) {
    const mistake = { fp: "a false alert", fn: "a miss" }[unsaid];
    throw new TilegradError("E_ARGUMENT", `\`threshold: ${threshold}\`: no cost of ${mistake}; expected fp and fn.`, {
      hint: `Say what ${mistake} costs, even if nothing: ${threshold},${unsaid}=1.`,
    });
  }
  if (costsAmounts(rule) && columns.amount === undefined) {
    throw new TilegradError("E_ARGUMENT", `\`threshold\`: got ${JSON.stringify(threshold)}; there are no amounts.`, {
      hint: "Name the column of each row's amount: `amount: COLUMN`.",
    });
  }
  return rule;
}

/** The rules of one table's experiments. @throws E_ARGUMENT as `thresholdRule`, and for amounts that no rule has a use for */
export function checkThresholds(...experiments: readonly Pick<Settings, "decision" | "columns">[]): void {
  if (experiments.map(thresholdRule).some(costsAmounts)) return;
  const rules = new Set(experiments.map(({ decision }) => decision.threshold));
  refuse({ amount: experiments[0]?.columns.amount }, `\`threshold: ${[...rules].join(", ")}\``);
}

/** Whether a cost is each row's own amount. */
export const costsAmounts = (rule: ThresholdRule): boolean =>
  "minimizeCost" in rule && Object.values(rule.minimizeCost).includes("amount");

/** The warning that a threshold tells no rows apart, if so; from as few rows as one that would tell nothing. */
export const oneAnswer = ({ alertRate, rows }: ClassificationReport): string[] =>
  rows < 2 || (alertRate > 0 && alertRate < 1)
    ? []
    : [`at the threshold ${alertRate === 0 ? "none" : "each"} of ${rows.toLocaleString("en-US")} rows is a yes.`];

/** The warning that a rule could not be met, if so. */
export const unmetRule = ({ attained }: TunedThreshold, { threshold }: DecisionOptions): string[] =>
  attained
    ? []
    : [`no threshold reaches ${threshold} on the rows it is chosen on; the one that comes closest is taken.`];

/** @throws E_ARGUMENT where there is nothing to calibrate on */
export function checkCalibrate({ calibrate }: DecisionOptions, validation: Examples | null): void {
  if (calibrate === "none" || validation) return;
  throw new TilegradError("E_ARGUMENT", `\`calibrate: ${calibrate}\`: there are no validation rows to fit it on.`, {
    hint: "Give `validation` a share above 0: on training rows, scores are too sure of themselves.",
  });
}

/** What brings these scores of the validation rows nearest to probabilities; null where that was not asked for. */
export function calibrationOf(
  { calibrate }: DecisionOptions,
  loss: LossOptions,
  validation: Examples | null,
  scores: Float32Array | null,
): Calibration | null {
  if (calibrate === "none" || !validation || !scores) return null;
  const from = isMargin(loss) ? "logit" : "probability";
  return fitCalibration(calibrate, validation.y, scores, { from, ...weightsOf(validation) });
}

/** The costs of a rule that has any, and of which the rows have the amounts. */
export const costsOf = (rule: ThresholdRule | null, rows: Labels) =>
  rule && "minimizeCost" in rule && (rows.amounts || !costsAmounts(rule)) ? rule.minimizeCost : null;

/** The total at a threshold, beside alerting never and always; null where `costsOf` is. */
export function decisionCost(
  rows: Labels,
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
