/** `tilegrad cv`: how well a way of learning does, and how much that varies. */
import type { Command } from "commander";
import type { JobOptions } from "../../experiment/concurrently.ts";
import { addJobsOption, jobsOn } from "../../experiment/concurrently.ts";
import type { CrossValidation, FoldResult, FoldSettings, Spread } from "../../experiment/crossValidation.ts";
import { crossValidate } from "../../experiment/crossValidation.ts";
import { addExperimentOptions } from "../../experiment/experiment.ts";
import type { FoldOptions } from "../../experiment/folds.ts";
import { addFoldOptions, planFolds, withGroup } from "../../experiment/folds.ts";
import { readForTraining } from "../../experiment/prepare.ts";
import { checkThresholds, oneAnswer } from "../../experiment/threshold.ts";
import { measureLabels } from "../../metrics/formatReport.ts";
import type { DeviceName } from "../options/device.ts";
import { deviceOption, withDevice } from "../options/device.ts";
import { resultHead } from "../options/report.ts";
import { addInputOptions, addTableOptions } from "../options/tableOptions.ts";
import { number } from "../options/values.ts";
import { interruptible, silent } from "../terminal/interrupt.ts";
import { bold, count, dim, plural, Status, table, tell, warn, writeJson } from "../terminal/terminal.ts";

interface CvOptions extends FoldSettings, FoldOptions, JobOptions {
  readonly device: DeviceName;
  readonly json: boolean;
}

const EXAMPLE = `
Examples:
  tilegrad cv customers.csv --target churned --id customer_id --folds 5
  tilegrad cv customers.csv --target churned --id customer_id --folds 3 --repeats 2 --layers 16

  Preprocessing, resampling, early stopping and threshold are done anew inside the training rows of each fold.`;

export function addCv(program: Command): void {
  const command = program
    .command("cv")
    .description("cross-validation: mean, deviation and every fold of what train would do")
    .argument("<data>", "as for train")
    .option("--target <column>", "the column to predict; with --window also up(column)")
    .option("--positive <label>", "the label that means yes (default: the rarer one)")
    .option("--seed <n>", "of folds, weights, order and dropout", number({ min: 0, integer: true }), 0)
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "no progress and no tables", false)
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: CvOptions) => cv(file, options));
  addJobsOption(command);
  addFoldOptions(command);
  addTableOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
}

async function cv(file: string, options: CvOptions): Promise<void> {
  const { quiet, json } = options;
  checkThresholds(options);
  const began = performance.now();
  const named = withGroup(options);
  const labelled = await interruptible(({ signal }) => readForTraining(file, named, signal));
  const folds = planFolds(labelled, options);
  await withDevice(options.device, quiet, async (device) => {
    const status = new Status({ quiet });
    const progress = (done: number, { test }: FoldResult): void => {
      const prAuc = test.prAuc === null ? "" : `  PR-AUC ${test.prAuc.toFixed(4)}`;
      status.show(done / folds.count, `fold ${done} of ${folds.count}${prAuc}`);
    };
    const settings = { ...named, quiet: true };
    const jobs = jobsOn(device, labelled.table, options);
    const found = await interruptible((interrupt) =>
      crossValidate(device, labelled, folds, settings, silent(interrupt), progress, jobs),
    );
    status.end();
    const { target, table: source } = labelled;
    const result = {
      ...resultHead(device, labelled),
      seed: options.seed,
      ...found,
      warnings: [...found.warnings, ...oneAnswer(found.pooled)],
      timing: { totalMs: performance.now() - began },
    };
    warn(result.warnings);
    if (!quiet) {
      const text = [bold(`${target.name} = ${target.positive}, in ${source.name}`), ...showFolds(found)].join("\n");
      tell(text, json);
    }
    if (json) writeJson(result);
  });
}

const spreadText = (spread: Spread | null): string =>
  spread === null ? "-" : `${spread.mean.toFixed(4)} ± ${spread.std.toFixed(4)}`;

/** Leave-one-out has as many folds as rows. */
const MOST_SHOWN = 50;

function showFolds({ folds, summary, baseline, pooled }: CrossValidation): string[] {
  const header = [
    "fold",
    "train",
    "validation",
    "test",
    "epochs",
    "threshold",
    "PR-AUC",
    "ROC-AUC",
    "F1",
    "precision",
    "recall",
  ];
  const decimals = (value: number | null): string => (value === null ? "-" : value.toFixed(4));
  const each = folds
    .slice(0, MOST_SHOWN)
    .map(({ rows, epochs, threshold, test }, i) => [
      String(i + 1),
      count(rows.train),
      count(rows.validation),
      count(rows.test),
      count(epochs),
      threshold > 1e300 ? "none" : threshold.toPrecision(4),
      ...[test.prAuc, test.rocAuc, test.f1, test.precision, test.recall].map(decimals),
    ]);
  const more = folds.length > MOST_SHOWN ? [dim(`and ${count(folds.length - MOST_SHOWN)} more folds`)] : [];
  const measures = measureLabels.map(([label, name]) => [
    label,
    spreadText(summary[name]),
    ...(baseline ? [spreadText(baseline[name])] : []),
    decimals(pooled[name]),
  ]);
  const heads = ["", "mean ± deviation", ...(baseline ? ["logistic"] : []), "all test rows"];
  return [
    "",
    ...table([header, ...each]),
    ...more,
    "",
    ...table([heads, ...measures]),
    dim(`${plural(folds.length, "fold")}; the deviation is that between folds`),
  ];
}
