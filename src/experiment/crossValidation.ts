/** One experiment per fold, each with all that is fitted fitted inside it, and what they say together. */
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";
import { cutoffsOf } from "../metrics/cutoff.ts";
import { measureLabels } from "../metrics/formatReport.ts";
import { type PairedDifference, pairedFolds } from "../metrics/paired.ts";
import type { ClassificationReport, ReportMeasures } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import { concurrently, jobsOn } from "./concurrently.ts";
import { checkThresholds, oneAnswer, unmetRule } from "./decide.ts";
import { learn } from "./experiment.ts";
import type { FoldOptions, PlannedFolds } from "./folds.ts";
import { planFolds } from "./folds.ts";
import type { Observer } from "./observer.ts";
import type { ExperimentOptions, Settings } from "./options.ts";
import { settle } from "./options.ts";
import { prepare, preparedWarnings } from "./prepare.ts";
import { resultHead } from "./result.ts";
import type { Examples, Task } from "./rows.ts";
import { taskOf } from "./task.ts";

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

/** Of a whole way of learning. */
export interface CrossValidated extends CrossValidation {
  /** Mean over the folds of PR-AUC less the prevalence, which guessing reaches; null where fewer than two folds have both classes. */
  readonly versusGuessing: PairedDifference | null;
}

/** What surrounds experiments of which several run at a time. */
export interface Jobs extends Observer {
  /** Experiments at a time, to the same results; default 2 on a GPU unless the table is large, else 1. */
  readonly jobs?: number | undefined;
}

/**
 * How well a way of learning does, and how much that varies: preprocessing, resampling, early stopping and threshold are done
 * anew inside the training rows of each fold.
 * @throws E_ARGUMENT, E_DATA, and whatever an experiment throws
 */
export async function crossValidate(
  device: Device,
  table: Table,
  options: ExperimentOptions,
  around: Partial<FoldOptions> & Jobs = {},
): Promise<ReturnType<typeof resultHead> & { readonly seed: number } & CrossValidated> {
  const settings = settle(options);
  checkThresholds(settings);
  const task = taskOf(table, settings);
  return validateFolds(device, task, planFolds(task, settings, around), settings, around);
}

/** `crossValidate` on folds that are planned. */
export async function validateFolds(device: Device, task: Task, folds: PlannedFolds, settings: Settings, around: Jobs) {
  const found = await eachFold(device, task, folds, settings, around);
  const warnings = [...found.warnings, ...oneAnswer(found.pooled)];
  const versusGuessing = foldsGuessing(found);
  return { ...resultHead(device, task), seed: settings.seed, ...found, versusGuessing, warnings };
}

/** The folds' experiments, as parts of something greater. */
export async function eachFold(
  device: Device,
  task: Task,
  folds: PlannedFolds,
  given: Settings,
  { onProgress, signal, jobs }: Jobs,
): Promise<CrossValidation> {
  const settings = { ...given, split: { ...given.split, test: 0 } };
  let done = 0;
  const tested = await concurrently(folds, jobsOn(device, task.table, jobs), async (split, i) => {
    const data = await prepare(task, split, settings);
    const learned = await learn(device, data, settings, { signal });
    const { trainer, scores, metrics, threshold, baseline, history } = learned;
    trainer.dispose();
    const [part, found] = [data.test as Examples, scores.test as Float32Array];
    const result: FoldResult = {
      rows: { train: data.train.y.length, validation: data.validation?.y.length ?? 0, test: found.length },
      epochs: history.loss.length,
      threshold: threshold.threshold,
      test: metrics.test as ClassificationReport,
      baseline: baseline?.metrics.test ?? null,
    };
    onProgress?.({ type: "fold", fold: i + 1, done: ++done, folds: folds.count, test: result.test });
    const { table, unseen, warnings } = data;
    const prepared = { table, unseen, warnings: [...warnings, ...unmetRule(threshold, settings.decision)] };
    return { result, y: part.y, weights: part.sampleWeight, scores: found, prepared };
  });
  const results = tested.map(({ result }) => result);
  const baselines = results.flatMap(({ baseline }) => (baseline ? [baseline] : []));
  return {
    folds: results,
    summary: summarize(results.map(({ test }) => test)),
    baseline: baselines.length > 0 ? summarize(baselines) : null,
    pooled: pooledReport(tested),
    warnings: preparedWarnings(tested.map(({ prepared }) => prepared)),
  };
}

/** Measures that are losses: less is better. */
export const LESS_IS_BETTER: readonly MeasureName[] = ["logLoss", "brier", "ece"];

/** Order of two values of a measure, as for `sort`: better first, undefined last. */
export function byMeasure(measure: MeasureName, a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return LESS_IS_BETTER.includes(measure) ? a - b : b - a;
}

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
  return Object.fromEntries(measureLabels.map(([, name]) => [name, spread(name)])) as Record<
    MeasureName,
    Spread | null
  >;
}

/** Rows that are tested to one that is learned from. */
export function testedShare({ folds }: Pick<CrossValidation, "folds">): number {
  const [tested, learned] = folds.reduce(
    ([test, rest], { rows }) => [test + rows.test, rest + rows.train + rows.validation],
    [0, 0],
  );
  return tested / learned;
}

/** By how much the PR-AUC of folds is above the prevalence, which guessing reaches; null where it is defined in fewer than two. */
function foldsGuessing(validated: CrossValidation): PairedDifference | null {
  const above = validated.folds.flatMap(({ test: { prAuc, baseline } }) =>
    prAuc === null || baseline.prAuc === null ? [] : [prAuc - baseline.prAuc],
  );
  return pairedFolds(above, testedShare(validated));
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
  const decisions = folds.flatMap(({ scores, result }) => {
    const cutoff = cutoffsOf(scores)(result.threshold);
    return Array.from(scores, (score) => Number(score >= cutoff));
  });
  const decided = classificationReport(y, decisions, { threshold: 0.5, sampleWeight });
  const pooled = folds.flatMap(({ scores }) => [...scores]);
  const { rocAuc, prAuc, ks, logLoss, brier, ece } = classificationReport(y, pooled, { sampleWeight });
  return { ...decided, rocAuc, prAuc, ks, logLoss, brier, ece };
}
