/** Every plot of a result, by name: what the report shows, and what `--report plots.svg` lays out. */
import { barPlot } from "./barPlot.ts";
import type { PlotOptions } from "./check.ts";
import { confusionPlot } from "./confusionPlot.ts";
import {
  calibrationPlot,
  costPlot,
  detPlot,
  gainPlot,
  learningCurvePlot,
  prPlot,
  rocPlot,
  scoreCdfPlot,
  scoreHistogramPlot,
  thresholdPlot,
} from "./plots.ts";
import type { EvaluationResult, TrainingResult } from "./result.ts";

const PLOT_NAMES = [
  "confusion",
  "pr",
  "roc",
  "gain",
  "det",
  "cost",
  "scores",
  "cdf",
  "thresholds",
  "calibration",
  "importance",
  "attribution",
  "loss",
  "monitor",
] as const;

export type PlotName = (typeof PLOT_NAMES)[number];

/** SVG text by name; null where the result has nothing to draw. */
export function plotsOf(
  result: EvaluationResult & Partial<TrainingResult>,
  { theme = "light" }: Pick<PlotOptions, "theme"> = {},
): Record<PlotName, string | null> {
  const { diagnostics: d, part, importance, history = {}, best, settings = {} } = result;
  const report = result.metrics[part];
  if (!report) throw new Error(`no metrics of the ${part} rows`);
  const { threshold, precision, recall, specificity, prevalence } = report;
  const classNames = ["no", "yes"] as const;
  const at = { fpr: 1 - specificity, tpr: recall, fnr: 1 - recall, precision, recall, threshold };
  // A threshold beyond every score is none.
  const point = threshold <= d.scores.high ? { point: at } : {};
  const common = { theme };
  const permutation = importance?.permutation;
  return {
    confusion: confusionPlot(report.confusion, { ...common, classNames }),
    pr: d.pr && prPlot(d.pr, { ...common, averagePrecision: report.prAuc, prevalence, ...point }),
    roc: d.roc && rocPlot(d.roc, { ...common, auc: report.rocAuc, ...point }),
    gain: d.gain && gainPlot(d.gain, common),
    det: d.det && detPlot(d.det, { ...common, ...point }),
    cost: d.cost && costPlot(d.cost, common),
    scores: scoreHistogramPlot(d.scores, { ...common, classNames, threshold }),
    cdf: scoreCdfPlot(d.scores, { ...common, classNames, threshold }),
    thresholds: thresholdPlot(
      d.measures.threshold,
      { precision: d.measures.precision, recall: d.measures.recall, F1: d.measures.f1 },
      { ...common, threshold, title: "By threshold" },
    ),
    calibration: d.calibration && calibrationPlot({ model: d.calibration }, common),
    importance: permutation
      ? barPlot(byName(permutation), {
          ...common,
          title: "Drop of PR-AUC when a column is shuffled",
          deviations: Object.fromEntries(permutation.map(({ name, std }) => [name, std])),
        })
      : null,
    attribution: importance
      ? barPlot(byName(importance.attribution), {
          ...common,
          name: "attribution",
          title: "How far a column moves the log odds, on average",
        })
      : null,
    ...learningPlots(history, best?.epoch, String(settings["monitor"] ?? ""), common),
  };
}

const byName = (entries: readonly { name: string; mean: number }[]): Record<string, number> =>
  Object.fromEntries(entries.map(({ name, mean }) => [name, mean]));

function learningPlots(
  history: Readonly<Record<string, readonly number[]>>,
  bestEpoch: number | undefined,
  monitor: string,
  common: Pick<PlotOptions, "theme">,
): { loss: string | null; monitor: string | null } {
  const { loss, valLoss } = history;
  const best = bestEpoch === undefined ? {} : { bestEpoch: bestEpoch + 1 };
  const watched = history[monitor];
  const losses = { training: loss, ...(valLoss ? { validation: valLoss } : {}) };
  return {
    loss: loss ? learningCurvePlot(losses, { ...common, ...best, title: "Loss" }) : null,
    monitor:
      watched && !["loss", "valLoss"].includes(monitor)
        ? learningCurvePlot({ [monitor]: watched }, { ...common, ...best, title: "What must improve", yLabel: monitor })
        : null,
  };
}

/** All plots in one SVG, in rows of two. */
export function plotSheet(drawn: Readonly<Record<string, string | null>>): string {
  const svgs = Object.values(drawn).filter((svg) => svg !== null);
  const sizes = svgs.map((svg) => {
    const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
    return { width: Number(width), height: Number(height) };
  });
  const [columnWidth, gap] = [520, 20];
  let bottom = gap;
  const placed: string[] = [];
  for (let i = 0; i < svgs.length; i += 2) {
    const row = [i, i + 1].filter((k) => k < svgs.length);
    for (const k of row) {
      const x = gap + (k - i) * (columnWidth + gap) + (columnWidth - sizes[k].width) / 2;
      placed.push(svgs[k].replace("<svg ", `<svg x="${x}" y="${bottom}" `));
    }
    bottom += Math.max(...row.map((k) => sizes[k].height)) + gap;
  }
  const width = 2 * columnWidth + 3 * gap;
  const size = `viewBox="0 0 ${width} ${bottom}" width="${width}" height="${bottom}"`;
  const paper = `<rect width="${width}" height="${bottom}" fill="#f7f8fa"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${paper}${placed.join("")}</svg>\n`;
}
