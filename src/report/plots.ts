import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { DetCurve, PrCurve, RocCurve } from "../metrics/curves.ts";
import { type ScoreDistribution, upperEnd } from "../metrics/distribution.ts";
import type { CalibrationBin } from "../metrics/probability.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import { chart, type Mark, type Series } from "./chart.ts";
import type { PlotOptions } from "./check.ts";
import { checkCurve, checkNamed, plotOptions } from "./check.ts";
import { formatTick } from "./scale.ts";
import type { ColorName } from "./theme.ts";

/** A curve as it was computed, or as it was read from a file. */
type Curve<T> = { readonly [Name in keyof T]: ArrayLike<number> };

/** A point of a curve, and the threshold that it belongs to. */
type Point<Rate extends string> = Readonly<Record<Rate | "threshold", number>>;

const checkDistribution = (plot: string, given: unknown): void =>
  checkFields(plot, given, { counts: is.list, cumulative: is.list }, "a distribution, as scoreDistribution gives");

const unit: readonly [number, number] = [0, 1];
const square = { width: 420, height: 420 };

/** What a model is seen beside. */
const reference = (name: string, x: ArrayLike<number>, y: ArrayLike<number>): Series => ({
  kind: "line",
  name,
  x,
  y,
  color: "grey",
  dashed: true,
});

/** A measure as text, "" when it is undefined. */
const valueText = (name: string, value: number | null | undefined): string =>
  value === null || value === undefined ? name : `${name} ${value.toFixed(3)}`;

const learningCurvePlotOptions = {
  ...plotOptions,
  /** Default "loss". */
  yLabel: is.string,
  /** From 1; it is marked. */
  bestEpoch: is.positiveInteger,
};

export interface LearningCurvePlotOptions extends OptionsOf<typeof learningCurvePlotOptions> {}

/**
 * One line per curve over epochs 1..n.
 *
 * @param curves values per epoch by name, for example `{ training: loss, validation: valLoss }`; NaN breaks a line
 */
export function learningCurvePlot(
  curves: Readonly<Record<string, ArrayLike<number>>>,
  options: LearningCurvePlotOptions = {},
): string {
  checkNamed("learningCurvePlot", curves, is.values, "values per epoch by name");
  const {
    title = "Learning curves",
    yLabel = "loss",
    bestEpoch,
    theme,
  } = checkOptions("learningCurvePlot", options, learningCurvePlotOptions);
  const series = Object.entries(curves).map(
    ([name, y]): Series => ({ kind: "line", name, y, x: Array.from({ length: y.length }, (_, i) => i + 1) }),
  );
  const last = Math.max(2, ...series.map((s) => s.y.length));
  return chart({
    name: "learning",
    title,
    theme,
    x: { label: "epoch", domain: [1, last], whole: true },
    y: { label: yLabel },
    series,
    guides: bestEpoch === undefined ? [] : [{ axis: "x", at: bestEpoch, label: `best epoch ${bestEpoch}` }],
  });
}

/** A measure that may be undefined. */
const measureKind: Kind<number | null> = {
  expected: "a number, or null",
  holds: (v) => v === null || is.number.holds(v),
};

const rocPlotOptions = {
  ...plotOptions,
  /** Area under it. */
  auc: measureKind,
  /** The operating point. */
  point: is.object as Kind<Point<"fpr" | "tpr">>,
};

export interface RocPlotOptions extends OptionsOf<typeof rocPlotOptions> {}

/** The ROC curve with chance as a diagonal. */
export function rocPlot(curve: Curve<Pick<RocCurve, "fpr" | "tpr">>, options: RocPlotOptions = {}): string {
  checkCurve("rocPlot", curve, ["fpr", "tpr"], "rocCurve gives");
  const { title = "ROC curve", auc, point, theme } = checkOptions("rocPlot", options, rocPlotOptions);
  return chart({
    name: "roc",
    title,
    theme,
    ...square,
    x: { label: "false positive rate", domain: unit },
    y: { label: "true positive rate (recall)", domain: unit },
    series: [
      { kind: "line", name: valueText("model, AUC", auc), x: curve.fpr, y: curve.tpr },
      reference("chance, AUC 0.500", unit, unit),
    ],
    marks: point ? [operatingPoint(point.fpr, point.tpr, point.threshold)] : [],
  });
}

