/** The report one would send to whoever has to decide: first what the decision means, then why to believe it. */
import type { TableDescription } from "../data/describe.ts";
import * as is from "../kinds.ts";
import type { Interval } from "../metrics/bootstrap.ts";
import { measureLabels } from "../metrics/formatReport.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { CostMatrix } from "../metrics/thresholdRule.ts";
import { checkFields } from "../options.ts";
import { columnContent } from "./columnContent.ts";
import type { Html } from "./page.ts";
import { page, plots, section, table, tag, tiles } from "./page.ts";
import { type PlotName, plotsOf } from "./plotsOf.ts";
import type { EvaluationResult, Importance, PartName, TrainingResult } from "./result.ts";
import { guessingOf, verdictOf } from "./verdict.ts";

type Result = EvaluationResult & Partial<TrainingResult>;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const count = (n: number): string => n.toLocaleString("en-US");
const decimals = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toFixed(3);
const thresholdText = (threshold: number): string => (threshold >= 1e300 ? "none" : threshold.toPrecision(3));

const ROWS: Readonly<Record<PartName, string>> = {
  test: "test rows, which nothing before has seen",
  validation: "validation rows; they also chose the threshold, so these numbers are too good",
  train: "training rows; these numbers are much too good",
};

/** A report of a training or an evaluation as one self-contained page of HTML. The result lies in it as JSON, in the element `#result`. */
export function htmlReport(result: Result): string {
  const parts = { metrics: is.object, part: is.oneOf("train", "validation", "test") };
  checkFields("htmlReport", result, parts, "a result, as train --json or evaluate --json prints it");
  const { target, positive, file, part, version } = result;
  const report = result.metrics[part] as ClassificationReport;
  const drawn = plotsOf(result);
  const title = `${target} = ${positive}`;
  return page({
    title: `${title} – ${file}`,
    header: [
      tag("p class=eyebrow", `${file}: which rows are “yes”?`),
      tag("h1", title),
      tag(
        "p class=soft",
        `${count(report.rows)} ${ROWS[part]}; ${percent(report.prevalence)} of them are yes. `,
        `The model: ${result.network?.model ?? result.model}.`,
      ),
      tag("p class=verdict", verdict(result, report)),
      keyFigures(report),
    ],
    sections: [
      decision(result, drawn),
      comparison(result, report),
      ranking(drawn),
      scores(drawn),
      ...(result.importance ? [reasons(result.importance, drawn)] : []),
      ...(result.history ? [training(result as TrainingResult, drawn)] : []),
      ...(result.data ? [data(result, result.data)] : []),
      reproduction(result),
    ],
    footer: `Made by tilegrad ${version}. Everything is in this file; nothing is loaded from elsewhere.`,
    data: result,
  });
}

/** The decision in two or three sentences, and whether the network was worth it. */
function verdict({ baseline, part, versusGuessing }: Result, report: ClassificationReport): string {
  const { alertRate, precision, recall, prAuc, threshold } = report;
  const { tn, fp, fn, tp } = report.confusion;
  const alerts = tp + fp;
  const decided =
    alerts === 0
      ? "At the chosen threshold no row is flagged. "
      : `Flagging scores of at least ${thresholdText(threshold)} flags ${count(alerts)} of ${count(tn + fp + fn + tp)} rows ` +
        `(${percent(alertRate)}). Of these, ${percent(precision)} are really yes, and ${percent(recall)} of all yes are found. `;
  const simple = baseline?.metrics[part]?.prAuc;
  if (prAuc === null) return decided;
  const ranks = `By PR-AUC the model reaches ${decimals(prAuc)}, where guessing reaches ${decimals(report.baseline.prAuc)}`;
  const beside = simple === null || simple === undefined ? "" : ` and logistic regression ${decimals(simple)}`;
  const judged = [...guessingOf(report, versusGuessing), ...verdictOf(baseline?.versus)];
  return [`${decided}${ranks}${beside}.`, ...judged].join(" ");
}

