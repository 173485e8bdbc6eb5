/**
 * One experiment: prepared rows in, a trained network, its threshold and its metrics out. `train`, `cv`, `tune` and
 * `compare` all run it, so that none of them can measure in another way.
 */
import type { Command } from "commander";
import type { FitSettings } from "../cli/fit.ts";
import { addFitOptions } from "../cli/fit.ts";
import { joined, joinedLabels } from "../cli/stream.ts";
import type { Interrupt } from "../cli/terminal/interrupt.ts";
import { silent } from "../cli/terminal/interrupt.ts";
import { Status } from "../cli/terminal/terminal.ts";
import { inputShapeOf } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import type { Json } from "../io/json.ts";
import { tuneThreshold } from "../metrics/thresholds.ts";
import type { Model } from "../model/model.ts";
import type { RowLabels } from "../node/rowFile.ts";
import type { LogisticBaseline } from "../report/result.ts";
import { fitLogistic, logisticBaseline, logisticScores } from "./baseline.ts";
import { addCalibrateOption } from "./calibrate.ts";
import type { Part } from "./examples.ts";
import { pricesOf } from "./examples.ts";
import type { Choose, Learned, LearnSettings } from "./learn.ts";
import { learn } from "./learn.ts";
import type { NetworkOptions } from "./network.ts";
import { addNetworkOptions, makeModel, networkSettings } from "./network.ts";
import type { LossChoice, OptimizerChoice } from "./objective.ts";
import {
  addLossOptions,
  addOptimizerOptions,
  defaultBatch,
  learningRateOf,
  makeLoss,
  makeOptimizer,
  weightShift,
} from "./objective.ts";
import type { Prepared } from "./prepare.ts";
import { checkCorrectable } from "./prior.ts";
import type { ResampleOptions } from "./resample.ts";
import { addResampleOptions, sampler } from "./resample.ts";
import type { RowColumns } from "./rowColumns.ts";
import type { ThresholdOptions } from "./threshold.ts";
import { addThresholdOptions, thresholdRule } from "./threshold.ts";

/** How to learn from rows, whichever rows they are. */
export interface ExperimentOptions
  extends NetworkOptions,
    LossChoice,
    Omit<OptimizerChoice, "batch">,
    FitSettings,
    ResampleOptions,
    ThresholdOptions,
    Pick<RowColumns, "amount">,
    Omit<LearnSettings, "batch"> {
  /** Whether logistic regression is fitted beside the network. */
  readonly baseline: boolean;
}

export interface Experiment extends Learned {
  readonly model: Model;
  /** Rows of a step. */
  readonly batch: number;
  /** What the options of the optimizer and the network came to. */
  readonly settings: Readonly<Record<string, Json>>;
  readonly baseline: LogisticBaseline | null;
}

/** The options of `ExperimentOptions` but the seed. */
export function addExperimentOptions(command: Command): Command {
  addNetworkOptions(command);
  addLossOptions(command);
  addResampleOptions(command);
  addOptimizerOptions(command);
  addFitOptions(command).optionsGroup("Decision:");
  addThresholdOptions(addCalibrateOption(command));
  return command.option("--no-baseline", "no logistic regression beside the network");
}

/** Frees nothing: the trainer is the caller's to dispose of. @throws E_ARGUMENT, E_DATA, E_ABORTED, E_NONFINITE, ... */
export async function experiment(
  device: Device,
  data: Prepared,
  options: ExperimentOptions,
  interrupt: Interrupt,
): Promise<Experiment> {
  const rule = thresholdRule(options);
  const { thresholdFolds: k } = options;
  const folds = k === undefined ? null : data.folds(k);
  const heldOut = folds && once(() => scoreHeldOut(device, folds, options, interrupt));
  const choose =
    (scorer: "network" | "logistic"): Choose =>
    async (part, scores) => {
      const held = await heldOut?.();
      const [rows, found] = held ? [held.rows, held[scorer]] : [part, scores];
      return tuneThreshold(rows.y, found, rule, pricesOf(rows));
    };
  const sample = sampler(device, data.preprocessor, options);
  const sampled = await sample(data.train);
  const { y } = sampled.part;
  const batch = Math.min(options.batch ?? defaultBatch(y.length, options.optimizer), y.length);
  const settings = { ...options, batch };
  const shape = inputShapeOf(data.preprocessor);
  const model = await makeModel(options, shape, y);
  const shift = weightShift(options, y);
  checkCorrectable(model, sampled.shift + shift);
  const described = { model, loss: makeLoss(options, y), optimizer: makeOptimizer(settings) };
  const plan = { choose: choose("network"), sampled, sample, weightShift: shift };
  const learned = await learn(device, described, data, plan, settings, interrupt);
  try {
    const beside = () => logisticBaseline(data, learned.learnedFrom, choose("logistic"), rule, options.seed);
    const came = { learningRate: learningRateOf(settings), ...networkSettings(options, shape, y.length) };
    return { ...learned, model, batch, settings: came, baseline: options.baseline ? await beside() : null };
  } catch (error) {
    learned.trainer.dispose();
    throw error;
  }
}

/** Rows with their scores by models that have learned from others. */
interface HeldOut {
  readonly rows: RowLabels;
  readonly network: Float32Array;
  readonly logistic: Float32Array;
}

/** Each fold is an experiment of its own, in which all that is fitted is fitted anew. */
async function scoreHeldOut(
  device: Device,
  folds: AsyncIterable<Prepared>,
  { thresholdFolds: k = 0, checkpoint: _, resume: __, ...options }: ExperimentOptions,
  interrupt: Interrupt,
): Promise<HeldOut> {
  const status = new Status(options);
  const settings = { ...options, baseline: false, quiet: true };
  let all: HeldOut | null = null;
  let done = 0;
  try {
    for await (const fold of folds) {
      status.show(done / k, `threshold: fold ${++done} of ${k}`);
      const { trainer, scores, learnedFrom } = await experiment(device, fold, settings, silent(interrupt));
      trainer.dispose();
      const rows = fold.test as Part;
      const logistic = options.baseline
        ? await logisticScores(await fitLogistic(fold, learnedFrom, options.seed), rows)
        : new Float32Array(0);
      const next = { rows, network: scores.test as Float32Array, logistic };
      all = all ? joinedHeldOut(all, next) : next;
    }
  } finally {
    status.end();
  }
  return all as HeldOut;
}

const joinedHeldOut = (a: HeldOut, b: HeldOut): HeldOut => ({
  rows: joinedLabels(a.rows, b.rows),
  network: joined(a.network, b.network),
  logistic: joined(a.logistic, b.logistic),
});

/** What `make` gives, made when it is asked for first. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
