import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { sigmoid, softplus } from "../numeric.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import { checkProbabilities, checkRange, checkScored, type NumberList, type Numeric } from "./check.ts";
import { evaluateMonotone, fitIsotonic, type Monotone } from "./isotonic.ts";
import { minimizeLogistic } from "./logistic.ts";

/** Which scores a calibration was fitted on and takes. */
export type ScoreKind = "probability" | "logit";

/** A fitted map from scores to calibrated probabilities. Plain JSON: it is saved with the model. */
export type Calibration =
  /** sigmoid(slope · z + intercept), z the logit (Platt 1999). */
  | { readonly method: "platt"; readonly from: ScoreKind; readonly slope: number; readonly intercept: number }
  /** sigmoid(z / temperature) (Guo et al. 2017). */
  | { readonly method: "temperature"; readonly from: ScoreKind; readonly temperature: number }
  /** sigmoid(a ln p - b ln(1 - p) + c) (Kull, Silva Filho & Flach 2017). */
  | { readonly method: "beta"; readonly from: ScoreKind; readonly a: number; readonly b: number; readonly c: number }
  /** A non-decreasing piecewise linear function (Zadrozny & Elkan 2002). */
  | ({ readonly method: "isotonic"; readonly from: ScoreKind } & Monotone)
  | PriorShift;

/** sigmoid(z + shift): another base rate (Saerens, Latinne & Decaestecker 2002, eq. 4). */
export interface PriorShift {
  readonly method: "prior";
  readonly from: ScoreKind;
  readonly shift: number;
}

/** Methods that are fitted on rows. */
export const CALIBRATION_METHODS = ["platt", "isotonic", "temperature", "beta"] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

const scoreKind: Kind<ScoreKind> = is.oneOf("probability", "logit");

const calibrationOptions = {
  /** Default "probability". */
  from: scoreKind,
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
};

export interface FitCalibrationOptions extends OptionsOf<typeof calibrationOptions> {}

/**
 * Fits a calibration on rows the model was not trained on.
 *
 * @param y labels 0 or 1, [n]
 * @param scores probabilities, or logits with `from: "logit"`, [n]
 * @throws `E_DATA` on bad rows, and when one class is absent
 */
export function fitCalibration(
  method: CalibrationMethod,
  labels: Numeric,
  given: Numeric,
  options: FitCalibrationOptions = {},
): Calibration {
  const { from = "probability" } = checkOptions("fitCalibration", options, calibrationOptions);
  const check = from === "probability" ? checkProbabilities : checkScored;
  const { y, scores, sampleWeight } = check("fitCalibration", labels, given, options.sampleWeight);
  const rows: Rows = {
    target: Float64Array.from(y),
    weight: Float64Array.from({ length: y.length }, (_, i) => (sampleWeight === undefined ? 1 : sampleWeight[i])),
    z: Float64Array.from({ length: y.length }, (_, i) => toLogit(scores[i], from)),
  };
  requireBoth(rows);
  switch (method) {
    case "platt":
      return { method, from, ...fitPlatt(rows) };
    case "temperature":
      return { method, from, temperature: fitTemperature(rows) };
    case "beta":
      return { method, from, ...fitBeta(rows) };
    case "isotonic":
      return { method, from, ...fitIsotonic(y, scores, sampleWeight) };
    default:
      throw unknownMethod(method satisfies never);
  }
}

/**
 * Calibrated probabilities, f64 [n], of scores of the kind the calibration was fitted on. A loaded model's `predict` gives
 * them rounded to f32: `Float32Array.from` makes the two the same. @throws E_ARGUMENT
 */
export function applyCalibration(calibration: Calibration, scores: NumberList): Float64Array {
  checkFields("applyCalibration", calibration, { method: is.string }, "a calibration, as fitCalibration gives");
  checkValue("applyCalibration", "scores", scores, is.values);
  const apply = mapOf(calibration);
  return Float64Array.from({ length: scores.length }, (_, i) => apply(scores[i]));
}

/** A model's scores, f32 [n], through a calibration where there is one. */
export const calibrated = (calibration: Calibration | null | undefined, scores: Float32Array): Float32Array =>
  calibration ? Float32Array.from(applyCalibration(calibration, scores)) : scores;

/**
 * The analytic correction for training on another base rate than the world's, as after resampling: shifts the logit
 * by logit(truePrevalence) - logit(trainPrevalence). Both in (0, 1).
 */
export function priorCorrection(
  trainPrevalence: number,
  truePrevalence: number,
  from: ScoreKind = "probability",
): PriorShift {
  checkValue("priorCorrection", "from", from, scoreKind);
  for (const [name, value] of Object.entries({ trainPrevalence, truePrevalence })) {
    checkRange("priorCorrection", name, value, Number.MIN_VALUE, 1 - Number.EPSILON / 2);
  }
  const odds = (p: number) => Math.log(p) - Math.log1p(-p);
  return { method: "prior", from, shift: odds(truePrevalence) - odds(trainPrevalence) };
}

