import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { checkProbabilities, checkRange, type NumberList, type Numeric } from "./check.ts";

const logLossOptions = {
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
  /** Default 1e-15. */
  eps: is.number,
};

export interface LogLossOptions extends OptionsOf<typeof logLossOptions> {}

/** Mean of -[y ln p + (1 - y) ln(1 - p)] with p clipped to [eps, 1 - eps]. */
export function logLoss(labels: Numeric, probabilities: Numeric, options: LogLossOptions = {}): number {
  const { eps = 1e-15 } = checkOptions("logLoss", options, logLossOptions);
  const { y, scores, sampleWeight } = checkProbabilities("logLoss", labels, probabilities, options.sampleWeight);
  checkRange("logLoss", "eps", eps, 0, 0.5);
  return weightedMean(y.length, sampleWeight, (i) => {
    const p = Math.min(1 - eps, Math.max(eps, scores[i]));
    return y[i] === 1 ? -Math.log(p) : -Math.log1p(-p);
  });
}

/** Mean of (p - y)², in [0, 1] (Brier 1950, the two-class half of it). */
export function brier(labels: Numeric, probabilities: Numeric, weights?: Numeric): number {
  const { y, scores, sampleWeight } = checkProbabilities("brier", labels, probabilities, weights);
  return weightedMean(y.length, sampleWeight, (i) => (scores[i] - y[i]) ** 2);
}

function weightedMean(rows: number, weight: NumberList | undefined, value: (row: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const w = weight === undefined ? 1 : weight[i];
    if (w === 0) continue;
    sum += w * value(i);
    total += w;
  }
  return sum / total;
}

const BIN_OPTIONS = {
  /** Number of bins, default 10. */
  bins: is.positiveInteger,
  /** "uniform" (default): of equal width over [0, 1]; "quantile": of equally many rows, but for ties. */
  strategy: is.oneOf("uniform", "quantile"),
  /** "left": [a, b) and the last bin holds 1; "right": (a, b] and the first holds 0. Default "left". */
  closed: is.oneOf("left", "right"),
  /**
   * What is compared: "positive" (default) the probability of y = 1 with the share of positives; "confidence"
   * max(p, 1 - p) with the share predicted rightly at 0.5 (Guo et al. 2017).
   */
  of: is.oneOf("positive", "confidence"),
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
};

/** How scores are put into bins. */
export interface BinOptions extends OptionsOf<typeof BIN_OPTIONS> {}

/** One bin of a reliability diagram; the means are null in an empty bin. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  /** Rows in the bin. */
  readonly count: number;
  /** Summed weight of those rows. */
  readonly weight: number;
  readonly meanPredicted: number | null;
  /** Share of positives (of right predictions, for "confidence"). */
  readonly observed: number | null;
}

/** Predicted against observed frequency in bins over [0, 1]: the points of a reliability diagram. */
export function calibrationCurve(labels: Numeric, probabilities: Numeric, options: BinOptions = {}): CalibrationBin[] {
  const {
    bins = 10,
    strategy = "uniform",
    closed = "left",
    of = "positive",
  } = checkOptions("calibrationCurve", options, BIN_OPTIONS);
  const { y, scores, sampleWeight } = checkProbabilities(
    "calibrationCurve",
    labels,
    probabilities,
    options.sampleWeight,
  );
  const confidence = (i: number): number => (of === "positive" ? scores[i] : Math.max(scores[i], 1 - scores[i]));
  const edges =
    strategy === "uniform"
      ? uniformEdges(bins)
      : quantileEdges(
          Float64Array.from(scores, (_, i) => confidence(i)),
          bins,
        );
  const count = new Float64Array(bins);
  const weight = new Float64Array(bins);
  const predicted = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let i = 0; i < y.length; i++) {
    const p = confidence(i);
    const hit = of === "positive" ? y[i] : Number(scores[i] >= 0.5 === (y[i] === 1));
    const b = binOf(p, edges, closed);
    const w = sampleWeight === undefined ? 1 : sampleWeight[i];
    count[b] += 1;
    weight[b] += w;
    predicted[b] += w * p;
    observed[b] += w * hit;
  }
  return Array.from({ length: bins }, (_, b) => ({
    low: edges[b],
    high: edges[b + 1],
    count: count[b],
    weight: weight[b],
    meanPredicted: weight[b] > 0 ? predicted[b] / weight[b] : null,
    observed: weight[b] > 0 ? observed[b] / weight[b] : null,
  }));
}

const uniformEdges = (bins: number): number[] => Array.from({ length: bins + 1 }, (_, b) => b / bins);

/** From 0 to 1, so many of the given probabilities between two neighbours. */
function quantileEdges(p: Float64Array, bins: number): number[] {
  const sorted = p.sort();
  const inner = Array.from({ length: bins - 1 }, (_, b) => sorted[Math.floor(((b + 1) * sorted.length) / bins)]);
  return [0, ...inner, 1];
}

/** The bin of p. */
function binOf(p: number, edges: readonly number[], closed: "left" | "right"): number {
  let b = 0;
  while (b + 2 < edges.length && (closed === "left" ? p >= edges[b + 1] : p > edges[b + 1])) b++;
  return b;
}

/** Expected calibration error: the mean over rows of their bin's |predicted - observed|. In [0, 1]. */
export function ece(y: Numeric, scores: Numeric, options: BinOptions = {}): number {
  const curve = calibrationCurve(y, scores, options);
  let sum = 0;
  let total = 0;
  for (const bin of curve) {
    sum += bin.weight * binGap(bin);
    total += bin.weight;
  }
  return sum / total;
}

/** Maximum calibration error: the largest |predicted - observed| of any bin that holds rows. In [0, 1]. */
export function mce(y: Numeric, scores: Numeric, options: BinOptions = {}): number {
  return Math.max(...calibrationCurve(y, scores, options).map(binGap));
}

const binGap = (bin: CalibrationBin): number =>
  bin.meanPredicted === null || bin.observed === null ? 0 : Math.abs(bin.meanPredicted - bin.observed);
