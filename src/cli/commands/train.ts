/** `tilegrad train`: a table in, a model folder and honest metrics out. */
import path from "node:path";
import type { Command } from "commander";
import type { TableDescription } from "../../data/describe.ts";
import { describeTable } from "../../data/describe.ts";
import type { Preprocessor } from "../../data/preprocess.ts";
import { inputShapeOf } from "../../data/preprocess.ts";
import type { Device } from "../../device.ts";
import { assess, importanceOf } from "../../experiment/assess.ts";
import { columnHints } from "../../experiment/columnHints.ts";
import type { Part } from "../../experiment/examples.ts";
import type { ExperimentOptions } from "../../experiment/experiment.ts";
import { addExperimentOptions, experiment } from "../../experiment/experiment.ts";
import { withGroup } from "../../experiment/folds.ts";
import { isPreset, modelName } from "../../experiment/network.ts";
import type { Prepared } from "../../experiment/prepare.ts";
import { labelledRows, prepare } from "../../experiment/prepare.ts";
import { blendedCategories, inMemory } from "../../experiment/resample.ts";
import { checkThresholds, oneAnswer, thresholdRule, unmetRule } from "../../experiment/threshold.ts";
import type { Json } from "../../io/json.ts";
import { htmlReport } from "../../report/html.ts";
import { plotsOf } from "../../report/plotsOf.ts";
import { addCheckpointOptions, assertNoOpenRun, checkResumable, markEnded } from "../fit.ts";
import { deviceOption, withDevice } from "../options/device.ts";
import { assertModelFolder, filesOfModel } from "../options/output.ts";
import type { ProfileChoice } from "../options/profile.ts";
import { addProfileOption, checkProfile, profileStep } from "../options/profile.ts";
import { addReportOption, checkReport, resultHead, writeReport } from "../options/report.ts";
import type { TableOptions } from "../options/tableOptions.ts";
import { addInputOptions, addTableOptions, addTestOptions } from "../options/tableOptions.ts";
import { number } from "../options/values.ts";
import { inputFiles, isStreamed } from "../source.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { plural, print, tell, warn, writeJson } from "../terminal/terminal.ts";
import { trainSummary } from "../terminal/trainSummary.ts";

interface TrainOptions extends TableOptions, ProfileChoice, Omit<ExperimentOptions, "seed" | "quiet" | "out"> {
  readonly out: string;
  readonly report?: string;
  readonly importance: boolean;
  readonly json: boolean;
}

const EXAMPLE = `
Examples:
  tilegrad train customers.csv --target churned --positive yes --id customer_id --out model --report report.html
  tilegrad train digits.csv --target digit --positive 1 --image 8x8 --model cnn --out digit
  tilegrad train photos --positive cats --image 16x16x3 --out cats
  tilegrad train prices.csv --window 32 --horizon 1 --target "up(close)" --model lstm --out direction

  A fifth of the rows is kept for testing (--test), a fifth of the rest decides when to stop and where the
  threshold lies (--validation); both are drawn by --seed, each with the classes' shares, unless --group or --time
  says what belongs together.`;

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a yes/no classifier on a table, images or a time series")
    .argument(
      "<data>",
      "a CSV or Parquet file, a folder with a subfolder of images for each label, an NPZ or an IDX file",
    )
    .option("--target <column>", "the column to predict; with --window also up(column)")
    .option("--positive <label>", "the label that means yes (default: the rarer one)")
    .requiredOption("--out <folder>", "where the model is saved")
    .option("--seed <n>", "of split, weights, order and dropout", number({ min: 0, integer: true }), 0)
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "no progress and no summary", false)
    .option("--stream", "keep rows on disk, not in memory (default: CSV and Parquet files of 64 MiB or more)")
    .option("--no-stream", "keep them in memory")
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: TrainOptions) => train(file, options));
  addTableOptions(command);
  addTestOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
  addCheckpointOptions(command);
  command.optionsGroup("Report:").option("--importance", "how much each column matters; also in a report", false);
  addReportOption(command);
  addProfileOption(command);
}