/** The same after weighing positives `ratio` times as much as negatives (class weights, posWeight): -ln(ratio). */
export function weightCorrection(ratio: number, from: ScoreKind = "probability"): PriorShift {
  checkValue("weightCorrection", "from", from, scoreKind);
  checkRange("weightCorrection", "ratio", ratio, Number.MIN_VALUE, Number.MAX_VALUE);
  return { method: "prior", from, shift: -Math.log(ratio) };
}

interface Rows {
  readonly target: Float64Array;
  readonly weight: Float64Array;
  /** Logits. */
  readonly z: Float64Array;
}

/** What float32 tells from 0 and from 1. */
const CERTAIN = 1e-7;

/** ln(p / (1 - p)), p being clipped. */
function logit(p: number): number {
  const clipped = Math.min(1 - CERTAIN, Math.max(CERTAIN, p));
  return Math.log(clipped) - Math.log1p(-clipped);
}

const toLogit = (score: number, from: ScoreKind): number => (from === "logit" ? score : logit(score));

function mapOf(c: Calibration): (score: number) => number {
  switch (c.method) {
    case "platt":
      return (score) => sigmoid(c.slope * toLogit(score, c.from) + c.intercept);
    case "temperature":
      return (score) => sigmoid(toLogit(score, c.from) / c.temperature);
    case "beta":
      return (score) => {
        const z = toLogit(score, c.from);
        return sigmoid(c.a * logSigmoid(z) - c.b * logSigmoid(-z) + c.c);
      };
    case "isotonic":
      return (score) => evaluateMonotone(c, score);
    case "prior":
      // On the odds rather than the logit, so that no probability is clipped.
      return c.from === "logit" ? (score) => sigmoid(score + c.shift) : (p) => scaleOdds(p, Math.exp(c.shift));
    default:
      throw unknownMethod(c satisfies never);
  }
}

const scaleOdds = (p: number, factor: number): number => (p * factor) / (p * factor + (1 - p));

const unknownMethod = (got: unknown): TilegradError =>
  new TilegradError("E_ARGUMENT", `calibration: unknown method ${JSON.stringify(got)}.`, {
    hint: "Use platt, isotonic, temperature or beta.",
  });

/** Sum of the weights of the rows with label 1 and 0. */
function classWeights({ target, weight }: Rows): [positive: number, negative: number] {
  const sums: [number, number] = [0, 0];
  target.forEach((t, i) => {
    sums[t === 1 ? 0 : 1] += weight[i];
  });
  return sums;
}

function requireBoth(rows: Rows): void {
  const [positive, negative] = classWeights(rows);
  if (positive > 0 && negative > 0) return;
  throw new TilegradError("E_DATA", `fitCalibration: all rows are ${positive > 0 ? "positive" : "negative"}.`, {
    hint: "Calibrate on rows of both classes.",
  });
}

/** ln sigmoid(z), without overflow. */
const logSigmoid = (z: number): number => -softplus(-z);

/** Keeps the optimum finite on separable rows; far below what rows can tell. */
const RIDGE = 5e-10;

/** The factors of some features, [n] each, whose sum is the logit that meets the rows best. */
function fitLogit(
  features: readonly Float64Array[],
  { target, weight }: Pick<Rows, "target" | "weight">,
): Float64Array {
  const k = features.length;
  const mean = weight.reduce((sum, w) => sum + w, 0) / weight.length;
  return minimizeLogistic({
    x: Float64Array.from({ length: k * target.length }, (_, i) => features[i % k][Math.floor(i / k)]),
    y: target,
    weight: weight.map((w) => w / mean),
    l2: RIDGE,
    start: new Float64Array(k),
    tolerance: 0,
    maxIterations: 200,
  }).at;
}

const ones = (n: number): Float64Array => new Float64Array(n).fill(1);

/** With Platt's soft targets (N+ + 1)/(N+ + 2) and 1/(N- + 2), which keep separable rows from certainty. */
function fitPlatt(rows: Rows): { slope: number; intercept: number } {
  const [positive, negative] = classWeights(rows);
  const target = rows.target.map((t) => (t === 1 ? (positive + 1) / (positive + 2) : 1 / (negative + 2)));
  const [slope, intercept] = fitLogit([rows.z, ones(target.length)], { ...rows, target });
  return { slope, intercept };
}

/** Temperatures beyond 1000 say the scores know nothing; one that would be negative is capped there. */
function fitTemperature(rows: Rows): number {
  const [slope] = fitLogit([rows.z], rows);
  return 1 / Math.max(slope, 1e-3);
}

/** A negative a or b would make the map fall somewhere: it is set to 0 and the others are fitted again. */
function fitBeta(rows: Rows): { a: number; b: number; c: number } {
  const { z } = rows;
  const onPositive = z.map(logSigmoid);
  const onNegative = z.map((value) => -logSigmoid(-value));
  const one = ones(z.length);
  const [a, b, c] = fitLogit([onPositive, onNegative, one], rows);
  if (a >= 0 && b >= 0) return { a, b, c };
  const [kept, intercept] = fitLogit([a < 0 ? onNegative : onPositive, one], rows);
  const slope = Math.max(kept, 0);
  return a < 0 ? { a: 0, b: slope, c: intercept } : { a: slope, b: 0, c: intercept };
}
