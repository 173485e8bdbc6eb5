/**
 * READ FIRST. One experiment on a page: a table in, a trained network, its threshold and honest metrics out.
 *
 *   settle    options.ts   every option with its default
 *   taskOf    task.ts      the table's target, and the rows that have an input and a label
 *   splitRows folds.ts     which rows are for what
 *   prepare   prepare.ts   inputs and labels of these rows, by a preprocessor fitted on those to train on
 *   learn     below        a trained network, its calibration, its threshold, and its scores
 *   resultOf  result.ts    all that can be said of it, as plain JSON
 *
 * Cross-validation (crossValidation.ts), search (search.ts) and comparison (compare.ts) prepare and learn as this does, so that
 * none of them can measure in another way. rows.ts has the words for rows.
 */
import { inputShapeOf } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";
import { calibrated } from "../metrics/calibration.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import { tuneThreshold } from "../metrics/thresholds.ts";
import { Trainer } from "../train/trainer.ts";
import type { Choose } from "./baseline.ts";
import { fitLogistic, logisticBaseline, logisticScores } from "./baseline.ts";
import { calibrationOf, checkCalibrate, checkThresholds, thresholdRule } from "./decide.ts";
import { fitNetwork } from "./fit.ts";
import { splitRows } from "./folds.ts";
import { makeModel, networkSettings } from "./network.ts";
import { defaultBatch, learningRateOf, makeLoss, makeOptimizer, weightShift } from "./objective.ts";
import type { Observer, Surroundings } from "./observer.ts";
import { silent } from "./observer.ts";
import type { ExperimentOptions, Settings } from "./options.ts";
import { settle } from "./options.ts";
import { prepare } from "./prepare.ts";
import { checkCorrectable } from "./prior.ts";
import { resampler } from "./resample.ts";
import type { ExperimentResult, Extras, Learned, Shown } from "./result.ts";
import { extrasOf, resultOf } from "./result.ts";
import type { Examples, Labels, Prepared } from "./rows.ts";
import { inputsOf, joined, joinedExamples, joinedLabels, positivesIn, pricesOf, weightsOf } from "./rows.ts";
import { taskOf } from "./task.ts";
import { findings } from "./warnings.ts";

export interface Experiment {
  /** With the weights to be saved; the caller's to dispose of. */
  readonly trainer: Trainer;
  /** What `trainer.save(folder, extras)` takes for the command line to read the model. */
  readonly extras: Extras;
  readonly result: ExperimentResult;
}

/**
 * One experiment on a table: a trained network, its threshold, and metrics on rows that it has not seen.
 * @throws E_ARGUMENT, E_DATA, E_ABORTED, E_NONFINITE, ...; nothing is held then
 */
export async function experiment(
  device: Device,
  table: Table,
  options: ExperimentOptions,
  around: Surroundings & Shown = {},
): Promise<Experiment> {
  const settings = settle(options);
  checkThresholds(settings);
  const task = taskOf(table, settings);
  const data = await prepare(task, splitRows(task, settings), settings);
  const found = findings(data, settings, around);
  const learned = await learn(device, data, settings, around);
  const { trainer } = learned;
  const result = await orDispose([trainer], () => resultOf(device, data, learned, settings, found, around));
  return { trainer, extras: extrasOf(data, learned, settings), result };
}

/** Below this many positives the validation rows are worth more in training (bench/results/defaults.md). */
const SCARCE_POSITIVES = 500;

/**
 * Fits with early stopping, chooses the threshold on the validation rows, and where positives are scarce fits once more, for as
 * many epochs, with the validation rows too. The trainer is the caller's to dispose of; after an error none is left.
 */
