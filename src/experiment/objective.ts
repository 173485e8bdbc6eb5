/** The options that say what a network learns and how its weights move: loss and optimizer. */
import type { Command } from "commander";
import { Option } from "commander";
import type { ClassWeightChoice } from "../cli/options/values.ts";
import { classWeight, number, numberOr } from "../cli/options/values.ts";
import { TilegradError } from "../errors.ts";
import { weightCorrection } from "../metrics/calibration.ts";
import type { ClassWeight } from "../metrics/weights.ts";
import {
  classWeightBalanced,
  effectiveNumberWeights,
  focalAlpha,
  logOddsBias,
  posWeightAuto,
} from "../metrics/weights.ts";
import type { Loss } from "../model/losses.ts";
import { binaryCrossentropy, focal, hinge, meanSquaredError, squaredHinge } from "../model/losses.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { adagrad, adam, adamW, rmsprop, sgd } from "../model/optimizers.ts";
import type { Schedule } from "../model/schedules.ts";
import { constantRate, cosineDecay, exponentialDecay, linearDecay, stepDecay } from "../model/schedules.ts";

const LOSSES = ["bce", "focal", "hinge", "squaredHinge", "mse"] as const;
const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adam", "amsgrad", "adamw", "rmsprop", "adagrad"] as const;
const SCHEDULES = ["constant", "linear", "step", "exponential", "cosine"] as const;

export interface LossChoice {
  readonly loss: (typeof LOSSES)[number];
  readonly classWeight: ClassWeightChoice;
  readonly posWeight?: number | "auto";
  readonly gamma?: number;
  readonly alpha?: number | "auto" | "none";
  readonly labelSmoothing?: number;
  /** As many positives as negatives are seen, whatever the labels. */
  readonly balancedBatches?: boolean;
}

export interface OptimizerChoice {
  readonly optimizer: (typeof OPTIMIZERS)[number];
  /** Rows of a step, which the default rate follows. */
  readonly batch: number;
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly schedule: (typeof SCHEDULES)[number];
  readonly endRate?: number;
  readonly decay?: number;
  readonly decayEvery?: number;
  readonly warmup?: number;
}

const DEFAULTS = {
  loss: "bce",
  classWeight: "none",
  optimizer: "adam",
  schedule: "constant",
} as const;

/**
 * Rows of a step when none are given. Adam: enough steps an epoch for small tables, cheap steps for large ones. The others
 * move by the gradient itself and need many steps: 32.
 */
export const defaultBatch = (rows: number, optimizer: OptimizerChoice["optimizer"]): number =>
  isAdam(optimizer) ? Math.min(256, Math.max(32, 2 ** Math.floor(Math.log2(rows / 25)))) : 32;

const isAdam = (optimizer: OptimizerChoice["optimizer"]): boolean =>
  optimizer === "adam" || optimizer === "amsgrad" || optimizer === "adamw";

export function addLossOptions(command: Command): Command {
  return command
    .optionsGroup("Loss:")
    .addOption(new Option("--loss <name>", "mse is of the probability").choices(LOSSES).default(DEFAULTS.loss))
    .option(
      "--class-weight <weights>",
      "balanced, none, effective:0.999, or such as 0:1,1:10 (0 is no, 1 yes)",
      classWeight,
      DEFAULTS.classWeight,
    )
    .option("--pos-weight <n>", "factor on the loss of positives (bce), or auto", numberOr(["auto"], { above: 0 }))
    .option("--gamma <n>", "focusing of the focal loss (default: 2)", number({ min: 0 }))
    .option(
      "--alpha <n>",
      "focal weight of positives, auto or none (default: 0.25)",
      numberOr(["auto", "none"], { min: 0, max: 1 }),
    )
    .option("--label-smoothing <s>", "of bce", number({ min: 0, below: 1 }));
}

export function addOptimizerOptions(command: Command): Command {
  return command
    .optionsGroup("Optimizer:")
    .addOption(
      new Option("--optimizer <name>", "how weights are updated").choices(OPTIMIZERS).default(DEFAULTS.optimizer),
    )
    .option(
      "--learning-rate <rate>",
      "default: 0.001 for adams, more from batches of 64 on; others 0.01",
      number({ above: 0 }),
    )
    .option("--momentum <n>", "of momentum, nesterov (default: 0.9) and rmsprop", number({ min: 0, below: 1 }))
    .option("--weight-decay <n>", "decays weights; adamw apart from the gradient", number({ min: 0 }))
    .option("--clip-norm <n>", "limits the gradient's norm", number({ above: 0 }))
    .option("--clip-value <n>", "limits each gradient element", number({ above: 0 }))
    .addOption(
      new Option("--schedule <name>", "of the learning rate over all epochs")
        .choices(SCHEDULES)
        .default(DEFAULTS.schedule),
    )
    .option("--end-rate <rate>", "of linear and cosine (default: 0)", number({ min: 0 }))
    .option(
      "--decay <factor>",
      "of step (default: 0.1) and exponential (default: 0.95 an epoch)",
      number({ above: 0, max: 1 }),
    )
    .option("--decay-every <epochs>", "of step (default: 10)", number({ min: 1, integer: true }))
    .option("--warmup <epochs>", "of cosine (default: 0)", number({ min: 0, integer: true }));
}

/** An option that the chosen kind of thing does not have is a mistake, not silence. */
export function refuse(given: Readonly<Record<string, unknown>>, what: string): void {
  const name = Object.keys(given).find((key) => given[key] !== undefined);
  if (name === undefined) return;
  throw new TilegradError("E_ARGUMENT", `--${name}: ${what} has no such option.`, { hint: `Leave --${name} out.` });
}

