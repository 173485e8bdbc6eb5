/** What `train` and `evaluate` found, as plain JSON: `--json` prints it, a report is drawn from it. */
import type { TableDescription } from "../data/describe.ts";
import type { DeviceInfo } from "../device.ts";
import type { PermutationImportance } from "../explain/permutation.ts";
import type { Calibration } from "../metrics/calibration.ts";
import type { Diagnostics } from "../metrics/diagnostics.ts";
import type { PairedDifference } from "../metrics/paired.ts";
import type { ClassificationReport } from "../metrics/report.ts";

/** Rows that metrics are of. */
export type PartName = "train" | "validation" | "test";

export type PartReports = { readonly [Part in PartName]?: ClassificationReport | null };

/** What `evaluate` says of a model. */
export interface EvaluationResult {
  readonly version: string;
  /** What to type for the same result. */
  readonly command: string;
  readonly device: DeviceInfo;
  /** Name of the table. */
  readonly file: string;
  readonly target: string;
  readonly positive: string;
  readonly negative: readonly string[];
  readonly model: string;
  readonly threshold: number;
  readonly thresholdRule: string;
  readonly metrics: PartReports;
  /** PR-AUC less the prevalence, which a constant reaches, on the rows of `part`; null where a class is absent. */
  readonly versusGuessing?: PairedDifference | null;
  /** The part that the diagnostics and the importance are of. */
  readonly part: PartName;
  readonly diagnostics: Diagnostics;
  /** Of the same rows; null where the threshold was not chosen by costs, or the rows lack the amounts. */
  readonly cost: DecisionCost | null;
  readonly importance: Importance | null;
  /** What is in the table; only in reports. */
  readonly data?: TableDescription;
  readonly warnings: readonly string[];
}

/** Total cost of some rows, by their weights, in the unit of the rule's costs. */
export interface DecisionCost {
  readonly atThreshold: number;
  readonly neverAlert: number;
  readonly alwaysAlert: number;
}

/** What `train` says beyond that. */
export interface TrainingResult extends EvaluationResult {
  readonly rows: {
    readonly file: number;
    readonly train: number;
    readonly validation: number;
    readonly test: number;
    readonly unused: number;
  };
  readonly network: { readonly model: string };
  readonly parameters: number;
  readonly dispatches: number;
  readonly epochs: number;
  readonly steps: number;
  readonly best: { readonly epoch: number; readonly value: number } | null;
  readonly refit: { readonly rows: number; readonly epochs: number; readonly kept: boolean } | null;
  /** What was learned from instead of the training rows. */
  readonly resampled: { readonly method: string; readonly rows: number; readonly positives: number } | null;
  /** Added to the logit of every score, as classes were resampled or weighted; 0 where neither was done. */
  readonly priorShift: number;
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** What scores go through, fitted on the validation rows; null where that was not asked for. */
  readonly calibration: Calibration | null;
  /** Folds of the rows that are not for testing, by whose scores the threshold was chosen; null: the validation rows. */
  readonly thresholdFolds: number | null;
  readonly thresholdAttained: boolean;
  /** Logistic regression on the same rows, its threshold chosen in the same way; null where it was not asked for. */
  readonly baseline: LogisticBaseline | null;
  /** `fitMs` is of the epochs alone, without refit, folds and metrics; `trainMs` of all but reading. */
  readonly timing: {
    readonly fitMs: number;
    readonly trainMs: number;
    readonly totalMs: number;
    readonly stepsPerSecond: number;
  };
  readonly settings: { readonly [name: string]: unknown };
}

export interface LogisticBaseline {
  readonly model: "logistic regression";
  readonly l2: number;
  readonly converged: boolean;
  readonly threshold: number;
  readonly metrics: PartReports;
  /** At its own threshold, of the rows that the network's is of. */
  readonly cost: DecisionCost | null;
  /**
   * PR-AUC of the network less that of logistic regression, on the rows that the result is of, both on the same; null where a
   * class is absent, and where the network is logistic regression itself.
   */
  readonly versus: PairedDifference | null;
  /** Of the same rows; only in reports. */
  readonly curves?: Pick<Diagnostics, "roc" | "pr">;
}

/** Per column of the table, in its order. */
export interface Importance {
  /** Rows it was measured on. */
  readonly rows: number;
  readonly repeats: number;
  /** Drop of PR-AUC when the column is shuffled; null where there are too many inputs to try each. */
  readonly permutation: readonly PermutationImportance[] | null;
  /** Mean |integrated gradient|: how far the column moves the logit. */
  readonly attribution: readonly { readonly name: string; readonly mean: number }[];
}
