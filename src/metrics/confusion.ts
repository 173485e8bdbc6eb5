import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import { checkFields } from "../options.ts";
import { checkScored, type NumberList, type Numeric } from "./check.ts";
import { cutoffsOf } from "./cutoff.ts";

/** Rows (or summed sample weights) by true label and prediction. */
export interface Confusion {
  readonly tn: number;
  readonly fp: number;
  readonly fn: number;
  readonly tp: number;
}

/**
 * Counts rows by label and prediction; a row is predicted positive when **score >= threshold**, both in the
 * precision of the scores: among f32 scores 0.7 is the f32 nearest to it, so that the f32 0.7 is positive at 0.7.
 *
 * @param y labels 0 or 1, [n]
 * @param scores probabilities or any other finite scores, [n]
 * @param threshold may be Infinity: nothing is positive
 * @param sampleWeight [n], >= 0; the counts are then sums of weights
 * @throws `E_DATA` on lengths that differ, labels other than 0 and 1, non-finite scores, bad weights, no rows;
 *   `E_ARGUMENT` on a NaN threshold
 */
export function confusionMatrix(labels: Numeric, given: Numeric, threshold: number, weights?: Numeric): Confusion {
  const { y, scores, sampleWeight } = checkScored("confusionMatrix", labels, given, weights);
  if (Number.isNaN(threshold)) {
    throw new TilegradError("E_ARGUMENT", "confusionMatrix: threshold is NaN; expected a number.", {
      hint: "Use 0.5, or a threshold from tuneThreshold.",
    });
  }
  return countConfusion(y, scores, threshold, sampleWeight);
}

/** `confusionMatrix` for inputs already checked. */
export function countConfusion(
  y: NumberList,
  scores: NumberList,
  threshold: number,
  sampleWeight?: NumberList,
): Confusion {
  const sums = [0, 0, 0, 0]; // tn, fp, fn, tp
  const cutoff = cutoffsOf(scores)(threshold);
  for (let i = 0; i < y.length; i++) {
    sums[2 * y[i] + (scores[i] >= cutoff ? 1 : 0)] += sampleWeight ? sampleWeight[i] : 1;
  }
  return { tn: sums[0], fp: sums[1], fn: sums[2], tp: sums[3] };
}

// The measures below give NaN where they are 0/0; `measures` turns that into the conventional value and says so.

/** (tp + tn) / all */
export const accuracy = ({ tn, fp, fn, tp }: Confusion): number => (tp + tn) / (tn + fp + fn + tp);
/** tp / (tp + fp): how many alerts are right. */
export const precision = ({ fp, tp }: Confusion): number => tp / (tp + fp);
/** tp / (tp + fn): how many positives are found (sensitivity, true positive rate). */
export const recall = ({ fn, tp }: Confusion): number => tp / (tp + fn);
/** tn / (tn + fp): how many negatives are left alone (true negative rate). */
const specificity = ({ tn, fp }: Confusion): number => tn / (tn + fp);
/** tn / (tn + fn) */
const negativePredictiveValue = ({ tn, fn }: Confusion): number => tn / (tn + fn);
/** recall + specificity - 1 (Youden 1950), in [-1, 1]. */
export const youden = (c: Confusion): number => recall(c) + specificity(c) - 1;
/** Harmonic mean of precision and recall. */
export const f1 = (c: Confusion): number => fBeta(c, 1);

/** Mean of recall and specificity; of the one that exists when a class is absent. */
export function balancedAccuracy(c: Confusion): number {
  if (c.tp + c.fn === 0) return specificity(c);
  if (c.tn + c.fp === 0) return recall(c);
  return (recall(c) + specificity(c)) / 2;
}

/** (1 + b²) tp / ((1 + b²) tp + b² fn + fp): recall counts beta times as much as precision. */
export function fBeta({ fp, fn, tp }: Confusion, beta: number): number {
  const b2 = beta * beta;
  return ((1 + b2) * tp) / ((1 + b2) * tp + b2 * fn + fp);
}

/** Correlation of label and prediction (Matthews 1975), in [-1, 1]. */
export function mcc({ tn, fp, fn, tp }: Confusion): number {
  const margins = Math.sqrt(tp + fp) * Math.sqrt(tp + fn) * Math.sqrt(tn + fp) * Math.sqrt(tn + fn);
  return (tp * tn - fp * fn) / margins;
}

/** Agreement beyond chance (Cohen 1960), in [-1, 1]. */
export function kappa({ tn, fp, fn, tp }: Confusion): number {
  return (2 * (tp * tn - fp * fn)) / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn));
}

const formulas = {
  accuracy,
  balancedAccuracy,
  precision,
  recall,
  specificity,
  negativePredictiveValue,
  f1,
  mcc,
  youden,
} as const;

/** Names of the measures that a confusion matrix determines. */
export type MeasureName = keyof typeof formulas | "kappa";

/** Every measure of one confusion matrix. */
export type Measures = Record<keyof typeof formulas, number> & {
  /** null where 0/0: one class only, and all of it predicted so. */
  readonly kappa: number | null;
  /** Share of positives among the rows, by weight. */
  readonly prevalence: number;
  /** Share of rows predicted positive, by weight. */
  readonly alertRate: number;
  /** Measures that were 0/0, or that lack a class: their value here is a convention (0, kappa null). */
  readonly undefined: readonly MeasureName[];
};

/** Every measure of one confusion matrix, with 0/0 given as 0 (kappa: null) and named in `undefined`. @throws E_ARGUMENT */
export function measures(c: Confusion): Measures {
  checkFields("measures", c, { tn: is.number, fp: is.number, fn: is.number, tp: is.number }, "{ tn, fp, fn, tp }");
  const lacking: MeasureName[] = [];
  const values = {} as Record<keyof typeof formulas, number>;
  for (const name of Object.keys(formulas) as (keyof typeof formulas)[]) {
    const value = formulas[name](c);
    values[name] = Number.isNaN(value) ? 0 : value;
    if (Number.isNaN(value)) lacking.push(name);
  }
  const positives = c.tp + c.fn;
  const negatives = c.tn + c.fp;
  if (positives === 0 || negatives === 0) lacking.push("balancedAccuracy");
  const agreement = kappa(c);
  if (Number.isNaN(agreement)) lacking.push("kappa");
  return {
    ...values,
    kappa: Number.isNaN(agreement) ? null : agreement,
    prevalence: positives / (positives + negatives),
    alertRate: (c.tp + c.fp) / (positives + negatives),
    undefined: lacking,
  };
}