async function train(file: string, given: TrainOptions): Promise<void> {
  const options = withGroup(given);
  const began = performance.now();
  checkThresholds(options);
  const replaces = await assertModelFolder(options.out);
  if (options.resume) await checkResumable(options.out);
  await assertNoOpenRun(options.out, options);
  const resampled = options.resample !== undefined && options.resample !== "none";
  if (resampled && (await isStreamed(file, options))) inMemory(null);
  const taken = { "an input": await inputFiles(file, options), "a file of the model": await filesOfModel(options.out) };
  await checkReport(options.report, taken);
  await checkProfile(options, { ...taken, "the report": options.report === undefined ? [] : [options.report] });
  if (replaces && !options.quiet) print(`${options.out} holds a model, which this one will replace.`);
  const data = await interruptible(({ signal }) => prepare(file, options, signal));
  try {
    await trainOn(data, file, options, began);
  } finally {
    data.dispose();
  }
}

async function trainOn(data: Prepared, file: string, options: TrainOptions, began: number): Promise<void> {
  const { out, quiet, json, seed } = options;
  const rule = thresholdRule(options);
  const description = describedFor(data, options);
  const suspect = [
    ...suspicions(description, data.preprocessor),
    ...scarcity(data, options),
    ...blendedCategories(data.preprocessor, options),
  ];
  const warnings = [...data.warnings, ...suspect];
  warn(warnings);
  const loadMs = performance.now() - began;

  await withDevice(options.device, quiet, async (device: Device) => {
    const learned = await interruptible((interrupt) => experiment(device, data, options, interrupt));
    const { trainer, model, threshold } = learned;
    const { preprocessor, target } = data;
    const inputShape = inputShapeOf(preprocessor);
    const name = modelName(options, inputShape);
    const named = { ...options, batch: learned.batch, model: isPreset(name) ? name : path.basename(name) };
    const saved = { ...settingsOf(file, named), ...learned.settings };
    const { ms: fitMs, stepsPerSecond } = learned.speed;
    const labels = { positive: target.positive, negative: target.negative.join(", ") };
    await trainer.save(out, {
      preprocessing: preprocessor as unknown as Json,
      ...(learned.calibration ? { calibration: learned.calibration } : {}),
      threshold: { value: threshold.threshold, rule: options.threshold },
      labels,
      training: { settings: saved },
    });
    if (options.checkpoint !== undefined || options.resume) await markEnded(out);
    const totalMs = performance.now() - began;
    const profile = await profileStep(trainer, data.train, learned.batch, options);
    const part = data.test ? "test" : data.validation ? "validation" : "train";
    const [rows, scores] = [data[part] as Part, learned.scores[part] as Float32Array];
    const reported = options.report !== undefined;
    const chosen = { threshold: threshold.threshold, rule, seed, intervals: reported };
    const { report, diagnostics, cost } = assess(rows, scores, chosen);
    const found = [...unmetRule(threshold, options), ...oneAnswer(report)];
    warn(found);
    const result = {
      ...resultHead(device, data),
      rows: rowsOf(data),
      inputs: preprocessor.featureNames.length,
      inputShape,
      network: {
        model: saved.model as string,
        layers: model.layers,
        architecture: model.architecture,
      },
      parameters: model.layers.reduce((n, layer) => n + layer.parameters, 0),
      dispatches: trainer.dispatches,
      epochs: learned.history.loss.length,
      steps: learned.steps,
      best: learned.best,
      history: learned.history,
      refit: learned.refit,
      resampled: learned.resampled,
      priorShift: learned.priorShift,
      calibration: learned.calibration,
      threshold: threshold.threshold,
      thresholdRule: options.threshold,
      thresholdFolds: options.thresholdFolds ?? null,
      thresholdAttained: threshold.attained,
      metrics: { ...learned.metrics, [part]: report },
      baseline: learned.baseline,
      part,
      diagnostics,
      cost,
      importance: options.importance || reported ? await importanceOf(trainer, preprocessor, rows, seed) : null,
      ...(reported && description ? { data: description } : {}),
      timing: { loadMs, fitMs, trainMs: totalMs - loadMs, totalMs, stepsPerSecond },
      ...(profile ? { profile } : {}),
      warnings: [...warnings, ...found],
      settings: saved,
      model: out,
    } as const;
    if (!quiet) {
      const summary = trainSummary(result, data, model);
      tell(summary, json);
    }
    if (options.report !== undefined) {
      const parts = { html: () => htmlReport(result), plots: () => plotsOf(result), json: result };
      await writeReport(options.report, parts, quiet);
    }
    if (json) writeJson(result);
  });
}