export async function learn(
  device: Device,
  data: Prepared,
  settings: Settings,
  around: Surroundings = {},
): Promise<Learned> {
  const { train, validation, test } = data;
  const { loss: lossOptions, optimizer: optimizerOptions, training, decision, seed } = settings;
  const { precision, refit } = training;

  const rule = thresholdRule(settings);
  const choose = thresholdBy(settings, heldOutScores(device, data, settings, around));

  const sample = resampler(device, data.preprocessor, settings);
  const sampled = await sample(train);
  const { y } = sampled.examples;
  const shape = inputShapeOf(data.preprocessor);

  const batch = Math.min(training.batch ?? defaultBatch(y.length, optimizerOptions.optimizer), y.length);
  const model = await makeModel(settings, shape, y);
  const classShift = weightShift(lossOptions, y);
  checkCorrectable(model, sampled.shift + classShift);
  const [loss, optimizer] = [makeLoss(lossOptions, y), makeOptimizer(optimizerOptions, batch)];
  checkCalibrate(decision, validation);

  const made: Trainer[] = [];
  const newTrainer = (): Trainer => {
    const metrics = ["prAuc", "rocAuc", "f1"] as const;
    made.push(new Trainer(model, { device, loss, optimizer, seed, precision, metrics }));
    return made[made.length - 1];
  };
  return orDispose(made, async () => {
    const first = newTrainer();
    const whole = { stage: "fit", validation, epochs: training.epochs, batch, classShift } as const;
    const { best, speed } = await fitNetwork(first, sampled, whole, settings, around);

    const raw = validation && (await first.predict(inputsOf(validation)));
    const calibration = calibrationOf(decision, lossOptions, validation, raw);
    const scoresOf = async (trainer: Trainer, part: Examples) =>
      calibrated(calibration, await trainer.predict(inputsOf(part)));
    const validated = raw && calibrated(calibration, raw);
    const threshold = await choose.network(validation ?? train, validated ?? (await scoresOf(first, train)));

    const again = validation && shouldRefit(refit, train, validation) ? joinedExamples(train, validation) : null;
    const epochs = (best?.epoch ?? first.progress.history.loss.length - 1) + 1;
    if (again) first.dispose();
    const trainer = again ? newTrainer() : first;
    const learnedAs = again ? await sample(again) : sampled;
    if (again)
      await fitNetwork(trainer, learnedAs, { ...whole, stage: "refit", validation: null, epochs }, settings, around);

    const scores = {
      train: await scoresOf(trainer, train),
      validation: validated,
      test: test && (await scoresOf(trainer, test)),
    };
    const report = (part: Examples | null, found: Float32Array | null): ClassificationReport | null =>
      part && found && classificationReport(part.y, found, { threshold: threshold.threshold, ...weightsOf(part) });
    const learnedFrom = again ?? train;
    return {
      trainer,
      model,
      best,
      history: first.history,
      steps: trainer.step + (again ? first.step : 0),
      speed,
      refit: again && { rows: again.y.length, epochs, loss: trainer.history.loss },
      calibration,
      threshold,
      learnedFrom,
      resampled: learnedAs.summary,
      priorShift: learnedAs.shift + classShift,
      scores,
      metrics: {
        train: report(train, scores.train) as ClassificationReport,
        validation: report(validation, scores.validation),
        test: report(test, scores.test),
      },
      baseline: settings.baseline ? await logisticBaseline(data, learnedFrom, choose.logistic, rule, seed) : null,
      batch,
      chosen: {
        learningRate: learningRateOf(optimizerOptions, batch),
        ...networkSettings(settings.network, shape, y.length),
      },
    };
  });
}

function shouldRefit(when: Settings["training"]["refit"], train: Examples, validation: Examples): boolean {
  return when === "always" || (when === "auto" && positivesIn(train) + positivesIn(validation) < SCARCE_POSITIVES);
}

/** Rows with their scores by models that have learned from others. */
interface HeldOut {
  readonly rows: Labels;
  readonly network: Float32Array;
  readonly logistic: Float32Array;
}

/** By the rows at hand, or by those of all folds where `thresholdFolds` is given. */
function thresholdBy(
  settings: Settings,
  heldOut: (() => Promise<HeldOut>) | null,
): Readonly<Record<"network" | "logistic", Choose>> {
  const rule = thresholdRule(settings);
  const by =
    (scorer: "network" | "logistic"): Choose =>
    async (part, scores) => {
      const held = await heldOut?.();
      const [rows, found] = held ? [held.rows, held[scorer]] : [part, scores];
      return tuneThreshold(rows.y, found, rule, pricesOf(rows));
    };
  return { network: by("network"), logistic: by("logistic") };
}

/** Scored when they are asked for first. Each fold is an experiment of its own, in which all that is fitted is fitted anew. */
function heldOutScores(
  device: Device,
  data: Prepared,
  settings: Settings,
  around: Observer,
): (() => Promise<HeldOut>) | null {
  const { thresholdFolds: k, ...decision } = settings.decision;
  if (k === undefined) return null;
  const folds = data.folds(k);
  const tell = (fold: number | null) => around.onProgress?.({ type: "threshold", fold, folds: k });
  const score = async (): Promise<HeldOut> => {
    let all: HeldOut | null = null;
    let done = 0;
    try {
      for await (const fold of folds) {
        tell(++done);
        const own = { ...settings, decision, baseline: false };
        const { trainer, scores, learnedFrom } = await learn(device, fold, own, silent(around));
        trainer.dispose();
        const rows = fold.test as Examples;
        const logistic = settings.baseline
          ? await logisticScores(await fitLogistic(fold, learnedFrom, settings.seed), rows)
          : new Float32Array(0);
        const next = { rows, network: scores.test as Float32Array, logistic };
        all = all ? joinedHeldOut(all, next) : next;
      }
    } finally {
      tell(null);
    }
    return all as HeldOut;
  };
  let scored: Promise<HeldOut> | undefined;
  return () => {
    scored ??= score();
    return scored;
  };
}

const joinedHeldOut = (a: HeldOut, b: HeldOut): HeldOut => ({
  rows: joinedLabels(a.rows, b.rows),
  network: joined(a.network, b.network),
  logistic: joined(a.logistic, b.logistic),
});

/** After an error nothing is left on the device. */
async function orDispose<T>(trainers: readonly Trainer[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const trainer of trainers) trainer.dispose();
    throw error;
  }
}
