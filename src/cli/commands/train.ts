/** `tilegrad train`: a table in, a model folder and honest metrics out. */
import path from "node:path";
import type { Command } from "commander";
import { inputShapeOf } from "../../data/preprocess.ts";
import type { Device } from "../../device.ts";
import { checkThresholds } from "../../experiment/decide.ts";
import { learn } from "../../experiment/experiment.ts";
import { splitRows } from "../../experiment/folds.ts";
import { modelName } from "../../experiment/network.ts";
import type { Settings } from "../../experiment/options.ts";
import { settle } from "../../experiment/options.ts";
import { prepare } from "../../experiment/prepare.ts";
import { inMemory } from "../../experiment/resample.ts";
import { extrasOf, resultOf } from "../../experiment/result.ts";
import type { Prepared } from "../../experiment/rows.ts";
import { taskOf } from "../../experiment/task.ts";
import { findings } from "../../experiment/warnings.ts";
import type { Json } from "../../io/json.ts";
import * as is from "../../kinds.ts";
import { CheckpointFolder, checkpointFolder } from "../../node/checkpoints.ts";
import { Scratch } from "../../node/scratch.ts";
import { inputFiles, isStreamed, LABEL } from "../../node/sources.ts";
import { FileExamples } from "../../node/streaming.ts";
import { htmlReport } from "../../report/html.ts";
import { plotsOf } from "../../report/plotsOf.ts";
import { addRunOptions, addSeedOption, addStreamOptions, addTargetOptions } from "../options/common.ts";
import { readForTraining } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import type { ExperimentFlags } from "../options/experiment.ts";
import { addExperimentOptions, experimentOptions } from "../options/experiment.ts";
import { assertModelFolder, filesOfModel } from "../options/output.ts";
import type { ProfileChoice } from "../options/profile.ts";
import { addProfileOption, checkProfile, profileStep } from "../options/profile.ts";
import { addReportOption, checkReport, resultOrigin, writeReport } from "../options/report.ts";
import type { TableFlags } from "../options/table.ts";
import { addInputOptions, addTableOptions, addTestOptions, withGroup } from "../options/table.ts";
import { ofKind } from "../options/values.ts";
import { inFlags } from "../options/words.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { experimentProgress } from "../terminal/progress.ts";
import { print, reading, tell, warn, writeJson } from "../terminal/terminal.ts";
import { trainSummary } from "../terminal/trainSummary.ts";

interface TrainFlags extends ExperimentFlags, TableFlags, ProfileChoice {
  readonly out: string;
  readonly report?: string;
  readonly importance: boolean;
  readonly checkpoint?: number;
  readonly resume: boolean;
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
    .requiredOption("--out <folder>", "where the model is saved")
    .addHelpText("after", EXAMPLE)
    .action((file: string, flags: TrainFlags) => train(file, flags));
  addTargetOptions(command);
  addSeedOption(command, "split");
  addRunOptions(command, "no progress and no summary");
  addStreamOptions(command);
  addTableOptions(command);
  addTestOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
  command
    .optionsGroup("Interruption:")
    .option(
      "--checkpoint <epochs>",
      "save to OUT/checkpoint every so many epochs, and on Ctrl-C",
      ofKind(is.positiveInteger),
    )
    .option("--resume", "go on from OUT/checkpoint, to the bits of an uninterrupted run", false);
  command.optionsGroup("Report:").option("--importance", "how much each column matters; also in a report", false);
  addReportOption(command);
  addProfileOption(command);
}

