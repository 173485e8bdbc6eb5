/** `--threshold`: by which rule scores become decisions, and from which rows the rule chooses. */
import type { Command } from "commander";
import { number } from "../cli/options/values.ts";
import { count } from "../cli/terminal/terminal.ts";
import { TilegradError } from "../errors.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { parseThresholdRule } from "../metrics/thresholdRule.ts";
import type { TunedThreshold } from "../metrics/thresholds.ts";
import { refuse } from "./objective.ts";
import type { RowColumns } from "./rowColumns.ts";

export interface ThresholdOptions {
  readonly threshold: string;
  /** The threshold is chosen from the scores of so many folds, each scored by what learned from the others. */
  readonly thresholdFolds?: number;
}

export const addThresholdOptions = (command: Command): Command =>
  command
    .option(
      "--threshold <rule>",
      "chosen on validation rows: f1, f2 or any f<beta>, mcc, youden, balancedAccuracy, accuracy, kappa, recall>=0.8, precision>=0.5, alerts:5 (of 1,000 rows), quantile:0.9, cost:fp=1,fn=5, cost:fp=5,fn=amount, or a number",
      "f1",
    )
    .option(
      "--threshold-folds <k>",
      "choose by cross-validation of the training and validation rows: k more networks are trained",
      number({ min: 2, integer: true }),
    );

/**
 * The rule as JSON.
 * @throws E_ARGUMENT, also for a number that no score can be, for amounts that it lacks, and for folds that it has no use for
 */
export function thresholdRule({ threshold, thresholdFolds, amount }: ThresholdOptions & RowColumns): ThresholdRule {
  const rule = parseThresholdRule(threshold);
  if ("fixed" in rule) {
    if (!(rule.fixed >= 0 && rule.fixed <= 1)) {
      throw new TilegradError("E_ARGUMENT", `--threshold: got ${threshold}; expected a number in [0, 1].`, {
        hint: "Scores are never below 0 or above 1: the answer would be the same for every row.",
      });
    }
    refuse({ "threshold-folds": thresholdFolds }, `--threshold ${threshold}`);
  }
  // Where one kind of mistake costs nothing, never (or always) to alert is the cheapest: that must be said, not left out.
  const unsaid = "minimizeCost" in rule && (["fp", "fn"] as const).find((name) => !(name in rule.minimizeCost));
  if (unsaid) {
    const mistake = { fp: "a false alert", fn: "a miss" }[unsaid];
    throw new TilegradError("E_ARGUMENT", `--threshold ${threshold}: no cost of ${mistake}; expected fp and fn.`, {
      hint: `Say what ${mistake} costs, even if nothing: ${threshold},${unsaid}=1.`,
    });
  }
  if (costsAmounts(rule) && amount === undefined) {
    throw new TilegradError("E_ARGUMENT", `--threshold: got ${JSON.stringify(threshold)}; there are no amounts.`, {
      hint: "Name the column of each row's amount: --amount COLUMN.",
    });
  }
  return rule;
}

/** The rules of one table's experiments. @throws E_ARGUMENT as `thresholdRule`, and for amounts that no rule has a use for */
export function checkThresholds(...experiments: readonly (ThresholdOptions & RowColumns)[]): void {
  if (experiments.map(thresholdRule).some(costsAmounts)) return;
  const rules = new Set(experiments.map(({ threshold }) => threshold));
  refuse({ amount: experiments[0]?.amount }, `--threshold ${[...rules].join(", ")}`);
}

/** Whether a cost is each row's own amount. */
export const costsAmounts = (rule: ThresholdRule): boolean =>
  "minimizeCost" in rule && Object.values(rule.minimizeCost).includes("amount");

/** The warning that a threshold tells no rows apart, if so; from as few rows as one that would tell nothing. */
export const oneAnswer = ({ alertRate, rows }: ClassificationReport): string[] =>
  rows < 2 || (alertRate > 0 && alertRate < 1)
    ? []
    : [`at the threshold ${alertRate === 0 ? "none" : "each"} of ${count(rows)} rows is a yes.`];

/** The warning that a rule could not be met, if so. */
export const unmetRule = ({ attained }: TunedThreshold, { threshold }: ThresholdOptions): string[] =>
  attained
    ? []
    : [`no threshold reaches ${threshold} on the rows it is chosen on; the one that comes closest is taken.`];
