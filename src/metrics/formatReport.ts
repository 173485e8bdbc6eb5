import * as is from "../kinds.ts";
import { checkFields, checkObject } from "../options.ts";
import { textTable } from "../textTable.ts";
import type { ClassificationReport, ReportMeasures } from "./report.ts";
import { NOTHING_POSITIVE } from "./thresholds.ts";

/** What a report lists, in this order. */
export const measureLabels: readonly (readonly [label: string, name: keyof ReportMeasures])[] = [
  ["ROC-AUC", "rocAuc"],
  ["PR-AUC (average precision)", "prAuc"],
  ["KS", "ks"],
  ["log loss", "logLoss"],
  ["Brier", "brier"],
  ["ECE", "ece"],
  ["accuracy", "accuracy"],
  ["balanced accuracy", "balancedAccuracy"],
  ["precision", "precision"],
  ["recall", "recall"],
  ["specificity", "specificity"],
  ["F1", "f1"],
  ["MCC", "mcc"],
  ["kappa", "kappa"],
];

/**
 * A report as a text table, each measure beside the prevalence baseline and those of other models on the same rows, by
 * name; no trailing newline. @throws E_ARGUMENT
 */
export function formatReport(
  report: ClassificationReport,
  besides: Readonly<Record<string, ClassificationReport>> = {},
): string {
  checkObject("formatReport: besides", besides, "reports by name");
  for (const given of [report, ...Object.values(besides)])
    checkFields(
      "formatReport",
      given,
      { confusion: is.object, baseline: is.object },
      "what classificationReport gives",
    );
  const { confusion: c, intervals, baseline, level = 0.95 } = report;
  const percent = (share: number) => `${(100 * share).toPrecision(3)} %`;
  const header = [
    "",
    "model",
    ...Object.keys(besides),
    "baseline",
    ...(intervals ? [`${+(100 * level).toFixed(2)} % interval`] : []),
  ];
  const body = measureLabels.map(([label, name]) => {
    const interval = intervals?.[name];
    const range = interval ? `${decimals(interval.low)} .. ${decimals(interval.high)}` : "-";
    const beside = name in baseline ? baseline[name as keyof typeof baseline] : null;
    const others = Object.values(besides).map((other) => decimals(other[name]));
    return [label, decimals(report[name]), ...others, decimals(beside), ...(intervals ? [range] : [])];
  });
  const counts = [
    ["", "said no", "said yes"],
    ["is no", count(c.tn), count(c.fp)],
    ["is yes", count(c.fn), count(c.tp)],
  ];
  const summary =
    `${count(report.rows)} rows, ${percent(report.prevalence)} positive; ` +
    `threshold ${thresholdText(report.threshold)} alerts on ${percent(report.alertRate)}`;
  const note =
    report.undefined.length > 0 ? [`undefined on these rows (0/0), shown as 0: ${report.undefined.join(", ")}`] : [];
  const explained = "baseline: the best that some constant answer reaches, measure by measure";
  return [summary, "", ...textTable([header, ...body]), explained, "", ...textTable(counts), ...note].join("\n");
}

/** Six digits, or "none" where the threshold is beyond every score. */
const thresholdText = (threshold: number): string =>
  threshold === NOTHING_POSITIVE ? "none" : String(+threshold.toPrecision(6));

const decimals = (value: number | null): string => (value === null ? "-" : value.toFixed(4));

/** Whole counts with thousands separated, weighted ones to two decimals. */
const count = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: Number.isInteger(value) ? 0 : 2 });
