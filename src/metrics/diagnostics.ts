/** Everything the plots of a report are drawn from, small enough for a file: curves are thinned to what can be seen. */
import { areProbabilities, type NumberList } from "./check.ts";
import { costEnvelope } from "./costs.ts";
import { detCurve, prCurve, rocCurve } from "./curves.ts";
import { type ScoreDistribution, scoreDistribution } from "./distribution.ts";
import { gainCurve } from "./gains.ts";
import { type CalibrationBin, calibrationCurve } from "./probability.ts";
import type { CostMatrix } from "./thresholdRule.ts";
import { tuneThreshold } from "./thresholds.ts";
import { type ThresholdRow, type ThresholdTableOptions, thresholdTable } from "./thresholdTable.ts";

/** Plain JSON. Curves are null when one class is absent. */
export interface Diagnostics {
  readonly roc: { readonly fpr: number[]; readonly tpr: number[] } | null;
  readonly pr: { readonly recall: number[]; readonly precision: number[] } | null;
  readonly det: { readonly fpr: number[]; readonly fnr: number[] } | null;
  readonly gain: { readonly fraction: number[]; readonly gain: number[] } | null;
  readonly cost: { readonly probabilityCost: number[]; readonly cost: number[]; readonly trivial: number[] } | null;
  /** null when the scores are not probabilities. */
  readonly calibration: readonly CalibrationBin[] | null;
  readonly scores: ScoreDistribution;
  /** At evenly spaced thresholds; NaN-free: an undefined precision is 0. */
  readonly measures: Readonly<Record<"threshold" | "precision" | "recall" | "f1", readonly number[]>>;
  /** What the costs below are. */
  readonly costs: CostMatrix;
  /** The chosen threshold among those that find 95 %, 90 %, 80 %, ... of the positives, ascending. */
  readonly thresholds: readonly ThresholdRow[];
}

const GRID = 100;
const RECALLS = [0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

/**
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @param options `threshold` chosen before, on other rows; `sampleWeight` [n], of all but the distribution of scores;
 *   `costs`, default: a miss costs as much as there are negatives to a positive; `amounts` [n] for costs that are "amount"
 * @throws `E_DATA` on bad rows or amounts, `E_ARGUMENT` on bad costs or missing amounts
 */
export function diagnostics(
  y: NumberList,
  scores: NumberList,
  options: { readonly threshold: number } & Omit<ThresholdTableOptions, "thresholds">,
): Diagnostics {
  const { threshold, costs, sampleWeight, amounts } = options;
  const positives = Array.from(y).reduce((sum, label) => sum + label, 0);
  const both = positives > 0 && positives < y.length;
  const ratio = both ? Math.max(1, Math.round((y.length - positives) / positives)) : 1;
  const priced = costs ?? { fp: 1, fn: ratio };
  const [roc, pr, det, gain] = [rocCurve, prCurve, detCurve, gainCurve].map((of) => of(y, scores, sampleWeight)) as [
    ReturnType<typeof rocCurve>,
    ReturnType<typeof prCurve>,
    ReturnType<typeof detCurve>,
    ReturnType<typeof gainCurve>,
  ];
  const weights = sampleWeight ? { sampleWeight } : {};
  const envelope = costEnvelope(y, scores, sampleWeight);
  const atRecall = both
    ? RECALLS.map((r) => tuneThreshold(y, scores, { maximize: "precision", recallAtLeast: r }, weights).threshold)
    : [];
  const thresholds = [...new Set([threshold, ...atRecall])].sort((a, b) => a - b);
  const distribution = scoreDistribution(y, scores);
  const { low, high } = distribution;
  const grid = Array.from({ length: GRID }, (_, i) => low + ((i + 0.5) / GRID) * (high - low));
  const spaced = thresholdTable(y, scores, { thresholds: grid, ...weights });
  return {
    roc: roc && thin({ fpr: roc.fpr, tpr: roc.tpr }),
    pr: pr && thin({ recall: pr.recall, precision: pr.precision }),
    det: det && thin({ fpr: det.fpr, fnr: det.fnr }),
    gain: gain && thin({ fraction: gain.fraction, gain: gain.gain }),
    cost: envelope && {
      probabilityCost: tidy(envelope.probabilityCost),
      cost: tidy(envelope.cost),
      trivial: tidy(envelope.trivial),
    },
    calibration: areProbabilities(scores) ? calibrationCurve(y, scores, { ...weights, strategy: "quantile" }) : null,
    scores: distribution,
    measures: {
      threshold: tidy(grid),
      precision: tidy(spaced.map((row) => row.precision)),
      recall: tidy(spaced.map((row) => row.recall)),
      f1: tidy(spaced.map((row) => row.f1)),
    },
    costs: priced,
    thresholds: thresholdTable(y, scores, { thresholds, costs: priced, ...(amounts ? { amounts } : {}), ...weights }),
  };
}

/** A curve moves at least this far, in either direction, between two points that are kept. */
const NEAREST = 1 / 400;

/** The points of a curve in the unit square that a plot can tell apart, always the first and the last. */
function thin<Name extends string>(curve: Readonly<Record<Name, ArrayLike<number>>>): Record<Name, number[]> {
  const axes = Object.entries(curve) as [Name, ArrayLike<number>][];
  const last = axes[0][1].length - 1;
  const kept: number[] = [];
  for (let i = 0; i <= last; i++) {
    const before = kept.at(-1);
    const far = before === undefined || i === last || axes.some(([, v]) => Math.abs(v[i] - v[before]) >= NEAREST);
    if (far) kept.push(i);
  }
  return Object.fromEntries(axes.map(([name, values]) => [name, tidy(kept.map((i) => values[i]))])) as Record<
    Name,
    number[]
  >;
}

/** To six significant digits. */
const tidy = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Number(value.toPrecision(6)));