function keyFigures(report: ClassificationReport): Html {
  const { intervals, baseline, confusion } = report;
  const range = (interval: Interval | null | undefined): string =>
    interval ? `${decimals(interval.low)} to ${decimals(interval.high)}` : "";
  const positives = confusion.tp + confusion.fn;
  return tiles([
    {
      name: "PR-AUC",
      value: decimals(report.prAuc),
      note: range(intervals?.prAuc) || `guessing ${decimals(baseline.prAuc)}`,
    },
    { name: "ROC-AUC", value: decimals(report.rocAuc), note: range(intervals?.rocAuc) || "guessing 0.500" },
    {
      name: "Precision",
      value: percent(report.precision),
      note: `${count(confusion.tp)} of ${count(confusion.tp + confusion.fp)} flagged`,
    },
    { name: "Recall", value: percent(report.recall), note: `${count(confusion.tp)} of ${count(positives)} yes found` },
    { name: "F1", value: decimals(report.f1), note: range(intervals?.f1) || `all flagged ${decimals(baseline.f1)}` },
    { name: "Alerts", value: (1000 * report.alertRate).toFixed(1), note: "per thousand rows" },
  ]);
}

function decision(result: Result, drawn: Record<PlotName, string | null>): Html {
  const { diagnostics: d, threshold, thresholdRule, metrics, part } = result;
  const chosen = d.thresholds.findIndex((row) => row.threshold === threshold);
  const judges = metrics.validation ? "the validation rows" : "the training rows";
  const on = result.thresholdFolds ? `${result.thresholdFolds} folds of the rows that are not for testing` : judges;
  const how = Number.isNaN(Number(thresholdRule))
    ? `The threshold was chosen by the rule “${thresholdRule}”${part === "test" && !result.history ? " when the model was trained" : ` on ${on}`}, never on test rows.`
    : "The threshold was given.";
  const given = thresholdRule.startsWith("cost:")
    ? ""
    : " (none was given: as many as there are rows of no to one of yes)";
  const rows = d.thresholds.map((row) => [
    thresholdText(row.threshold),
    percent(row.precision),
    percent(row.recall),
    decimals(row.f1),
    count(row.alerts),
    (1000 * row.alertRate).toFixed(1),
    row.cost === null ? "–" : count(Number(row.cost.toPrecision(6))),
  ]);
  return section(
    "decision",
    "The decision",
    tag("p", `${how} Rows of the table below show what other thresholds would mean; the chosen one is set off.`),
    table(["threshold", "precision", "recall", "F1", "alerts", "per thousand", "cost"], rows, { strong: chosen }),
    tag(
      "p class=soft",
      `Cost: ${costText(d.costs)}${given}. Give your own with --threshold cost:fp=1,fn=5, which also chooses by it. Choosing from ` +
        "this table instead would use up the rows that are to judge the choice.",
    ),
    plots(drawn.confusion, drawn.pr),
  );
}

function costText(costs: CostMatrix): string {
  const names = { fp: "a false alarm", fn: "a miss", tp: "a hit", tn: "a row rightly left alone" };
  const parts = Object.entries(costs).filter(([, cost]) => cost !== 0);
  return (
    parts
      .map(([kind, cost]) => `${names[kind as keyof typeof names]} ${cost === "amount" ? "the row’s amount" : cost}`)
      .join(", ") || "nothing"
  );
}

function comparison({ baseline, part }: Result, report: ClassificationReport): Html {
  const simple = baseline?.metrics[part];
  const { intervals, level = 0.95 } = report;
  const header = [
    "",
    "network",
    ...(intervals ? [`${Math.round(100 * level)} % interval`] : []),
    ...(simple ? ["logistic regression"] : []),
    "by prevalence alone",
  ];
  const rows = measureLabels.map(([label, name]) => {
    const interval = intervals?.[name];
    const guess = name in report.baseline ? report.baseline[name as keyof typeof report.baseline] : null;
    return [
      label,
      decimals(report[name]),
      ...(intervals ? [interval ? `${decimals(interval.low)} – ${decimals(interval.high)}` : "–"] : []),
      ...(simple ? [decimals(simple[name])] : []),
      decimals(guess),
    ];
  });
  const how = [
    "By prevalence alone is the best that some constant answer reaches, measure by measure.",
    ...(simple
      ? ["Logistic regression learned from the same rows and its threshold was chosen by the same rule."]
      : []),
    ...(intervals ? ["Intervals are from a stratified bootstrap of these rows."] : []),
  ];
  return section("comparison", "Beside simpler models", tag("p", how.join(" ")), table(header, rows));
}

const ranking = (drawn: Record<PlotName, string | null>): Html =>
  section(
    "ranking",
    "How well it ranks",
    tag("p", "These curves show every threshold at once. Where “yes” is rare, precision and recall tell most."),
    plots(drawn.roc, drawn.gain, drawn.det, drawn.cost),
  );