async function train(file: string, given: TrainFlags): Promise<void> {
  const flags = withGroup(given);
  const began = performance.now();
  checkThresholds(settle(experimentOptions({ target: LABEL, ...flags })));
  const replaces = await assertModelFolder(flags.out);
  const checkpoints = new CheckpointFolder(flags.out, flags.checkpoint ?? 0, flags.resume ?? false);
  await checkpoints.check();
  const resampled = flags.resample !== undefined && flags.resample !== "none";
  if (resampled && (await isStreamed(file, flags))) inMemory(null);
  const taken = { "an input": await inputFiles(file, flags), "a file of the model": await filesOfModel(flags.out) };
  await checkReport(flags.report, taken);
  await checkProfile(flags, { ...taken, "the report": flags.report === undefined ? [] : [flags.report] });
  if (replaces && !flags.quiet) print(`${flags.out} holds a model, which this one will replace.`);
  const scratch = (await isStreamed(file, flags)) ? new Scratch() : undefined;
  try {
    const { data, settings } = await interruptible(async (signal) => {
      const { table, options, testTable } = await readForTraining(file, flags, signal, { scratch, tests: true });
      const settings = settle(options);
      const task = taskOf(table, settings);
      const store = scratch && new FileExamples(scratch, reading(flags.quiet, signal));
      return { data: await prepare(task, splitRows(task, settings), settings, { store, testTable }), settings };
    });
    await trainOn(data, settings, checkpoints, file, flags, began);
  } finally {
    scratch?.dispose();
  }
}

async function trainOn(
  data: Prepared,
  settings: Settings,
  checkpoints: CheckpointFolder,
  file: string,
  flags: TrainFlags,
  began: number,
): Promise<void> {
  const { out, quiet, json, report, importance } = flags;
  const shown = { importance, report: report !== undefined };
  const found = findings(data, settings, shown);
  warn(found.warnings.map(inFlags));
  const loadMs = performance.now() - began;

  await withDevice(flags.device, quiet, async (device: Device) => {
    const onProgress = experimentProgress(quiet);
    const learned = await interruptible(
      (signal) => learn(device, data, settings, { signal, onProgress, checkpoints }),
      () => outcome(out, checkpoints),
    );
    const { trainer, batch, chosen } = learned;
    const inputShape = inputShapeOf(data.preprocessor);
    const model = flags.model?.endsWith(".json") ? path.basename(flags.model) : modelName(settings.network, inputShape);
    const saved = { ...settingsOf(file, { ...flags, batch, model }), ...chosen };
    const extras = await extrasOf(data, learned, settings);
    await trainer.save(out, { ...extras, training: { ...extras.training, settings: saved } });
    if (flags.checkpoint !== undefined || flags.resume) await checkpoints.markEnded();
    const totalMs = performance.now() - began;
    const profile = await profileStep(trainer, data.train, batch, flags);
    const told = await resultOf(device, data, learned, settings, found, shown);
    const { warnings, settings: _, ...rest } = told;
    warn(warnings.slice(found.warnings.length).map(inFlags));
    const { fitMs, stepsPerSecond } = rest.timing;
    const result = {
      ...resultOrigin(),
      ...rest,
      network: { ...rest.network, model },
      timing: { loadMs, fitMs, trainMs: totalMs - loadMs, totalMs, stepsPerSecond },
      ...(profile ? { profile } : {}),
      warnings: warnings.map(inFlags),
      settings: saved,
      model: out,
    } as const;
    if (!quiet) tell(trainSummary(result, data, learned.model), json);
    if (report !== undefined) {
      const parts = { html: () => htmlReport(result), plots: () => plotsOf(result), json: result };
      await writeReport(report, parts, quiet);
    }
    if (json) writeJson(result);
  });
}

/** What became of a run that was stopped. */
function outcome(out: string, { every, begun }: CheckpointFolder): string {
  if (every === 0) return "Nothing was saved; with --checkpoint N it could be resumed.";
  if (!begun) return "Nothing was saved.";
  return `The run is saved in ${checkpointFolder(out)}; the same command with --resume goes on from there.`;
}

/** The flags as they were used, to be saved with the model; where things lie on this machine is left out. */
function settingsOf(file: string, flags: TrainFlags): Record<string, Json> {
  const { out: _out, json: _json, quiet: _quiet, resume: _resume, checkpoint: _checkpoint, ...rest } = flags;
  const {
    report: _report,
    profile: _profile,
    importance: _importance,
    baseline: _baseline,
    stream: _stream,
    ...kept
  } = rest;
  const base = (text: string | undefined): string | undefined => (text === undefined ? undefined : path.basename(text));
  const all = { ...kept, data: base(file), splits: base(flags.splits), test: base(flags.test) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, Json>;
}
