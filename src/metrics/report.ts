import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { sweptAveragePrecision, sweptKs, sweptRocAuc } from "./areas.ts";
import { bootstrapIntervals, drawOptions, type Interval } from "./bootstrap.ts";
import { areProbabilities, checkScored, type NumberList, type Numeric } from "./check.ts";
import { type Confusion, confusionMatrix, type MeasureName, measures } from "./confusion.ts";
import { descendingOrder } from "./order.ts";
import { brier, ece, logLoss } from "./probability.ts";
import { sweepInOrder } from "./sweep.ts";

/** Measures a report compares with the baseline; null where undefined. */
export interface ReportMeasures {
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly specificity: number;
  readonly f1: number;
  /** null when one class is absent. */
  readonly rocAuc: number | null;
  /** Average precision; null when one class is absent. */
  readonly prAuc: number | null;
  /** null when the scores are not probabilities. */
  readonly logLoss: number | null;
  /** null when the scores are not probabilities. */
  readonly brier: number | null;
  readonly mcc: number;
  readonly kappa: number | null;
  readonly ks: number | null;
  /** Ten bins of equal width; null when the scores are not probabilities. */
  readonly ece: number | null;
}

/**
 * What the base rate alone achieves, whatever the inputs: for each measure the best constant prediction (accuracy:
 * the majority class; precision and F1: everything positive; log loss and Brier: the prevalence itself; ranking
 * measures: chance). Recall and specificity have no entry: a constant reaches 1 in either.
 */
export type Baseline = Readonly<Record<Exclude<keyof ReportMeasures, "recall" | "specificity">, number | null>>;

/** Everything one says about a classifier on one set of rows. Plain JSON. */
export interface ClassificationReport extends ReportMeasures {
  readonly threshold: number;
  readonly rows: number;
  /** Share of positives, by weight. */
  readonly prevalence: number;
  /** Share of rows predicted positive, by weight. */
  readonly alertRate: number;
  readonly confusion: Confusion;
  /** Measures that were 0/0: their value is a convention. */
  readonly undefined: readonly MeasureName[];
  readonly baseline: Baseline;
  /** Present when a bootstrap was asked for. */
  readonly intervals?: Readonly<Record<keyof ReportMeasures, Interval | null>>;
  /** Confidence level of the intervals. */
  readonly level?: number;
}

const classificationReportOptions = {
  /** Positive when score >= threshold; default 0.5. */
  threshold: is.number,
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
  /** For confidence intervals. */
  bootstrap: is.object as Kind<OptionsOf<typeof drawOptions>>,
};

export interface ClassificationReportOptions extends OptionsOf<typeof classificationReportOptions> {}

/**
 * Every measure of scored rows at one threshold, beside the prevalence baseline.
 *
 * @param y labels 0 or 1, [n]
 * @param scores probabilities; of other scores log loss, Brier and ECE are null, [n]
 * @throws `E_DATA` on lengths that differ, labels other than 0 and 1, non-finite scores, bad weights, no rows
 */
export function classificationReport(
  labels: Numeric,
  given: Numeric,
  options: ClassificationReportOptions = {},
): ClassificationReport {
  const { threshold = 0.5, bootstrap } = checkOptions("classificationReport", options, classificationReportOptions);
  if (bootstrap) checkOptions("classificationReport: bootstrap", bootstrap, drawOptions);
  const { y, scores, sampleWeight } = checkScored("classificationReport", labels, given, options.sampleWeight);
  const order = descendingOrder(scores);
  const probabilities = areProbabilities(scores);
  const atWeights = (weight?: NumberList) => reportMeasures(order, y, scores, threshold, probabilities, weight);
  const confusion = confusionMatrix(y, scores, threshold, sampleWeight);
  const { prevalence, alertRate, undefined: lacking } = measures(confusion);
  const report = {
    ...atWeights(sampleWeight),
    threshold,
    rows: y.length,
    prevalence,
    alertRate,
    confusion,
    undefined: lacking,
    baseline: prevalenceBaseline(prevalence),
  };
  if (bootstrap === undefined) return report;
  const intervals = bootstrapIntervals<keyof ReportMeasures>(y, atWeights, { ...bootstrap, sampleWeight });
  return { ...report, intervals, level: bootstrap.level ?? 0.95 };
}

function reportMeasures(
  order: Uint32Array,
  y: NumberList,
  scores: NumberList,
  threshold: number,
  probabilities: boolean,
  sampleWeight?: NumberList,
): Record<keyof ReportMeasures, number | null> & ReportMeasures {
  const m = measures(confusionMatrix(y, scores, threshold, sampleWeight));
  const s = sweepInOrder(order, y, scores, sampleWeight);
  return {
    accuracy: m.accuracy,
    balancedAccuracy: m.balancedAccuracy,
    precision: m.precision,
    recall: m.recall,
    specificity: m.specificity,
    f1: m.f1,
    rocAuc: sweptRocAuc(s),
    prAuc: sweptAveragePrecision(s),
    logLoss: probabilities ? logLoss(y, scores, { sampleWeight }) : null,
    brier: probabilities ? brier(y, scores, sampleWeight) : null,
    mcc: m.mcc,
    kappa: m.kappa,
    ks: sweptKs(s),
    ece: probabilities ? ece(y, scores, { sampleWeight }) : null,
  };
}

/** The baseline of a prevalence in [0, 1]; ranking measures are null when one class is absent. */
function prevalenceBaseline(prevalence: number): Baseline {
  const p = prevalence;
  const both = p > 0 && p < 1;
  return {
    accuracy: Math.max(p, 1 - p),
    balancedAccuracy: both ? 0.5 : 1,
    precision: p,
    f1: (2 * p) / (1 + p),
    rocAuc: both ? 0.5 : null,
    prAuc: both ? p : null,
    logLoss: both ? -p * Math.log(p) - (1 - p) * Math.log1p(-p) : 0,
    brier: p * (1 - p),
    mcc: 0,
    kappa: 0,
    ks: both ? 0 : null,
    ece: 0,
  };
}
