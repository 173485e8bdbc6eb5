/**
 * How `train` learns: fit with early stopping, choose the threshold on the validation rows, and where positives are scarce
 * fit once more, for as many epochs, with the validation rows too.
 */

import type { FitSettings, Run } from "../cli/fit.ts";
import { forgetCheckpoints, hasCheckpoint, makeCallbacks, runWithProgress } from "../cli/fit.ts";
import { checkpointFolder, refitFolder } from "../cli/options/output.ts";
import type { Interrupt } from "../cli/terminal/interrupt.ts";
import type { Speed } from "../cli/terminal/progress.ts";
import { plural, print } from "../cli/terminal/terminal.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Calibration } from "../metrics/calibration.ts";
import { calibrated } from "../metrics/calibration.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import type { TunedThreshold } from "../metrics/thresholds.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { RowLabels } from "../node/rowFile.ts";
import type { BestEpoch } from "../train/callbacks.ts";
import type { History } from "../train/progress.ts";
import { Trainer } from "../train/trainer.ts";
import type { CalibrateOptions } from "./calibrate.ts";
import { calibrationOf, checkCalibrate } from "./calibrate.ts";
import type { Part } from "./examples.ts";
import { inputsOf, joinedParts, weightsOf } from "./examples.ts";
import type { LossChoice } from "./objective.ts";
import type { Prepared } from "./prepare.ts";
import { correctPrior } from "./prior.ts";
import type { ResampleSummary, Sampled } from "./resample.ts";

/** Below this many positives the validation rows are worth more in training (bench/results/defaults.md). */
const SCARCE_POSITIVES = 500;

export interface LearnSettings extends FitSettings, CalibrateOptions, LossChoice {
  readonly batch: number;
  readonly seed: number;
  /** The model's folder, in which checkpoints are kept. */
  readonly out?: string;
  readonly quiet: boolean;
  readonly balancedBatches?: boolean;
}

export interface Learned {
  /** With the weights to be saved. */
  readonly trainer: Trainer;
  readonly best: BestEpoch | null;
  readonly history: History;
  readonly steps: number;
  /** Before any refit. */
  readonly speed: Speed;
  readonly refit: { readonly rows: number; readonly epochs: number; readonly loss: readonly number[] } | null;
  /** Fitted to the validation scores before any refit. */
  readonly calibration: Calibration | null;
  readonly threshold: TunedThreshold;
  /** The rows that the weights were learned from in the end, before any resampling. */
  readonly learnedFrom: Part;
  readonly resampled: ResampleSummary | null;
  /** What was added to the logit of every score for the rows' and the classes' weights in training. */
  readonly priorShift: number;
  /** Calibrated. Of the validation rows before any refit, which trains on them. */
  readonly scores: {
    readonly train: Float32Array;
    readonly validation: Float32Array | null;
    readonly test: Float32Array | null;
  };
  readonly metrics: {
    readonly train: ClassificationReport;
    readonly validation: ClassificationReport | null;
    readonly test: ClassificationReport | null;
  };
}

/** Chooses a threshold, by scores of rows that were not learned from where there are any. */
export type Choose = (rows: RowLabels, scores: Float32Array) => Promise<TunedThreshold>;

export interface LearnPlan {
  readonly choose: Choose;
  /** What is learned from instead of the training rows. */
  readonly sampled: Sampled;
  /** The same of other rows. */
  readonly sample: (part: Part) => Promise<Sampled>;
  /** To be added to every logit for the classes' weights. */
  readonly weightShift: number;
}

interface Described {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
}

/** The trainer is the caller's to dispose of; after an error none is left, unless an interrupt may yet save it. */
export async function learn(
  device: Device,
  { model, loss, optimizer }: Described,
  data: Prepared,
  plan: LearnPlan,
  settings: LearnSettings,
  interrupt: Interrupt,
): Promise<Learned> {
  const { seed, precision } = settings;
  const made: Trainer[] = [];
  const newTrainer = (): Trainer => {
    const metrics = ["prAuc", "rocAuc", "f1"] as const;
    const trainer = new Trainer(model, { device, loss, optimizer, seed, precision, metrics });
    made.push(trainer);
    return trainer;
  };
  try {
    return await learnWith(newTrainer, data, plan, settings, interrupt);
  } catch (error) {
    if (!(error instanceof TilegradError && error.code === "E_ABORTED")) for (const trainer of made) trainer.dispose();
    throw error;
  }
}

