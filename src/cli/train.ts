/** `tilegrad train`: a table in, a model folder and honest metrics out. */
import path from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import type { Preprocessor, Scaling } from "../data/preprocess.ts";
import { csvKinds, fitPreprocessor, transform } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import { chooseTarget, targetOf } from "../data/target.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { parseThresholdRule } from "../metrics/thresholdRule.ts";
import { tuneThreshold } from "../metrics/thresholds.ts";
import { Trainer } from "../train/trainer.ts";
import type { DeviceName } from "./device.ts";
import { deviceOption, withDevice } from "./device.ts";
import type { FitSettings } from "./fit.ts";
import { addFitOptions, fitWithProgress } from "./fit.ts";
import { interruptible } from "./interrupt.ts";
import type { LossChoice, NetworkOptions, OptimizerChoice } from "./network.ts";
import { addLossOptions, addNetworkOptions, addOptimizerOptions, makeLoss, makeModel, makeOptimizer } from "./network.ts";
import { assertModelFolder } from "./output.ts";
import type { Rows } from "./table.ts";
import { chooseRows, readSplits, readTable } from "./table.ts";
import { print, write, writeJson } from "./terminal.ts";
import { trainSummary } from "./trainSummary.ts";
import { names, number } from "./values.ts";

export interface TrainOptions extends NetworkOptions, LossChoice, OptimizerChoice, FitSettings {
  readonly target: string;
  readonly positive?: string;
  readonly out: string;
  readonly exclude: readonly string[];
  readonly id: readonly string[];
  readonly categorical: readonly string[];
  readonly numeric: readonly string[];
  readonly maxLevels: number;
  readonly scaling: Scaling;
  readonly test?: string;
  readonly validation: number;
  readonly splits?: string;
  readonly threshold: string;
  readonly seed: number;
  readonly device: DeviceName;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Inputs and labels of one part of the rows. */
export interface Part {
  /** [rows, inputs], row-major. */
  readonly x: Float32Array;
  /** [rows], 0 or 1. */
  readonly y: Float32Array;
}

export interface Prepared {
  readonly table: Table;
  readonly target: Target;
  readonly preprocessor: Preprocessor;
  readonly train: Part;
  readonly validation: Part | null;
  readonly test: Part | null;
  readonly warnings: readonly string[];
}

const TEST_SHARE = 0.2;

const EXAMPLE = `
Example:
  tilegrad train customers.csv --target churned --positive yes --id customer_id --out model

  A fifth of the rows is kept for testing (--test), a fifth of the rest decides when to stop and where the
  threshold lies (--validation); both are drawn by --seed with the classes' shares.`;

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a yes/no classifier on a CSV file")
    .argument("<data.csv>", "table with a header line")
    .requiredOption("--target <column>", "the column to predict")
    .option("--positive <label>", "the label that means yes (default: the rarer one)")
    .requiredOption("--out <folder>", "where the model is saved")
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "no progress and no summary", false)
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: TrainOptions) => train(file, options));
  command
    .optionsGroup("Columns:")
    .option("--exclude <columns>", "that are no inputs, separated by commas", names, [])
    .option("--id <columns>", "that name the rows: no inputs, passed through by predict", names, [])
    .option("--categorical <columns>", "categories though they look like numbers", names, [])
    .option("--numeric <columns>", "that must be numbers", names, [])
    .option("--max-levels <n>", "inputs of one categorical column", number({ min: 1, integer: true }), 50)
    .addOption(new Option("--scaling <kind>", "of numbers").choices(["standard", "minmax", "none"]).default("standard"))
    .optionsGroup("Rows:")
    .option("--test <fraction|file>", `a share of the rows, or another CSV file (default: ${TEST_SHARE})`)
    .option("--validation <fraction>", "a share of the rows that are not for testing", number({ min: 0, below: 1 }), 0.2)
    .option("--splits <file#name>", 'lists of row numbers, from 0: { "name": { "train": [...], "test": [...] } }');
  addNetworkOptions(command);
  addLossOptions(command);
  addOptimizerOptions(command);
  addFitOptions(command)
    .option("--threshold <rule>", "0.5, f1, f2, mcc, youden, recall>=0.8, precision>=0.5, alerts:5, cost:fp=1,fn=5, ...", "f1")
    .option("--seed <n>", "of split, weights, order and dropout", number({ min: 0, integer: true }), 0)
    .addOption(deviceOption());
}