const scores = (drawn: Record<PlotName, string | null>): Html =>
  section(
    "scores",
    "What the scores say",
    tag(
      "p",
      "The further apart the two classes lie, the better. On the diagonal of the calibration plot a score is a probability: " +
        "of the rows that score 0.3, three in ten are yes.",
    ),
    plots(drawn.scores, drawn.cdf, drawn.thresholds, drawn.calibration),
  );

function reasons({ rows, repeats, permutation }: Importance, drawn: Record<PlotName, string | null>): Html {
  const shuffled = `Left: each column was shuffled ${repeats} times among ${count(rows)} rows; what the model loses by it is what it drew from that column alone. Columns that say the same can stand in for each other and both look unimportant. `;
  return section(
    "importance",
    "What it goes by",
    tag(
      "p",
      `${permutation ? `${shuffled}Right: i` : "I"}ntegrated gradients, how far each column moves a row’s log odds away from those of an average row.`,
    ),
    plots(drawn.importance, drawn.attribution),
  );
}

function training(result: TrainingResult, drawn: Record<PlotName, string | null>): Html {
  const { epochs, best, refit, parameters, rows } = result;
  const stopped = best ? `The weights are those of epoch ${best.epoch + 1}. ` : "";
  const again = refit
    ? `As yes rows are few, a model was then trained once more, for ${refit.epochs} epochs, on all ${count(refit.rows)} rows that are not for testing${refit.kept ? "" : ", and dropped, as it did worse on these than the first"}. `
    : "";
  return section(
    "training",
    "How it learned",
    tag(
      "p",
      `${count(parameters)} parameters learned from ${count(rows.train)} rows in ${count(epochs)} epochs. ${stopped}${again}` +
        "The training loss includes penalties on large weights.",
    ),
    plots(drawn.loss, drawn.monitor),
  );
}

function data(result: Result, d: TableDescription): Html {
  const { metrics, rows, warnings } = result;
  const trained = "epochs" in result;
  const parts = (["train", "validation", "test"] as const).flatMap((part) => {
    const report = metrics[part];
    return report ? [[part, count(report.rows), percent(report.prevalence)]] : [];
  });
  const unused = rows && rows.unused > 0 ? [["not used", count(rows.unused), "–"]] : [];
  // What a training run warned of stands among its warnings.
  const remarks = [
    ...(!trained && d.duplicates
      ? [`${count(d.duplicates)} rows equal an earlier one: copies may be in training and test rows.`]
      : []),
    ...(!trained && d.leakSuspects.length > 0
      ? [`Almost perfect alone, and so perhaps known only afterwards: ${d.leakSuspects.join(", ")}.`]
      : []),
    ...warnings,
  ];
  const hasAuc = d.columns.some((column) => column.auc !== undefined);
  const shown = d.columns.slice(0, MOST_COLUMNS);
  const header = ["column", "kind", "missing", "distinct", "range or most frequent", ...(hasAuc ? ["AUC alone"] : [])];
  const columns = shown.map((column) => [
    column.name,
    column.kind,
    column.missing === 0 ? "–" : percent(column.missing / d.rows),
    count(column.distinct),
    columnContent(column),
    ...(hasAuc ? [decimals(column.auc)] : []),
  ]);
  const more = d.columns.length - shown.length;
  return section(
    "data",
    "The data",
    table(["rows", "", "yes"], [...parts, ...unused]),
    ...remarks.map((remark) => tag("p", remark)),
    table(header, columns, { text: [1, 4] }),
    ...(more > 0 ? [tag("p class=soft", `and ${count(more)} more columns`)] : []),
  );
}

/** An image has a column per pixel. */
const MOST_COLUMNS = 100;

function reproduction({ command, settings = {}, device, version, model, network, timing }: Result): Html {
  const about = [
    ["model folder", model],
    ["tilegrad", version],
    ["device", `${device.adapter} (${device.backend}${device.software ? ", software" : ""})`],
    ["driver", device.driver],
    ...(network ? [["network", network.model]] : []),
    ...(timing ? [["steps per second", count(Math.round(timing.stepsPerSecond))]] : []),
  ];
  const options = Object.entries(settings).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return section(
    "reproduce",
    "To do it again",
    tag("p", "The same command on the same file, version and device gives the same weights, to the bit."),
    tag("pre", command),
    table([], about, { text: [1] }),
    ...(options.length > 0 ? [tag("h3", "All settings"), table(["setting", "value"], options, { text: [1] })] : []),
  );
}