/** y: labels of the training rows, [rows]; weights and the initial bias follow from them. */
export function makeLoss(options: LossChoice, y: Float32Array): Loss {
  const { loss, posWeight, gamma, alpha, labelSmoothing } = options;
  const weights = classWeights(options, y);
  const common = weights ? { classWeight: weights } : {};
  if (loss !== "bce") refuse({ "pos-weight": posWeight, "label-smoothing": labelSmoothing }, `the loss ${loss}`);
  if (loss !== "focal") refuse({ gamma, alpha }, `the loss ${loss}`);
  switch (loss) {
    case "bce":
      return binaryCrossentropy({
        ...common,
        ...(posWeight === undefined ? {} : { posWeight: posWeight === "auto" ? posWeightAuto(y) : posWeight }),
        ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
      });
    case "focal":
      return focal({
        ...common,
        ...(gamma === undefined ? {} : { gamma }),
        ...(alpha === undefined ? {} : { alpha: alpha === "auto" ? focalAlpha(y) : alpha === "none" ? null : alpha }),
      });
    case "hinge":
      return hinge(common);
    case "squaredHinge":
      return squaredHinge(common);
    case "mse":
      return meanSquaredError({ ...common, on: "probability" });
    default:
      throw loss satisfies never;
  }
}

function classWeights({ classWeight }: LossChoice, y: Float32Array): ClassWeight | null {
  if (classWeight === "none") return null;
  if (classWeight === "balanced") return classWeightBalanced(y);
  return "effective" in classWeight ? effectiveNumberWeights(y, classWeight.effective) : (classWeight as ClassWeight);
}

/** Whether scores are margins rather than probabilities. */
export const isMargin = ({ loss }: LossChoice): boolean => loss === "hinge" || loss === "squaredHinge";

/** Whether the loss is least where scores are the true probabilities, but for weights and resampling, which can be undone. */
export const isProper = ({ loss }: Pick<LossChoice, "loss">): boolean => loss === "bce" || loss === "mse";

/** How much more a positive counts than a negative, by the classes' weights. */
function weightRatio(options: LossChoice, y: Float32Array): number {
  const { 0: negative = 1, 1: positive = 1 } = classWeights(options, y) ?? {};
  const factor = options.posWeight === "auto" ? posWeightAuto(y) : (options.posWeight ?? 1);
  return (positive * factor) / negative;
}

/** The bias with which the network begins by predicting the (weighted) base rate; margins of the hinges begin at 0. */
export function initialBias(options: LossChoice, y: Float32Array): number {
  if (isMargin(options)) return 0;
  const bias = (options.balancedBatches ? 0 : logOddsBias(y)) + Math.log(weightRatio(options, y));
  return Number.isFinite(bias) ? bias : 0;
}

/**
 * To be added to the logit of every score, so that it is a probability though the classes' weights differ. Cross-entropy
 * and squared error are least at the true odds times the ratio of the weights; the focal loss and the hinges are not, and
 * their scores are left alone.
 */
export function weightShift(options: LossChoice, y: Float32Array): number {
  const ratio = weightRatio(options, y);
  return isProper(options) && ratio > 0 && ratio < Infinity ? weightCorrection(ratio).shift : 0;
}

/** By default Adam's steps grow with the square root of the batch, as its noise shrinks (Malladi et al. 2022); from 64 rows on. */
export function learningRateOf({ optimizer, batch, learningRate }: OptimizerChoice): number {
  return learningRate ?? (isAdam(optimizer) ? 0.001 * Math.sqrt(Math.max(1, batch / 64)) : 0.01);
}

export function makeOptimizer(options: OptimizerChoice): Optimizer {
  const { optimizer, momentum, weightDecay, clipNorm, clipValue } = options;
  const common = {
    learningRate: makeSchedule(options),
    ...(weightDecay === undefined ? {} : { weightDecay }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipValue === undefined ? {} : { clipValue }),
  };
  if (!["momentum", "nesterov", "rmsprop"].includes(optimizer)) refuse({ momentum }, optimizer);
  switch (optimizer) {
    case "sgd":
      return sgd(common);
    case "momentum":
      return sgd({ ...common, momentum: momentum ?? 0.9 });
    case "nesterov":
      return sgd({ ...common, momentum: momentum ?? 0.9, nesterov: true });
    case "adam":
      return adam(common);
    case "amsgrad":
      return adam({ ...common, amsgrad: true });
    case "adamw":
      return adamW(common);
    case "rmsprop":
      return rmsprop({ ...common, ...(momentum === undefined ? {} : { momentum }) });
    case "adagrad":
      return adagrad(common);
    default:
      throw optimizer satisfies never;
  }
}

function makeSchedule(options: OptimizerChoice): Schedule {
  const { schedule, endRate, decay, decayEvery, warmup } = options;
  const rate = learningRateOf(options);
  const what = `the schedule ${schedule}`;
  if (schedule !== "linear" && schedule !== "cosine") refuse({ "end-rate": endRate }, what);
  if (schedule !== "step" && schedule !== "exponential") refuse({ decay }, what);
  if (schedule !== "step") refuse({ "decay-every": decayEvery }, what);
  if (schedule !== "cosine") refuse({ warmup }, what);
  switch (schedule) {
    case "constant":
      return constantRate(rate);
    case "linear":
      return linearDecay(rate, endRate ?? 0);
    case "step":
      return stepDecay(rate, { size: decayEvery ?? 10, gamma: decay ?? 0.1 });
    case "exponential":
      return exponentialDecay(rate, { gamma: decay ?? 0.95 });
    case "cosine":
      return cosineDecay(rate, { minimum: endRate ?? 0, ...(warmup ? { warmup } : {}) });
    default:
      throw schedule satisfies never;
  }
}
