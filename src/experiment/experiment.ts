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
import type { TunedThreshold } from "../metrics/thresholds.ts";
import { Trainer } from "../train/trainer.ts";
import { logisticBaseline } from "./baseline.ts";
import { calibrationOf, checkCalibrate, checkThresholds, thresholdRule } from "./decide.ts";
import { fitNetwork } from "./fit.ts";
import { splitRows } from "./folds.ts";
import { makeModel, networkSettings } from "./network.ts";
import { defaultBatch, learningRateOf, makeLoss, makeOptimizer, weightShift } from "./objective.ts";
import type { Surroundings } from "./observer.ts";
import { silent } from "./observer.ts";
import type { ExperimentOptions, Settings } from "./options.ts";
import { settle } from "./options.ts";
import { prepare } from "./prepare.ts";
import { checkCorrectable } from "./prior.ts";
import type { Refit } from "./refit.ts";
import { judgeRefit, shouldRefit } from "./refit.ts";
import type { Sampled } from "./resample.ts";
import { resampler } from "./resample.ts";
import type { ExperimentResult, Extras, Learned, Shown } from "./result.ts";
import { extrasOf, resultOf } from "./result.ts";
import type { Examples, Prepared } from "./rows.ts";
import { inputsOf, joined, joinedExamples, weightsOf } from "./rows.ts";
import { taskOf } from "./task.ts";
import { thresholdsBy } from "./threshold.ts";
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
  const extras = await orDispose([trainer], () => extrasOf(data, learned, settings));
  return { trainer, extras, result };
}

/**
 * Fits with early stopping, chooses the threshold on the validation rows or by folds, and where positives are scarce fits once
 * more, for as many epochs, with the validation rows too; that network stays where it is no worse (refit.ts). The trainer is the
 * caller's to dispose of; after an error none is left.
 */
export async function learn(
  device: Device,
  data: Prepared,
  settings: Settings,
  around: Surroundings = {},
): Promise<Learned> {
  const { train, validation, test } = data;
  const { loss: lossOptions, optimizer: optimizerOptions, training, decision, seed } = settings;
  const { precision } = training;

  const rule = thresholdRule(settings);
  const learnFold = (fold: Prepared, own: Settings) => learn(device, fold, own, silent(around));
  const thresholds = thresholdsBy(learnFold, data, settings, around);

  const sample = resampler(device, data.preprocessor, settings);
  const sampled = await sample(train);
  const { y } = sampled.examples;
  const shape = inputShapeOf(data.preprocessor);

  const batch = Math.min(training.batch ?? defaultBatch(y.length, optimizerOptions.optimizer), y.length);
  const model = await makeModel(settings, shape, y);
  const classShift = decision.correction ? weightShift(lossOptions, y) : 0;
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
    const trained = await scoresOf(first, train);
    const stopped = await thresholds.network.on(validation ?? train, validated ?? trained);
    let final: Final = { trainer: first, sampled, learnedFrom: train, threshold: stopped };

    let refit: Refit | null = null;
    if (validation && validated && shouldRefit(settings, train, validation)) {
      const all = joinedExamples(train, validation);
      const epochs = (best?.epoch ?? first.progress.history.loss.length - 1) + 1;
      const [trainer, again] = [newTrainer(), await sample(all)];
      await fitNetwork(trainer, again, { ...whole, stage: "refit", validation: null, epochs }, settings, around);
      const after = await scoresOf(trainer, all);
      const judged = judgeRefit(settings, all, joined(trained, validated), after);
      refit = { rows: all.y.length, epochs, loss: trainer.history.loss, ...judged };
      const threshold = thresholds.network.moved(stopped, trained, after);
      if (judged.kept) final = { trainer, sampled: again, learnedFrom: all, threshold };
      (judged.kept ? first : trainer).dispose();
    }

    const { trainer, learnedFrom, threshold } = final;
    const scores = {
      train: trainer === first ? trained : await scoresOf(trainer, train),
      validation: validated,
      test: test && (await scoresOf(trainer, test)),
    };
    const report = (part: Examples | null, found: Float32Array | null, by = threshold): ClassificationReport | null =>
      part && found && classificationReport(part.y, found, { threshold: by.threshold, ...weightsOf(part) });
    return {
      trainer,
      model,
      best,
      history: first.history,
      steps: made.reduce((steps, each) => steps + each.step, 0),
      speed,
      refit,
      calibration,
      threshold,
      thresholdFolds: thresholds.folds(),
      learnedFrom,
      resampled: final.sampled.summary,
      priorShift: final.sampled.shift + classShift,
      scores,
      metrics: {
        train: report(train, scores.train) as ClassificationReport,
        validation: report(validation, scores.validation, stopped),
        test: report(test, scores.test),
      },
      baseline: settings.baseline ? await logisticBaseline(data, learnedFrom, thresholds.logistic, rule, seed) : null,
      batch,
      chosen: {
        learningRate: learningRateOf(optimizerOptions, batch),
        ...networkSettings(settings.network, shape, y.length),
      },
    };
  });
}

/** The network that is the model, and what it came from. */
interface Final {
  readonly trainer: Trainer;
  readonly sampled: Sampled;
  readonly learnedFrom: Examples;
  readonly threshold: TunedThreshold;
}

/** After an error nothing is left on the device. */
async function orDispose<T>(trainers: readonly Trainer[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const trainer of trainers) trainer.dispose();
    throw error;
  }
}