const prPlotOptions = {
  ...plotOptions,
  /** Area under it. */
  averagePrecision: measureKind,
  /** Share of positives. */
  prevalence: is.share,
  /** The operating point. */
  point: is.object as Kind<Point<"precision" | "recall">>,
};

export interface PrPlotOptions extends OptionsOf<typeof prPlotOptions> {}

/** The precision-recall curve as the steps that average precision sums, with the prevalence as its baseline. */
export function prPlot(curve: Curve<Pick<PrCurve, "recall" | "precision">>, options: PrPlotOptions = {}): string {
  checkCurve("prPlot", curve, ["recall", "precision"], "prCurve gives");
  const {
    title = "Precision and recall",
    averagePrecision,
    prevalence,
    point,
    theme,
  } = checkOptions("prPlot", options, prPlotOptions);
  return chart({
    name: "pr",
    title,
    theme,
    ...square,
    x: { label: "recall", domain: unit },
    y: { label: "precision", domain: unit },
    series: [
      {
        kind: "step",
        name: valueText("model, average precision", averagePrecision),
        x: curve.recall,
        y: curve.precision,
      },
      ...(prevalence === undefined
        ? []
        : [reference(valueText("prevalence", prevalence), unit, [prevalence, prevalence])]),
    ],
    marks: point ? [operatingPoint(point.recall, point.precision, point.threshold)] : [],
  });
}

const thresholdLabel = (threshold: number): string => `threshold ${formatTick(+threshold.toPrecision(3))}`;

const operatingPoint = (x: number, y: number, threshold: number): Mark => ({ x, y, label: thresholdLabel(threshold) });

const classSeries: readonly { label: 0 | 1; name: string; color: ColorName }[] = [
  { label: 0, name: "label 0", color: "blue" },
  { label: 1, name: "label 1", color: "orange" },
];

const scorePlotOptions = {
  ...plotOptions,
  /** The chosen one; it is marked. */
  threshold: is.number,
  /** Of the labels 0 and 1. */
  classNames: is.strings as Kind<readonly [string, string]>,
};

export interface ScorePlotOptions extends OptionsOf<typeof scorePlotOptions> {}

/** Where the scores of each class lie: per class the share of its rows in each bin, so that a rare class is visible. */
export function scoreHistogramPlot(distribution: ScoreDistribution, options: ScorePlotOptions = {}): string {
  checkDistribution("scoreHistogramPlot", distribution);
  const { low, high, counts } = distribution;
  const {
    title = "Scores by class",
    threshold,
    classNames,
    theme,
  } = checkOptions("scoreHistogramPlot", options, scorePlotOptions);
  const bins = counts[0].length;
  const edges = Array.from({ length: bins + 1 }, (_, b) => low + (b / bins) * (high - low));
  return chart({
    name: "scores",
    title,
    theme,
    x: { label: "score", domain: [low, high] },
    y: { label: "share of the class", zero: true },
    series: classSeries.map(({ label, name, color }): Series => {
      const total = counts[label].reduce((sum, count) => sum + count, 0);
      const shares = counts[label].map((count) => count / Math.max(1, total));
      const withName = `${classNames?.[label] ?? name} (${total.toLocaleString("en-US")} rows)`;
      return { kind: "area", name: withName, color, x: edges, y: [...shares, shares[bins - 1]] };
    }),
    guides: thresholdGuide(threshold),
  });
}

