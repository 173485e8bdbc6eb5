/** One experiment per fold, each with all that is fitted fitted inside it, and what they say together. */
import type { Device } from "../device.ts";
import type { ClassificationReport, ReportMeasures } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ExperimentOptions } from "./experiment.ts";
import { experiment } from "./experiment.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Labelled } from "./labelled.ts";
import type { TableOptions } from "./prepare.ts";
import { prepareRows } from "./prepare.ts";
import type { Rows } from "./table.ts";

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

/** @throws whatever an experiment throws */
export async function crossValidate(
  device: Device,
  labelled: Labelled,
  folds: Iterable<Rows>,
  options: FoldSettings,
  interrupt: Interrupt,
  progress: (done: number, last: FoldResult) => void = () => {},
): Promise<CrossValidation> {
  const results: FoldResult[] = [];
  const warnings = new Set<string>();
  const pool = { y: [] as number[], scores: [] as number[], decisions: [] as number[], weights: [] as number[] };
  for (const rows of folds) {
    const data = await prepareRows(labelled, rows, options);
    for (const warning of data.warnings) warnings.add(warning);
    const { trainer, scores, metrics, threshold, baseline, history } = await experiment(
      device,
      data,
      options,
      interrupt,
    );
    trainer.dispose();
    const [test, found] = [metrics.test as ClassificationReport, scores.test as Float32Array];
    for (let i = 0; i < found.length; i++) {
      pool.y.push(data.test?.y[i] as number);
      pool.weights.push(data.test?.sampleWeight?.[i] ?? 1);
      pool.scores.push(found[i]);
      pool.decisions.push(Number(found[i] >= threshold.threshold));
    }
    results.push({
      rows: { train: data.train.y.length, validation: data.validation?.y.length ?? 0, test: found.length },
      epochs: history.loss.length,
      threshold: threshold.threshold,
      test,
      baseline: baseline?.metrics.test ?? null,
    });
    progress(results.length, results[results.length - 1]);
  }
  const baselines = results.flatMap(({ baseline }) => (baseline ? [baseline] : []));
  return {
    folds: results,
    summary: summarize(results.map(({ test }) => test)),
    baseline: baselines.length > 0 ? summarize(baselines) : null,
    pooled: pooledReport(pool),
    warnings: [...warnings],
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

/** Ranking and probabilities from the scores, everything at a threshold from the decisions, each by its fold's own. */
function pooledReport({ y, scores, decisions, weights }: Record<"y" | "scores" | "decisions" | "weights", number[]>) {
  const decided = classificationReport(y, decisions, { threshold: 0.5, sampleWeight: weights });
  const { rocAuc, prAuc, ks, logLoss, brier, ece } = classificationReport(y, scores, { sampleWeight: weights });
  return { ...decided, rocAuc, prAuc, ks, logLoss, brier, ece };
}