async function learnWith(
  newTrainer: () => Trainer,
  data: Prepared,
  { choose, sampled, sample, weightShift }: LearnPlan,
  settings: LearnSettings,
  interrupt: Interrupt,
): Promise<Learned> {
  const { out = "", epochs, batch, monitor, quiet, checkpoint: every = 0, resume = false } = settings;
  const { train, validation } = data;
  checkCalibrate(settings, validation);
  if (every > 0 && !resume) await forgetCheckpoints(out);
  const shared = { batch, every, quiet, monitor, out, balancedBatches: settings.balancedBatches ?? false };

  const first = newTrainer();
  const { callbacks, best } = makeCallbacks(settings, validation !== null);
  const folder = checkpointFolder(out);
  const whole: Run = {
    ...shared,
    train: sampled.part,
    validation,
    epochs,
    callbacks,
    folder,
    resume,
    best,
  };
  const speed = await runWithProgress(first, whole, interrupt);
  await correctPrior(first, sampled.shift + weightShift);
  const raw = validation && (await first.predict(inputsOf(validation)));
  const calibration = calibrationOf(settings, validation, raw);
  const scoresOf = async (trainer: Trainer, part: Part) =>
    calibrated(calibration, await trainer.predict(inputsOf(part)));
  const validated = raw && calibrated(calibration, raw);
  const scored = validation ?? train;
  const threshold = await choose(scored, validated ?? (await scoresOf(first, train)));

  const again = validation && shouldRefit(settings.refit, train, validation) ? joinedParts(train, validation) : null;
  const refitEpochs = (best()?.epoch ?? first.progress.history.loss.length - 1) + 1;
  if (again) first.dispose();
  const trainer = again ? newTrainer() : first;
  let learnedAs = sampled;
  if (again) {
    learnedAs = await sample(again);
    if (!quiet) print(`Once more for ${plural(refitEpochs, "epoch")}, with the validation rows (--refit)`);
    const folder = refitFolder(out);
    const run: Run = {
      ...shared,
      train: learnedAs.part,
      validation: null,
      epochs: refitEpochs,
      callbacks: [],
      folder,
      monitor: "loss",
      resume: resume && (await hasCheckpoint(folder)),
    };
    await runWithProgress(trainer, run, interrupt);
    await correctPrior(trainer, learnedAs.shift + weightShift);
  }
  const scores = {
    train: await scoresOf(trainer, train),
    validation: validated,
    test: data.test && (await scoresOf(trainer, data.test)),
  };
  const report = (part: Part | null, found: Float32Array | null): ClassificationReport | null =>
    part && found && classificationReport(part.y, found, { threshold: threshold.threshold, ...weightsOf(part) });
  return {
    trainer,
    best: best(),
    history: first.history,
    steps: trainer.step + (again ? first.step : 0),
    speed,
    refit: again && { rows: again.y.length, epochs: refitEpochs, loss: trainer.history.loss },
    calibration,
    threshold,
    learnedFrom: again ?? train,
    resampled: learnedAs.summary,
    priorShift: learnedAs.shift + weightShift,
    scores,
    metrics: {
      train: report(train, scores.train) as ClassificationReport,
      validation: report(validation, scores.validation),
      test: report(data.test, scores.test),
    },
  };
}

function shouldRefit(when: FitSettings["refit"], train: Part, validation: Part): boolean {
  const positives = [train, validation].reduce((n, { y }) => n + y.reduce((a, b) => a + b, 0), 0);
  return when === "always" || (when === "auto" && positives < SCARCE_POSITIVES);
}