/** The cumulative distribution of the scores of each class; their largest distance is the KS statistic. */
export function scoreCdfPlot(distribution: ScoreDistribution, options: ScorePlotOptions = {}): string {
  checkDistribution("scoreCdfPlot", distribution);
  const { low, high, cumulative } = distribution;
  const {
    title = "Cumulative scores by class",
    threshold,
    classNames,
    theme,
  } = checkOptions("scoreCdfPlot", options, scorePlotOptions);
  return chart({
    name: "cdf",
    title,
    theme,
    x: { label: "score", domain: [low, high] },
    y: { label: "share of the class at or below", domain: unit },
    series: classSeries.map(({ label, name, color }): Series => {
      const { score, share } = cumulative[label];
      const x = [low, ...score, high];
      return { kind: "step", name: classNames?.[label] ?? name, color, x, y: [0, ...share, share.length > 0 ? 1 : 0] };
    }),
    guides: thresholdGuide(threshold),
  });
}

const thresholdGuide = (threshold: number | undefined) =>
  threshold === undefined ? [] : [{ axis: "x", at: threshold, label: thresholdLabel(threshold) } as const];

/**
 * A reliability diagram: in each bin the mean predicted probability against the observed frequency, each point's area
 * in proportion to its rows. The diagonal is perfect calibration. Several calibrations can be laid over one another.
 */
export function calibrationPlot(
  curves: Readonly<Record<string, readonly CalibrationBin[]>>,
  options: PlotOptions = {},
): string {
  checkNamed("calibrationPlot", curves, is.list, "bins by name, as calibrationCurve gives");
  const { title = "Calibration", theme } = checkOptions("calibrationPlot", options, plotOptions);
  const reached = Object.values(curves).flatMap((bins) =>
    bins.flatMap((bin) => [bin.meanPredicted ?? 0, bin.observed ?? 0]),
  );
  const domain = [0, upperEnd(Math.max(...reached))] as const;
  const lines = Object.entries(curves).flatMap(([name, bins], i): Series[] => {
    const held = bins.filter((bin) => bin.weight > 0);
    const largest = Math.max(...held.map((bin) => bin.weight));
    const x = held.map((bin) => bin.meanPredicted ?? 0);
    const y = held.map((bin) => bin.observed ?? 0);
    const color = (["blue", "orange", "green", "purple"] as const)[i % 4];
    const radius = held.map((bin) => 2.5 + 5 * Math.sqrt(bin.weight / largest));
    return [
      { kind: "line", name, color, x, y },
      { kind: "points", color, x, y, radius },
    ];
  });
  return chart({
    name: "calibration",
    title,
    theme,
    x: { label: "mean predicted probability", domain },
    y: { label: "observed frequency", domain },
    series: [reference("perfect", domain, domain), ...lines],
  });
}

const detPlotOptions = {
  ...plotOptions,
  /** The operating point. */
  point: is.object as Kind<Point<"fpr" | "fnr">>,
};

export interface DetPlotOptions extends OptionsOf<typeof detPlotOptions> {}

/**
 * Detection error trade-off on normal deviate axes (Martin et al. 1997), where scores of two normal distributions give a
 * straight line; nearer to the lower left is better.
 */
export function detPlot(curve: Curve<Pick<DetCurve, "fpr" | "fnr">>, options: DetPlotOptions = {}): string {
  checkCurve("detPlot", curve, ["fpr", "fnr"], "detCurve gives");
  const { title = "Detection error trade-off", point, theme } = checkOptions("detPlot", options, detPlotOptions);
  const rates = [0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999];
  const [lowest, highest] = [rates[0], rates[rates.length - 1]];
  const deviates = (values: ArrayLike<number>): number[] =>
    Array.from(values, (p) => normalDeviate(Math.min(highest, Math.max(lowest, p))));
  const axis = {
    domain: [normalDeviate(lowest), normalDeviate(highest)],
    ticks: rates.map((rate) => ({ at: normalDeviate(rate), text: String(+(100 * rate).toPrecision(3)) })),
  } as const;
  const marks = point ? [operatingPoint(deviates([point.fpr])[0], deviates([point.fnr])[0], point.threshold)] : [];
  return chart({
    name: "det",
    title,
    theme,
    ...square,
    x: { label: "false positive rate, %", ...axis },
    y: { label: "false negative rate (missed), %", ...axis },
    series: [
      { kind: "line", name: "model", x: deviates(curve.fpr), y: deviates(curve.fnr) },
      reference("chance", deviates(rates), deviates(rates.map((rate) => 1 - rate))),
    ],
    marks,
  });
}

