/** What `train` says at its end. */
import type { Preprocessor } from "../../data/preprocess.ts";
import { isProper } from "../../experiment/objective.ts";
import type { LossOptions } from "../../experiment/options.ts";
import type { Prepared } from "../../experiment/rows.ts";
import { formatReport } from "../../metrics/formatReport.ts";
import type { ClassificationReport } from "../../metrics/report.ts";
import type { Model } from "../../model/model.ts";
import { summary } from "../../model/model.ts";
import type { DecisionCost, Importance, PartName, TrainingResult } from "../../report/result.ts";
import { sparkline } from "../../report/sparkline.ts";
import { guessingOf, verdictOf } from "../../report/verdict.ts";
import { describeDevice } from "../options/device.ts";
import { commandName } from "../options/report.ts";
import { bold, count, digits, dim, duration, pairs, percent, plural, table } from "./terminal.ts";

const TITLES: Readonly<Record<PartName, string>> = {
  test: "Test rows, never used above",
  validation: "Validation rows (no test rows: these metrics are too good)",
  train: "Training rows (no other rows: these metrics are much too good)",
};

const range = (values: readonly number[]): string =>
  `${sparkline(values, 30)}  ${values[0].toFixed(4)} -> ${(values.at(-1) as number).toFixed(4)}`;

export function trainSummary(result: TrainingResult, data: Prepared, model: Model): string {
  const { target, preprocessor } = data;
  const { rows, metrics, history, best, epochs, settings, timing } = result;
  const trained = metrics.train as ClassificationReport;
  const positives = trained.confusion.fn + trained.confusion.tp;
  const others = target.negative.length === 1 ? target.negative[0] : `${target.negative.length} other labels`;
  const reasonOf = ({ name, reason }: Preprocessor["dropped"][number]): string =>
    name === settings["amount"] ? "prices errors" : name === settings["sampleWeight"] ? "weighs rows" : reason;
  const dropped = preprocessor.dropped.map((column) => `${column.name} (${reasonOf(column)})`).join(", ");
  const monitor = String(settings["monitor"]);
  const stopped = best ? `, the weights are of epoch ${best.epoch + 1} (${monitor} ${best.value.toFixed(4)})` : "";
  const dispatches =
    result.dispatches > 0 ? `, ${plural(result.dispatches, "dispatch").replace(/hs$/, "hes")} a step` : "";
  const parts = [
    `${count(rows.train)} train`,
    ...(rows.validation ? [`${count(rows.validation)} validation`] : []),
    ...(rows.test ? [`${count(rows.test)} test`] : []),
    ...(rows.unused > 0 ? [`${count(rows.unused)} unused`] : []),
  ];
  const about = pairs([
    ["Device", describeDevice(result.device)],
    ["Data", `${data.table.name}: ${plural(data.table.rows, "row")} (${parts.join(", ")})`],
    ["Inputs", `${inputs(preprocessor)}${dropped ? `; dropped: ${dropped}` : ""}`],
    ...imputed(preprocessor),
    [
      "Positive",
      `${target.name} = ${target.positive}, ${percent(trained.prevalence)} of the training rows ` +
        dim(`(${count(positives)}; no is ${others})`),
    ],
    ...(result.resampled ? ([["Resampled", resampled(result.resampled, result.refit?.kept === true)]] as const) : []),
    ["Network", `${result.network.model} ${dim(`(${plural(result.parameters, "parameter")}${dispatches})`)}`],
    ...summary(model)
      .split("\n")
      .map((line) => ["", line] as const),
    [
      "Training",
      `${plural(epochs, "epoch")} in ${duration(timing.fitMs)}, ${count(Math.round(timing.stepsPerSecond))} steps/s${stopped} ${dim(`(${duration(timing.totalMs)} in all)`)}`,
    ],
    ["Loss", `${range(history.loss)}  ${dim("training, with penalties")}`],
    ...(history.valLoss ? ([["", `${range(history.valLoss)}  ${dim("validation")}`]] as const) : []),
    ...(result.refit ? ([["Refit", refit(result.refit)]] as const) : []),
    ...(result.priorShift === 0 ? [] : ([["Corrected", corrected(result.priorShift)]] as const)),
    ...scoresLine(result, settings["loss"] as LossOptions["loss"]),
    ["Threshold", threshold(result)],
  ]);
  const { part, baseline, importance, cost } = result;
  const simple = baseline?.metrics[part];
  const report = metrics[part] as ClassificationReport;
  const metricsTable = formatReport(report, simple ? { logistic: simple } : {}).replace(/^(?=.)/gm, "  ");
  const alike = `${preprocessor.image ? "images" : preprocessor.window ? "series" : "rows"}${endingOf(result.file)}`;
  const next = [
    `${commandName()} predict ${result.model} new-${alike} --out scores.csv`,
    `${commandName()} evaluate ${result.model} labelled-${alike}`,
    `${commandName()} doctor`,
  ];
  return [
    "",
    ...about,
    "",
    bold(TITLES[part]),
    metricsTable,
    ...guessingOf(report, result.versusGuessing).map((line) => `  ${line}`),
    ...verdictOf(baseline?.versus).map((line) => `  ${line}`),
    ...costLine(cost, baseline?.cost).map((line) => `  ${line}`),
    "",
    ...(importance ? [...importanceTable(importance), ""] : []),
    ...pairs([
      ["Saved", `${result.model} ${dim("(model.json: network, preprocessing, threshold; weights beside it)")}`],
      ...next.map((line, i) => [i === 0 ? "Next" : "", line] as const),
    ]),
  ].join("\n");
}

