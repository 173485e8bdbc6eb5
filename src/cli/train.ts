/** `tilegrad train`: a table in, a model folder and honest metrics out. */
import path from "node:path";
import type { Command } from "commander";
import { inputShapeOf } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { parseThresholdRule } from "../metrics/thresholdRule.ts";
import type { DeviceName } from "./device.ts";
import { deviceOption, withDevice } from "./device.ts";
import type { FitSettings } from "./fit.ts";
import { addFitOptions } from "./fit.ts";
import { interruptible } from "./interrupt.ts";
import { learn } from "./learn.ts";
import type { NetworkOptions } from "./network.ts";
import { addNetworkOptions, isPreset, makeModel, modelName } from "./network.ts";
import type { LossChoice, OptimizerChoice } from "./objective.ts";
import { addLossOptions, addOptimizerOptions, defaultBatch, makeLoss, makeOptimizer } from "./objective.ts";
import { assertModelFolder } from "./output.ts";
import type { Prepared, TableOptions } from "./prepare.ts";
import { addInputOptions, addTableOptions, prepare } from "./prepare.ts";
import { print, write, writeJson } from "./terminal.ts";
import { trainSummary } from "./trainSummary.ts";
import { number } from "./values.ts";

interface TrainOptions extends TableOptions, NetworkOptions, LossChoice, Omit<OptimizerChoice, "batch">, FitSettings {
  readonly out: string;
  readonly threshold: string;
  readonly device: DeviceName;
  readonly json: boolean;
}

const EXAMPLE = `
Examples:
  tilegrad train customers.csv --target churned --positive yes --id customer_id --out model
  tilegrad train digits.csv --target digit --positive 1 --image 8x8 --model cnn --out digit
  tilegrad train photos --positive cats --image 28x28x3 --out cats
  tilegrad train prices.csv --window 32 --horizon 1 --target "up(close)" --model lstm --out direction

  A fifth of the rows is kept for testing (--test), a fifth of the rest decides when to stop and where the
  threshold lies (--validation); both are drawn by --seed, each with the classes' shares.`;

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a yes/no classifier on a table, images or a time series")
    .argument("<data>", "a CSV file, a folder with a subfolder of images for each label, an NPZ or an IDX file")
    .option("--target <column>", "the column to predict; with --window also up(column)")
    .option("--positive <label>", "the label that means yes (default: the rarer one)")
    .requiredOption("--out <folder>", "where the model is saved")
    .option("--seed <n>", "of split, weights, order and dropout", number({ min: 0, integer: true }), 0)
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "no progress and no summary", false)
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: TrainOptions) => train(file, options));
  addTableOptions(command);
  addInputOptions(command);
  addNetworkOptions(command);
  addLossOptions(command);
  addOptimizerOptions(command);
  addFitOptions(command)
    .optionsGroup("Decision:")
    .option(
      "--threshold <rule>",
      "chosen on validation rows: f1, f2, mcc, youden, recall>=0.8, precision>=0.5, alerts:5, cost:fp=1,fn=5, or a number",
      "f1",
    );
}

async function train(file: string, options: TrainOptions): Promise<void> {
  const began = performance.now();
  const { out, quiet, json } = options;
  const rule = thresholdRule(options.threshold);
  await assertModelFolder(out);
  const data = await interruptible(({ signal }) => prepare(file, options, signal));
  const { preprocessor, target } = data;
  const { y } = data.train;
  const settings = {
    ...options,
    batch: Math.min(options.batch ?? defaultBatch(y.length, options.optimizer), y.length),
  };
  const inputShape = inputShapeOf(preprocessor);
  const model = await makeModel(options, inputShape, y);
  const described = { model, loss: makeLoss(options, y), optimizer: makeOptimizer(settings) };
  const loadMs = performance.now() - began;

  await withDevice(options.device, quiet, async (device: Device) => {
    const learned = await interruptible((interrupt) => learn(device, described, data, rule, settings, interrupt));
    const { trainer, threshold } = learned;
    const name = modelName(options, inputShape);
    const saved = settingsOf(file, { ...settings, model: isPreset(name) ? name : path.basename(name) });
    const labels = { positive: target.positive, negative: target.negative.join(", ") };
    await trainer.save(out, {
      preprocessing: preprocessor as unknown as Json,
      threshold: { value: threshold.threshold, rule: options.threshold },
      labels,
      training: { settings: saved },
    });
    const totalMs = performance.now() - began;
    const result = {
      device: device.info,
      target: target.name,
      positive: target.positive,
      negative: target.negative,
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
      threshold: threshold.threshold,
      thresholdRule: options.threshold,
      thresholdAttained: threshold.attained,
      metrics: learned.metrics,
      timing: { loadMs, trainMs: totalMs - loadMs, totalMs, stepsPerSecond: learned.stepsPerSecond },
      warnings: data.warnings,
      settings: saved,
      model: out,
    };
    if (!quiet) {
      const summary = trainSummary(result, data, model);
      if (json) print(summary);
      else write(`${summary}\n`);
    }
    if (json) writeJson(result);
  });
}

const rowsOf = ({ table, train, validation, test, unused }: Prepared) => ({
  file: table.rows,
  train: train.y.length,
  validation: validation?.y.length ?? 0,
  test: test?.y.length ?? 0,
  unused,
});

/** @throws E_ARGUMENT */
function thresholdRule(text: string): ThresholdRule {
  const rule = parseThresholdRule(text);
  if ("minimizeCost" in rule && Object.values(rule.minimizeCost).includes("amount")) {
    throw new TilegradError("E_ARGUMENT", `--threshold: got ${JSON.stringify(text)}; costs must be numbers here.`, {
      hint: "Costs by each row's amount are in the library: tuneThreshold(y, scores, rule, { amounts }).",
    });
  }
  return rule;
}

/** The options as they were used, to be saved with the model; where things lie on this machine is left out. */
function settingsOf(file: string, options: TrainOptions): Record<string, Json> {
  const { out: _out, json: _json, quiet: _quiet, resume: _resume, checkpoint: _checkpoint, ...kept } = options;
  const base = (text: string | undefined): string | undefined => (text === undefined ? undefined : path.basename(text));
  const all = { ...kept, data: base(file), splits: base(options.splits), test: base(options.test) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, Json>;
}