async function train(file: string, options: TrainOptions): Promise<void> {
  const began = performance.now();
  const rule = thresholdRule(options.threshold);
  const optimizer = makeOptimizer(options);
  if (options.splits !== undefined && options.test !== undefined) {
    throw new TilegradError("E_ARGUMENT", "--splits and --test: got both; expected one of them.", { hint: "Leave one out." });
  }
  await assertModelFolder(options.out);
  const prepared = await interruptible((signal) => prepare(file, options, signal));
  const { preprocessor, validation, test } = prepared;
  const loss = makeLoss(options, prepared.train.y);
  const model = makeModel(options, preprocessor.featureNames.length, prepared.train.y);
  const loaded = performance.now();

  await withDevice(options.device, options.quiet, async (device: Device) => {
    const trainer = new Trainer(model, { device, loss, optimizer, seed: options.seed, metrics: ["prAuc", "rocAuc", "f1"] });
    const fitted = await fitWithProgress(trainer, prepared, options);
    const trained = performance.now();
    const scored = [];
    for (const part of [prepared.train, validation, test]) {
      scored.push(part && { y: part.y, scores: await trainer.predict(part.x) });
    }
    const tuning = (scored[1] ?? scored[0]) as { y: Float32Array; scores: Float32Array };
    const tuned = tuneThreshold(tuning.y, tuning.scores, rule);
    const { threshold } = tuned;
    const reports = scored.map((part) => part && classificationReport(part.y, part.scores, { threshold }));
    const metrics = { train: reports[0] as ClassificationReport, validation: reports[1], test: reports[2] };
    const settings = settingsOf(file, options);
    await trainer.save(options.out, {
      preprocessing: preprocessor as unknown as Json,
      threshold: { value: threshold, rule: options.threshold },
      labels: { positive: prepared.target.positive, negative: prepared.target.negative.join(", ") },
      training: { settings, validationRows: validation?.y.length ?? 0 },
    });
    const ended = performance.now();
    const result = {
      device: device.info,
      target: prepared.target.name,
      positive: prepared.target.positive,
      negative: prepared.target.negative,
      rows: {
        file: prepared.table.rows,
        train: prepared.train.y.length,
        validation: validation?.y.length ?? 0,
        test: test?.y.length ?? 0,
      },
      inputs: preprocessor.featureNames.length,
      parameters: model.layers.reduce((n, l) => n + l.parameters, 0),
      dispatches: trainer.dispatches,
      epochs: trainer.history.loss?.length ?? 0,
      steps: trainer.step,
      best: fitted.best,
      history: trainer.history,
      threshold,
      thresholdRule: options.threshold,
      thresholdAttained: tuned.attained,
      metrics,
      timing: {
        loadMs: loaded - began,
        trainMs: trained - loaded,
        evaluateMs: ended - trained,
        totalMs: ended - began,
        stepsPerSecond: fitted.stepsPerSecond,
      },
      warnings: prepared.warnings,
      settings,
      model: options.out,
    };
    if (!options.quiet) {
      const summary = trainSummary(result, prepared, trainer.model);
      if (options.json) print(summary);
      else write(`${summary}\n`);
    }
    if (options.json) writeJson(result);
    trainer.dispose();
  });
}

/** @throws E_ARGUMENT */
export function thresholdRule(text: string): ThresholdRule {
  const rule = parseThresholdRule(text);
  if ("minimizeCost" in rule && Object.values(rule.minimizeCost).includes("amount")) {
    throw new TilegradError("E_ARGUMENT", `--threshold: got ${JSON.stringify(text)}; costs must be numbers here.`, {
      hint: "Costs by each row's amount are in the library: tuneThreshold(y, scores, rule, { amounts }).",
    });
  }
  return rule;
}

/** Reads and splits the table, fits the preprocessing on training rows alone, and makes inputs. */
async function prepare(file: string, options: TrainOptions, signal: AbortSignal): Promise<Prepared> {
  const { quiet, seed, categorical, numeric, exclude, id, maxLevels, scaling } = options;
  const isFraction = options.test === undefined || (options.test.trim() !== "" && !Number.isNaN(Number(options.test)));
  const fraction = isFraction && options.test !== undefined ? number({ min: 0, below: 1 })(options.test) : TEST_SHARE;
  const texts = [...categorical, ...exclude, ...id, options.target];
  const table = await readTable(file, { categorical: [...new Set(texts)], numeric, signal, quiet });
  const target = chooseTarget(table, {
    target: options.target,
    ...(options.positive === undefined ? {} : { positive: options.positive }),
  });
  const splits = options.splits === undefined ? undefined : await readSplits(options.splits);
  const ownTest = splits === undefined && isFraction;
  const split = (testTable?: Table): Rows =>
    chooseRows(table, target, {
      seed,
      validation: options.validation,
      ...(ownTest ? { test: fraction } : {}),
      ...(splits ? { splits } : {}),
      ...(testTable ? { testTable } : {}),
    });
  const rows = split();
  const preprocessor = fitPreprocessor(table, rows.train, { target, exclude, id, maxLevels, scaling });
  const testTable = isFraction
    ? table
    : await readTable(options.test as string, {
        numeric: csvKinds(preprocessor).numeric,
        categorical: [...csvKinds(preprocessor).categorical, target.name],
        categoricalIfPresent: preprocessor.dropped.map((d) => d.name),
        signal,
        quiet,
      });
  const testRows = isFraction ? rows.test : split(testTable).test;
  const warnings: string[] = [];
  const part = (from: Table, list: Uint32Array): Part | null => {
    if (list.length === 0) return null;
    const made = transform(preprocessor, from, list);
    for (const warning of made.warnings) if (!warnings.includes(warning)) warnings.push(warning);
    return { x: made.x, y: targetOf(target, from, list) };
  };
  const prepared = {
    table,
    target,
    preprocessor,
    train: part(table, rows.train) as Part,
    validation: part(table, rows.validation),
    test: part(testTable, testRows),
    warnings,
  };
  for (const [name, y] of Object.entries({ train: prepared.train.y, validation: prepared.validation?.y, test: prepared.test?.y })) {
    if (!y || new Set(y).size === 2) continue;
    throw new TilegradError("E_DATA", `${table.name}: the ${name} rows have one class only; expected both.`, {
      hint: "Use other row lists, another --seed or more rows.",
    });
  }
  if (!quiet) for (const warning of warnings) print(`warning: ${warning}`);
  return prepared;
}

/** The options as they were used, to be saved with the model; where things lie on this machine is left out. */
function settingsOf(file: string, options: TrainOptions): Record<string, Json> {
  const { out: _out, json: _json, quiet: _quiet, resume: _resume, ...kept } = options;
  const named = Object.entries(kept).filter(([, value]) => value !== undefined);
  const base = (text: string): string => path.basename(text);
  return {
    ...(Object.fromEntries(named) as Record<string, Json>),
    data: base(file),
    ...(options.splits === undefined ? {} : { splits: base(options.splits) }),
    ...(options.test === undefined ? {} : { test: base(options.test) }),
  };
}
