/** What a network learns and how its weights move: loss and optimizer. */
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
import type { Optimizer } from "../model/optimizers.ts";
import { adam, adamW } from "../model/optimizers.ts";
import type { Schedule } from "../model/schedules.ts";
import type { LossOptions, OptimizerOptions } from "./options.ts";
import { LOSSES, makeVariant, OPTIMIZERS, SCHEDULES } from "./variants.ts";

/**
 * Rows of a step when none are given. Adam: enough steps an epoch for small tables, cheap steps for large ones. The others
 * move by the gradient itself and need many steps: 32.
 */
export const defaultBatch = (rows: number, optimizer: OptimizerOptions["optimizer"]): number =>
  isAdam(optimizer) ? Math.min(256, Math.max(32, 2 ** Math.floor(Math.log2(rows / 25)))) : 32;

const ADAMS: readonly unknown[] = [adam, adamW];

const isAdam = (optimizer: OptimizerOptions["optimizer"]): boolean => ADAMS.includes(OPTIMIZERS[optimizer].make);

/** y: labels of the training rows, [rows]; weights and the initial bias follow from them. */
export function makeLoss(options: LossOptions, y: Float32Array): Loss {
  const { loss, posWeight, gamma, alpha, labelSmoothing } = options;
  const given = {
    posWeight: posWeight === "auto" ? posWeightAuto(y) : posWeight,
    labelSmoothing,
    gamma,
    alpha: alpha === "auto" ? focalAlpha(y) : alpha === "none" ? null : alpha,
  };
  const classWeight = classWeights(options, y);
  return makeVariant<Loss>(LOSSES[loss], given, `the loss ${loss}`, classWeight ? { classWeight } : {});
}

function classWeights({ classWeight }: LossOptions, y: Float32Array): ClassWeight | null {
  if (classWeight === "none") return null;
  if (classWeight === "balanced") return classWeightBalanced(y);
  return "effective" in classWeight ? effectiveNumberWeights(y, classWeight.effective) : (classWeight as ClassWeight);
}

/** Whether scores are margins rather than probabilities. */
export const isMargin = ({ loss }: Pick<LossOptions, "loss">): boolean => LOSSES[loss].scores === "margin";

/** Whether the loss is least where scores are the true probabilities, but for weights and resampling, which can be undone. */
export const isProper = ({ loss }: Pick<LossOptions, "loss">): boolean => LOSSES[loss].scores === "probability";

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
  const learningRate = makeSchedule(options, learningRateOf(options, batch));
  const common = { learningRate, weightDecay, clipNorm, clipValue };
  return makeVariant<Optimizer>(OPTIMIZERS[optimizer], { momentum }, optimizer, common);
}

function makeSchedule(options: OptimizerOptions, rate: number): Schedule {
  const { schedule, endRate, decay, decayEvery, warmup } = options;
  const given = { rate, endRate, decay, decayEvery, warmup };
  return makeVariant<Schedule>(SCHEDULES[schedule], given, `the schedule ${schedule}`);
}