/** By which a name says what kind of file it is; a folder has none. */
const endingOf = (file: string): string => /((-idx\d-ubyte|\.\w+)(\.gz)?)?$/i.exec(file)?.[0] ?? "";

function inputs({ featureNames, features, image, window }: Preprocessor): string {
  if (image) return `images of ${image.join(" x ")} from ${plural(features.length, "column")}`;
  const from = `from ${plural(features.length, "column")}`;
  if (!window) return `${featureNames.length} ${from}`;
  const moving = features.flatMap((feature) => (feature.kind === "numeric" && feature.ofWindow ? [feature.name] : []));
  const scaled = moving.length > 0 ? `; levels that move, scaled by each window's own rows: ${moving.join(", ")}` : "";
  return `${window.length} rows of ${featureNames.length} ${from}${scaled}`;
}

/** How missing cells become inputs, where training rows had any. */
function imputed({ features }: Preprocessor): (readonly [string, string])[] {
  const filled = features.flatMap((feature) =>
    feature.kind === "numeric" && feature.missingIndicator ? [feature] : [],
  );
  if (filled.length === 0) return [];
  const named = filled.slice(0, MOST_COLUMNS).map(({ name, median }) => `${name} ${digits(median)}`);
  const more = filled.length > MOST_COLUMNS ? `, and ${count(filled.length - MOST_COLUMNS)} more` : "";
  const how = dim("(the median of the training rows, and an input that says so)");
  return [["Missing", `${plural(filled.length, "column")}, read as ${named.join(", ")}${more} ${how}`]];
}

function resampled({ method, rows, positives }: NonNullable<TrainingResult["resampled"]>, refit: boolean): string {
  const of = refit ? "of the refit, from training and validation rows" : "from the training rows";
  return `${method}: ${plural(rows, "row")}, ${count(positives)} of them positive ${dim(`(${of})`)}`;
}

const corrected = (shift: number): string =>
  `logits by ${shift.toFixed(2)} ${dim("(scores are probabilities at the prevalence of the rows as they came)")}`;

function scoresLine({ calibration }: TrainingResult, loss: LossOptions["loss"]): (readonly [string, string])[] {
  if (calibration) return [["Calibrated", `${calibration.method} ${dim("(on the validation rows)")}`]];
  if (isProper({ loss })) return [];
  return [
    ["Scores", `rank the rows, but are no probabilities with --loss ${loss} ${dim("(--calibrate makes them so)")}`],
  ];
}

const refit = ({ rows, epochs, kept }: NonNullable<TrainingResult["refit"]>): string =>
  `once more on all ${count(rows)} rows that are not for testing, ${plural(epochs, "epoch")}${kept ? "" : ": dropped"} ${dim(
    kept ? "(few positives)" : "(it does worse on these rows than the network before)",
  )}`;

function threshold(result: TrainingResult): string {
  const { threshold: value, thresholdRule: rule, thresholdFolds: folds, metrics } = result;
  const judges = metrics.validation ? "the validation rows" : "the training rows";
  const on = folds ? `${folds} folds of the rows that are not for testing` : judges;
  const chosen = Number.isNaN(Number(rule)) ? `${rule} on ${on}` : "as given";
  return `${value > 1 ? "none" : value.toPrecision(4)} ${dim(`(${chosen})`)}`;
}

const MOST_COLUMNS = 10;

/** The most important columns. */
function importanceTable({ permutation, attribution, rows }: Importance): string[] {
  const shown = attribution
    .map(({ name, mean }, i) => ({ name, moved: mean, drop: permutation?.[i] }))
    .sort((a, b) => (b.drop?.mean ?? b.moved) - (a.drop?.mean ?? a.moved))
    .slice(0, MOST_COLUMNS);
  const body = shown.map(({ name, moved, drop }) => [
    name,
    ...(drop ? [`${drop.mean.toFixed(4)} ± ${drop.std.toFixed(4)}`] : []),
    moved.toFixed(4),
  ]);
  const header = ["Importance", ...(permutation ? ["drop of PR-AUC, shuffled"] : []), "log odds moved"];
  return [...table([header, ...body]), dim(`on ${plural(rows, "row")}`)];
}

const amount = (cost: number): string => cost.toLocaleString("en-US", { maximumFractionDigits: 2 });

/** One line, or none. */
export function costLine(cost: DecisionCost | null, logistic?: DecisionCost | null): string[] {
  if (!cost) return [];
  const beside = [
    ...(logistic ? [`logistic regression at its own ${amount(logistic.atThreshold)}`] : []),
    `never alert ${amount(cost.neverAlert)}`,
    `alert always ${amount(cost.alwaysAlert)}`,
  ];
  return [`${bold("Cost")}  ${amount(cost.atThreshold)} at the threshold; ${beside.join(", ")}`];
}
