/** What `train` says at its end. */
import path from "node:path";
import type { Preprocessor } from "../data/preprocess.ts";
import type { DeviceInfo } from "../device.ts";
import { formatReport } from "../metrics/formatReport.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { Model } from "../model/model.ts";
import { summary } from "../model/model.ts";
import { sparkline } from "../report/sparkline.ts";
import { describeDevice } from "./device.ts";
import type { Prepared } from "./prepare.ts";
import { bold, count, dim, duration, pairs, percent, plural } from "./terminal.ts";

export interface TrainResult {
  readonly device: DeviceInfo;
  readonly target: string;
  readonly positive: string;
  readonly rows: {
    readonly train: number;
    readonly validation: number;
    readonly test: number;
    readonly unused: number;
  };
  readonly network: { readonly model: string };
  readonly parameters: number;
  readonly dispatches: number;
  readonly epochs: number;
  readonly steps: number;
  readonly best: { readonly epoch: number; readonly value: number } | null;
  readonly refit: { readonly rows: number; readonly epochs: number } | null;
  readonly history: Readonly<Record<string, readonly number[]>>;
  readonly threshold: number;
  readonly thresholdRule: string;
  readonly thresholdAttained: boolean;
  readonly metrics: {
    readonly train: ClassificationReport;
    readonly validation: ClassificationReport | null;
    readonly test: ClassificationReport | null;
  };
  readonly timing: { readonly trainMs: number; readonly stepsPerSecond: number };
  readonly settings: { readonly [name: string]: unknown };
  readonly model: string;
}

const range = (values: readonly number[]): string =>
  `${sparkline(values, 30)}  ${values[0].toFixed(4)} -> ${(values.at(-1) as number).toFixed(4)}`;

export function trainSummary(result: TrainResult, { table, target, preprocessor }: Prepared, model: Model): string {
  const { rows, metrics, history, best, epochs, settings, timing } = result;
  const positives = metrics.train.confusion.fn + metrics.train.confusion.tp;
  const others = target.negative.length === 1 ? target.negative[0] : `${target.negative.length} other labels`;
  const dropped = preprocessor.dropped.map(({ name, reason }) => `${name} (${reason})`).join(", ");
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
    ["Data", `${table.name}: ${plural(table.rows, "row")} (${parts.join(", ")})`],
    ["Inputs", `${inputs(preprocessor)}${dropped ? `; dropped: ${dropped}` : ""}`],
    [
      "Positive",
      `${target.name} = ${target.positive}, ${percent(metrics.train.prevalence)} of the training rows ` +
        dim(`(${count(positives)}; no is ${others})`),
    ],
    ["Network", `${result.network.model} ${dim(`(${plural(result.parameters, "parameter")}${dispatches})`)}`],
    ...summary(model)
      .split("\n")
      .map((line) => ["", line] as const),
    [
      "Training",
      `${plural(epochs, "epoch")} in ${duration(timing.trainMs)}, ${count(Math.round(timing.stepsPerSecond))} steps/s${stopped}`,
    ],
    ["Loss", `${range(history.loss)}  ${dim("training, with penalties")}`],
    ...(history.valLoss ? ([["", `${range(history.valLoss)}  ${dim("validation")}`]] as const) : []),
    ...(result.refit ? ([["Refit", refit(result.refit)]] as const) : []),
    ["Threshold", threshold(result)],
  ]);
  const [title, report] = metrics.test
    ? ["Test rows, never used above", metrics.test]
    : metrics.validation
      ? ["Validation rows (no test rows: these metrics are too good)", metrics.validation]
      : ["Training rows (no other rows: these metrics are much too good)", metrics.train];
  const metricsTable = formatReport(report).replace(/^(?=.)/gm, "  ");
  const next = [
    `${command()} predict ${result.model} new-rows.csv --out scores.csv`,
    `${command()} evaluate ${result.model} labelled-rows.csv`,
    `${command()} doctor`,
  ];
  return [
    "",
    ...about,
    "",
    bold(title),
    metricsTable,
    "",
    ...pairs([
      ["Saved", `${result.model} ${dim("(model.json: network, preprocessing, threshold; weights beside it)")}`],
      ...next.map((line, i) => [i === 0 ? "Next" : "", line] as const),
    ]),
  ].join("\n");
}

function inputs({ featureNames, features, image, window }: Preprocessor): string {
  if (image) return `images of ${image.join(" x ")} from ${plural(features.length, "column")}`;
  const from = `from ${plural(features.length, "column")}`;
  return window ? `${window.length} rows of ${featureNames.length} ${from}` : `${featureNames.length} ${from}`;
}

const refit = ({ rows, epochs }: { readonly rows: number; readonly epochs: number }): string =>
  `once more on all ${count(rows)} rows that are not for testing, ${plural(epochs, "epoch")} ${dim("(few positives)")}`;

/** How this program is called, so that what to type next can be typed. */
function command(): string {
  const program = process.argv[1];
  return path.extname(program) === "" ? "npx tilegrad" : `node ${path.relative(process.cwd(), program)}`;
}

function threshold({ threshold: value, thresholdRule: rule, thresholdAttained, metrics }: TrainResult): string {
  const on = metrics.validation ? "validation" : "training";
  const failed = thresholdAttained ? "" : "; no threshold reaches the floor, this one comes closest";
  const chosen = Number.isNaN(Number(rule)) ? `${rule} on the ${on} rows` : "as given";
  return `${value > 1 ? "none" : value.toPrecision(4)} ${dim(`(${chosen}${failed})`)}`;
}