/** Cells that are looked at unasked. */
const MOST_DESCRIBED = 5_000_000;

function describedFor({ table, target, preprocessor }: Prepared, options: TrainOptions): TableDescription | null {
  const { image, window } = preprocessor;
  const quick = !image && !window && table.rows * table.columns.length <= MOST_DESCRIBED;
  const rows = labelledRows(preprocessor, table);
  return quick || options.report !== undefined ? describeTable(table, { target, rows }) : null;
}

/** What makes test metrics too good, in tables whose rows stand alone: a pixel may well tell, and windows overlap. */
function suspicions(description: TableDescription | null, preprocessor: Preprocessor): string[] {
  const { features, dropped, image, window } = preprocessor;
  if (image || window) return [];
  const inputs = features.map(({ name }) => name);
  const wide = dropped.filter(({ reason }) => reason === "too many levels").map(({ name }) => name);
  const duplicates = description?.duplicates ?? 0;
  const leakSuspects = (description?.leakSuspects ?? []).filter((name) => inputs.includes(name));
  return [
    ...(duplicates > 0
      ? [`${plural(duplicates, "row")} equal an earlier one: copies may be in training and test rows both.`]
      : []),
    ...(leakSuspects.length > 0
      ? [
          `almost perfect alone, and so perhaps the answer itself: ${leakSuspects.join(", ")} (--exclude leaves it out).`,
        ]
      : []),
    ...(description ? columnHints(description, inputs, wide) : []),
  ];
}

/** Fewer positives than this make a metric or a threshold mostly luck: one row more or less is a tenth of recall. */
const FEW_POSITIVES = 10;

function scarcity({ train, validation, test }: Prepared, { threshold, thresholdFolds }: TrainOptions): string[] {
  const few = Object.entries({ training: train, validation, test }).flatMap(([name, part]) => {
    const positives = part?.y.reduce((sum, label) => sum + label, 0) ?? FEW_POSITIVES;
    return positives < FEW_POSITIVES ? [`${positives} in the ${name} rows`] : [];
  });
  if (few.length === 0) return [];
  const chosen = thresholdFolds === undefined && Number.isNaN(Number(threshold));
  const folds = chosen ? "; --threshold-folds 5 chooses the threshold by more rows" : "";
  return [`few positives (${few.join(", ")}): much is luck. \`tilegrad cv\` tests on every row${folds}.`];
}

const rowsOf = ({ table, train, validation, test, unused }: Prepared) => ({
  file: table.rows,
  train: train.y.length,
  validation: validation?.y.length ?? 0,
  test: test?.y.length ?? 0,
  unused,
});

/** The options as they were used, to be saved with the model; where things lie on this machine is left out. */
function settingsOf(file: string, options: TrainOptions): Record<string, Json> {
  const { out: _out, json: _json, quiet: _quiet, resume: _resume, checkpoint: _checkpoint, ...rest } = options;
  const {
    report: _report,
    profile: _profile,
    importance: _importance,
    baseline: _baseline,
    stream: _stream,
    ...kept
  } = rest;
  const base = (text: string | undefined): string | undefined => (text === undefined ? undefined : path.basename(text));
  const all = { ...kept, data: base(file), splits: base(options.splits), test: base(options.test) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, Json>;
}
