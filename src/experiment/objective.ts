/** What a network learns and how its weights move: loss and optimizer. */
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
import type { LossOptions, OptimizerOptions } from "./options.ts";

/**
 * Rows of a step when none are given. Adam: enough steps an epoch for small tables, cheap steps for large ones. The others
 * move by the gradient itself and need many steps: 32.
 */
export const defaultBatch = (rows: number, optimizer: OptimizerOptions["optimizer"]): number =>
  isAdam(optimizer) ? Math.min(256, Math.max(32, 2 ** Math.floor(Math.log2(rows / 25)))) : 32;

const isAdam = (optimizer: OptimizerOptions["optimizer"]): boolean =>
  optimizer === "adam" || optimizer === "amsgrad" || optimizer === "adamw";

/** An option that the chosen kind of thing does not have is a mistake, not silence. */
export function refuse(given: Readonly<Record<string, unknown>>, what: string): void {
  const name = Object.keys(given).find((key) => given[key] !== undefined);
  if (name === undefined) return;
  throw new TilegradError("E_ARGUMENT", `\`${name}\`: ${what} has no such option.`, {
    hint: `Leave \`${name}\` out.`,
  });
}

/** y: labels of the training rows, [rows]; weights and the initial bias follow from them. */
export function makeLoss(options: LossOptions, y: Float32Array): Loss {
  const { loss, posWeight, gamma, alpha, labelSmoothing } = options;
  const weights = classWeights(options, y);
  const common = weights ? { classWeight: weights } : {};
  if (loss !== "bce") refuse({ posWeight, labelSmoothing }, `the loss ${loss}`);
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

function classWeights({ classWeight }: LossOptions, y: Float32Array): ClassWeight | null {
  if (classWeight === "none") return null;
  if (classWeight === "balanced") return classWeightBalanced(y);
  return "effective" in classWeight ? effectiveNumberWeights(y, classWeight.effective) : (classWeight as ClassWeight);
}

/** Whether scores are margins rather than probabilities. */
export const isMargin = ({ loss }: Pick<LossOptions, "loss">): boolean => loss === "hinge" || loss === "squaredHinge";

/** Whether the loss is least where scores are the true probabilities, but for weights and resampling, which can be undone. */
export const isProper = ({ loss }: Pick<LossOptions, "loss">): boolean => loss === "bce" || loss === "mse";

/** How much more a positive counts than a negative, by the classes' weights. */
function weightRatio(options: LossOptions, y: Float32Array): number {
  const { 0: negative = 1, 1: positive = 1 } = classWeights(options, y) ?? {};
  const factor = options.posWeight === "auto" ? posWeightAuto(y) : (options.posWeight ?? 1);
  return (positive * factor) / negative;
}

/** The bias with which the network begins by predicting the (weighted) base rate; margins of the hinges begin at 0. */
export function initialBias(options: LossOptions, balancedBatches: boolean, y: Float32Array): number {
  if (isMargin(options)) return 0;
  const bias = (balancedBatches ? 0 : logOddsBias(y)) + Math.log(weightRatio(options, y));
  return Number.isFinite(bias) ? bias : 0;
}

/**
 * To be added to the logit of every score, so that it is a probability though the classes' weights differ. Cross-entropy
 * and squared error are least at the true odds times the ratio of the weights; the focal loss and the hinges are not, and
 * their scores are left alone.
 */
export function weightShift(options: LossOptions, y: Float32Array): number {
  const ratio = weightRatio(options, y);
  return isProper(options) && ratio > 0 && ratio < Infinity ? weightCorrection(ratio).shift : 0;
}

/** By default Adam's steps grow with the square root of the batch, as its noise shrinks (Malladi et al. 2022); from 64 rows on. */
export function learningRateOf({ optimizer, learningRate }: OptimizerOptions, batch: number): number {
  return learningRate ?? (isAdam(optimizer) ? 0.001 * Math.sqrt(Math.max(1, batch / 64)) : 0.01);
}

/** @param batch rows of a step, which the default rate follows */
export function makeOptimizer(options: OptimizerOptions, batch: number): Optimizer {
  const { optimizer, momentum, weightDecay, clipNorm, clipValue } = options;
  const common = {
    learningRate: makeSchedule(options, learningRateOf(options, batch)),
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

function makeSchedule(options: OptimizerOptions, rate: number): Schedule {
  const { schedule, endRate, decay, decayEvery, warmup } = options;
  const what = `the schedule ${schedule}`;
  if (schedule !== "linear" && schedule !== "cosine") refuse({ endRate }, what);
  if (schedule !== "step" && schedule !== "exponential") refuse({ decay }, what);
  if (schedule !== "step") refuse({ decayEvery }, what);
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
