/** One experiment per fold, each with all that is fitted fitted inside it, and what they say together. */

import type { TableOptions } from "../cli/options/tableOptions.ts";
import type { Rows } from "../cli/table.ts";
import type { Interrupt } from "../cli/terminal/interrupt.ts";
import type { Device } from "../device.ts";
import type { ClassificationReport, ReportMeasures } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import { concurrently } from "./concurrently.ts";
import type { Part } from "./examples.ts";
import type { ExperimentOptions } from "./experiment.ts";
import { experiment } from "./experiment.ts";
import type { Labelled } from "./labelled.ts";
import { prepareRows } from "./prepare.ts";
import { unmetRule } from "./threshold.ts";

export type MeasureName = keyof ReportMeasures;

/** What one fold found. Plain JSON. */
export interface FoldResult {
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly epochs: number;
  readonly threshold: number;
  readonly test: ClassificationReport;
  /** Logistic regression on the same rows; null where it was not asked for. */
  readonly baseline: ClassificationReport | null;
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation between folds (divided by folds - 1); 0 for one fold. */
  readonly std: number;
  /** Folds in which the measure is defined. */
  readonly folds: number;
}

export interface CrossValidation {
  readonly folds: readonly FoldResult[];
  readonly summary: Readonly<Record<MeasureName, Spread | null>>;
  readonly baseline: Readonly<Record<MeasureName, Spread | null>> | null;
  /** All test rows together, each scored and decided by the model of its fold. */
  readonly pooled: ClassificationReport;
  /** Of all folds, each once. */
  readonly warnings: readonly string[];
}

export type FoldSettings = Omit<ExperimentOptions, "out"> & Omit<TableOptions, "test" | "splits">;

/**
 * @param jobs folds at a time; the results are the same
 * @throws whatever an experiment throws
 */
export async function crossValidate(
  device: Device,
  labelled: Labelled,
  folds: Iterable<Rows>,
  options: FoldSettings,
  interrupt: Interrupt,
  progress: (done: number, last: FoldResult) => void = () => {},
  jobs = 1,
): Promise<CrossValidation> {
  let done = 0;
  const tested = await concurrently(folds, jobs, async (rows) => {
    const data = await prepareRows(labelled, rows, options);
    const { trainer, scores, metrics, threshold, baseline, history } = await experiment(
      device,
      data,
      options,
      interrupt,
    );
    trainer.dispose();
    const [part, found] = [data.test as Part, scores.test as Float32Array];
    const result: FoldResult = {
      rows: { train: data.train.y.length, validation: data.validation?.y.length ?? 0, test: found.length },
      epochs: history.loss.length,
      threshold: threshold.threshold,
      test: metrics.test as ClassificationReport,
      baseline: baseline?.metrics.test ?? null,
    };
    progress(++done, result);
    const warnings = [...data.warnings, ...unmetRule(threshold, options)];
    return { result, y: part.y, weights: part.sampleWeight, scores: found, warnings };
  });
  const results = tested.map(({ result }) => result);
  const baselines = results.flatMap(({ baseline }) => (baseline ? [baseline] : []));
  return {
    folds: results,
    summary: summarize(results.map(({ test }) => test)),
    baseline: baselines.length > 0 ? summarize(baselines) : null,
    pooled: pooledReport(tested),
    warnings: [...new Set(tested.flatMap(({ warnings }) => warnings))],
  };
}

const MEASURES = [
  "rocAuc",
  "prAuc",
  "ks",
  "logLoss",
  "brier",
  "ece",
  "accuracy",
  "balancedAccuracy",
  "precision",
  "recall",
  "specificity",
  "f1",
  "mcc",
  "kappa",
] as const satisfies readonly MeasureName[];

/** Mean and deviation of each measure over the reports in which it is defined; null where it is in none. */
export function summarize(reports: readonly ClassificationReport[]): Record<MeasureName, Spread | null> {
  const spread = (name: MeasureName): Spread | null => {
    const values = reports.flatMap((report) => report[name] ?? []);
    const n = values.length;
    if (n === 0) return null;
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : 0, folds: n };
  };
  return Object.fromEntries(MEASURES.map((name) => [name, spread(name)])) as Record<MeasureName, Spread | null>;
}

/** One fold's test rows. */
interface Tested {
  readonly result: FoldResult;
  readonly y: Float32Array;
  readonly weights: Float32Array | undefined;
  readonly scores: Float32Array;
}

/** Ranking and probabilities from the scores, everything at a threshold from the decisions, each by its fold's own. */
function pooledReport(folds: readonly Tested[]): ClassificationReport {
  const y = folds.flatMap((fold) => [...fold.y]);
  const sampleWeight = folds.flatMap((fold) => Array.from(fold.y, (_, i) => fold.weights?.[i] ?? 1));
  const decisions = folds.flatMap(({ scores, result }) => Array.from(scores, (s) => Number(s >= result.threshold)));
  const decided = classificationReport(y, decisions, { threshold: 0.5, sampleWeight });
  const pooled = folds.flatMap(({ scores }) => [...scores]);
  const { rocAuc, prAuc, ks, logLoss, brier, ece } = classificationReport(y, pooled, { sampleWeight });
  return { ...decided, rocAuc, prAuc, ks, logLoss, brier, ece };
}