/** The standard normal quantile of p in (0, 1), to 4.5e-4 (Abramowitz & Stegun 26.2.23): enough for pixels. */
function normalDeviate(p: number): number {
  const t = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)));
  const numerator = 2.515517 + t * (0.802853 + t * 0.010328);
  const denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return (p < 0.5 ? -1 : 1) * (t - numerator / denominator);
}

/** The least expected cost over all thresholds for each balance of costs (Drummond & Holte 2006). */
export function costPlot(
  curve: { probabilityCost: ArrayLike<number>; cost: ArrayLike<number>; trivial: ArrayLike<number> },
  options: PlotOptions = {},
): string {
  checkCurve("costPlot", curve, ["probabilityCost", "cost", "trivial"], "costCurve gives");
  const { title = "Cost curve", theme } = checkOptions("costPlot", options, plotOptions);
  return chart({
    name: "cost",
    title,
    theme,
    ...square,
    x: { label: "share of the cost at stake in missed positives", domain: unit },
    y: { label: "expected cost (normalized)", domain: [0, 0.5] },
    series: [
      { kind: "line", name: "model, best threshold for each", x: curve.probabilityCost, y: curve.cost },
      reference("always or never alerting", curve.probabilityCost, curve.trivial),
    ],
  });
}

const thresholdPlotOptions = {
  ...plotOptions,
  /** The chosen one; it is marked. */
  threshold: is.number,
  /** Default "value". */
  yLabel: is.string,
};

export interface ThresholdPlotOptions extends OptionsOf<typeof thresholdPlotOptions> {}

/** Any measures (precision, recall, F1, cost, ...) against the threshold. */
export function thresholdPlot(
  thresholds: ArrayLike<number>,
  measures: Readonly<Record<string, ArrayLike<number>>>,
  options: ThresholdPlotOptions = {},
): string {
  checkValue("thresholdPlot", "thresholds", thresholds, is.values);
  checkNamed("thresholdPlot", measures, is.values, "values per threshold by name");
  const {
    title = "Measures by threshold",
    threshold,
    yLabel = "value",
    theme,
  } = checkOptions("thresholdPlot", options, thresholdPlotOptions);
  return chart({
    name: "thresholds",
    title,
    theme,
    x: { label: "threshold", domain: thresholdRange(thresholds) },
    y: { label: yLabel, zero: true },
    series: Object.entries(measures).map(([name, y]): Series => ({ kind: "line", name, x: thresholds, y })),
    guides: thresholdGuide(threshold),
  });
}

function thresholdRange(thresholds: ArrayLike<number>): [number, number] {
  const finite = Array.from(thresholds).filter(Number.isFinite);
  return [Math.min(0, ...finite), upperEnd(Math.max(...finite))];
}

/** Cumulative gain: the share of positives found among the highest scored rows, against taking rows at random. */
export function gainPlot(
  curve: { fraction: ArrayLike<number>; gain: ArrayLike<number> },
  options: PlotOptions = {},
): string {
  checkCurve("gainPlot", curve, ["fraction", "gain"], "gainCurve gives");
  const { title = "Cumulative gain", theme } = checkOptions("gainPlot", options, plotOptions);
  return chart({
    name: "gain",
    title,
    theme,
    ...square,
    x: { label: "share of rows, highest scores first", domain: unit },
    y: { label: "share of positives found", domain: unit },
    series: [{ kind: "line", name: "model", x: curve.fraction, y: curve.gain }, reference("at random", unit, unit)],
  });
}
