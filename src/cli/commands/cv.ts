/** `tilegrad cv`: how well a way of learning does, and how much that varies. */
import type { Command } from "commander";
import type { CrossValidated, Spread } from "../../experiment/crossValidation.ts";
import { validateFolds } from "../../experiment/crossValidation.ts";
import { checkThresholds } from "../../experiment/decide.ts";
import type { FoldOptions } from "../../experiment/folds.ts";
import { planFolds } from "../../experiment/folds.ts";
import type { Observer } from "../../experiment/observer.ts";
import { settle } from "../../experiment/options.ts";
import { taskOf } from "../../experiment/task.ts";
import { measureLabels } from "../../metrics/formatReport.ts";
import { LABEL } from "../../node/sources.ts";
import { guessingOf } from "../../report/verdict.ts";
import type { RunFlags } from "../options/common.ts";
import { addRunOptions, addSeedOption, addTargetOptions } from "../options/common.ts";
import { readForTraining } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import type { ExperimentFlags } from "../options/experiment.ts";
import { addExperimentOptions, experimentOptions } from "../options/experiment.ts";
import { resultOrigin } from "../options/report.ts";
import type { TableFlags } from "../options/table.ts";
import { addFoldOptions, addInputOptions, addJobsOption, addTableOptions, withGroup } from "../options/table.ts";
import { inFlags } from "../options/words.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, count, dim, plural, Status, table, tell, warn, writeJson } from "../terminal/terminal.ts";

interface CvFlags extends ExperimentFlags, TableFlags, FoldOptions, RunFlags {
  readonly jobs?: number;
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
    .addHelpText("after", EXAMPLE)
    .action((file: string, flags: CvFlags) => cv(file, flags));
  addTargetOptions(command);
  addSeedOption(command, "folds");
  addRunOptions(command, "no progress and no tables");
  addJobsOption(command);
  addFoldOptions(command);
  addTableOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
}

async function cv(file: string, given: CvFlags): Promise<void> {
  const { quiet, json, jobs } = given;
  const began = performance.now();
  const flags = withGroup(given);
  checkThresholds(settle(experimentOptions({ target: LABEL, ...flags })));
  const { table: source, options } = await interruptible((signal) => readForTraining(file, flags, signal));
  const settings = settle(options);
  const task = taskOf(source, settings);
  const folds = planFolds(task, settings, flags);
  await withDevice(flags.device, quiet, async (device) => {
    const status = new Status({ quiet });
    const onProgress: Observer["onProgress"] = (progress) => {
      if (progress.type !== "fold") return;
      const { fold, done, test } = progress;
      const prAuc = test.prAuc === null ? "" : `  PR-AUC ${test.prAuc.toFixed(4)}`;
      status.show(done / folds.count, `fold ${fold}${prAuc}  (${done} of ${folds.count} done)`);
    };
    const found = await interruptible((signal) =>
      validateFolds(device, task, folds, settings, { signal, onProgress, jobs }),
    );
    status.end();
    const timing = { totalMs: performance.now() - began };
    const result = { ...resultOrigin(), ...found, warnings: found.warnings.map(inFlags), timing };
    warn(result.warnings);
    if (!quiet) {
      const head = bold(`${found.target} = ${found.positive}, in ${found.file}`);
      tell([head, ...showFolds(found)].join("\n"), json);
    }
    if (json) writeJson(result);
  });
}

const spreadText = (spread: Spread | null): string =>
  spread === null ? "-" : `${spread.mean.toFixed(4)} ± ${spread.std.toFixed(4)}`;

/** Leave-one-out has as many folds as rows. */
const MOST_SHOWN = 50;

function showFolds({ folds, summary, baseline, pooled, versusGuessing }: CrossValidated): string[] {
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
    ...guessingOf(pooled, versusGuessing),
  ];
}
