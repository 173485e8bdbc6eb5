/** What an experiment found, as plain JSON. */
import { inputShapeOf } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import type { Json } from "../io/json.ts";
import type { Calibration } from "../metrics/calibration.ts";
import { diagnostics } from "../metrics/diagnostics.ts";
import { pairedPrAuc } from "../metrics/paired.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { TunedThreshold } from "../metrics/thresholds.ts";
import type { Model } from "../model/model.ts";
import type { LogisticBaseline } from "../report/result.ts";
import type { BestEpoch } from "../train/callbacks.ts";
import type { History } from "../train/progress.ts";
import type { ModelExtras } from "../train/saving.ts";
import type { Trainer } from "../train/trainer.ts";
import { assess, importanceOf } from "./assess.ts";
import type { FittedBaseline } from "./baseline.ts";
import { oneAnswer, thresholdRule, unmetRule } from "./decide.ts";
import type { Speed } from "./fit.ts";
import { modelName } from "./network.ts";
import type { Settings } from "./options.ts";
import type { Refit } from "./refit.ts";
import type { ResampleSummary } from "./resample.ts";
import type { Examples, Prepared, Task } from "./rows.ts";
import { weightsOf } from "./rows.ts";
import { trainedRows } from "./trainedRows.ts";
import type { Findings } from "./warnings.ts";

export interface Learned {
  /** With the weights to be saved. */
  readonly trainer: Trainer;
  readonly model: Model;
  readonly best: BestEpoch | null;
  readonly history: History;
  readonly steps: number;
  /** Before any refit. */
  readonly speed: Speed;
  readonly refit: Refit | null;
  /** Fitted to the validation scores before any refit. */
  readonly calibration: Calibration | null;
  readonly threshold: TunedThreshold;
  /** That it was chosen by; null: by the validation rows, or the training rows where there are none. */
  readonly thresholdFolds: number | null;
  /** The rows that the weights were learned from in the end, before any resampling. */
  readonly learnedFrom: Examples;
  readonly resampled: ResampleSummary | null;
  /** What was added to the logit of every score for the rows' and the classes' weights in training. */
  readonly priorShift: number;
  /** Calibrated. Of the validation rows before any refit, which trains on them. */
  readonly scores: Parts<Float32Array>;
  readonly metrics: Parts<ClassificationReport>;
  readonly baseline: FittedBaseline | null;
  /** Rows of a step. */
  readonly batch: number;
  /** What the options of the optimizer and the network came to. */
  readonly chosen: Readonly<Record<string, Json>>;
}

interface Parts<T> {
  readonly train: T;
  readonly validation: T | null;
  readonly test: T | null;
}

/** How much is to be looked at. */
export interface Shown {
  /** How much each column matters. */
  readonly importance?: boolean | undefined;
  /** All that a report shows: importance, confidence intervals, and what is in the table. */
  readonly report?: boolean | undefined;
}

/** The result that `train --json` prints, but for what only a command line knows. */
export type ExperimentResult = ReturnType<typeof resultOf> extends Promise<infer R> ? R : never;

/** What every result begins with. */
export const resultHead = (device: Device, { table, target }: Pick<Task, "table" | "target">) => ({
  device: device.info,
  file: table.name,
  target: target.name,
  positive: target.positive,
  negative: target.negative,
});

/** Of the test rows, or the best there are instead. */
export async function resultOf(
  device: Device,
  data: Prepared,
  learned: Learned,
  settings: Settings,
  { description, warnings }: Findings,
  { importance = false, report: reported = false }: Shown = {},
) {
  const { preprocessor, table, train, validation, test } = data;
  const { trainer, model, threshold, history, chosen } = learned;
  const { seed, decision, network } = settings;
  const inputShape = inputShapeOf(preprocessor);
  const part = test ? "test" : validation ? "validation" : "train";
  const [rows, scores] = [data[part] as Examples, learned.scores[part] as Float32Array];
  // Validation rows are scored, and decided, by the network that they stopped.
  const by = {
    threshold: (learned.metrics[part] as ClassificationReport).threshold,
    rule: thresholdRule(settings),
    seed,
    intervals: reported,
  };
  const { report, versusGuessing, diagnostics: drawn, cost } = assess(rows, scores, by);
  return {
    ...resultHead(device, data),
    rows: {
      file: table.rows,
      train: train.y.length,
      validation: validation?.y.length ?? 0,
      test: test?.y.length ?? 0,
      unused: data.unused,
    },
    inputs: preprocessor.featureNames.length,
    inputShape,
    network: { model: modelName(network, inputShape), layers: model.layers, architecture: model.architecture },
    parameters: model.layers.reduce((n, layer) => n + layer.parameters, 0),
    dispatches: trainer.dispatches,
    epochs: history.loss.length,
    steps: learned.steps,
    best: learned.best,
    history,
    refit: learned.refit,
    resampled: learned.resampled,
    priorShift: learned.priorShift,
    calibration: learned.calibration,
    threshold: threshold.threshold,
    thresholdRule: decision.threshold,
    thresholdFolds: learned.thresholdFolds,
    thresholdAttained: threshold.attained,
    metrics: { ...learned.metrics, [part]: report },
    baseline: comparedBaseline(learned, rows, scores, seed, reported),
    part,
    versusGuessing,
    diagnostics: drawn,
    cost,
    importance: importance || reported ? await importanceOf(trainer, preprocessor, rows, seed) : null,
    ...(reported && description ? { data: description } : {}),
    timing: { fitMs: learned.speed.ms, stepsPerSecond: learned.speed.stepsPerSecond },
    warnings: [...warnings, ...unmetRule(threshold, decision), ...oneAnswer(report)],
    settings: { batch: learned.batch, ...chosen },
  } as const;
}

/** Logistic regression beside the network: on the same rows, paired. */
function comparedBaseline(
  { baseline, model }: Learned,
  rows: Examples,
  network: Float32Array,
  seed: number,
  reported: boolean,
): LogisticBaseline | null {
  if (!baseline) return null;
  const { scores, ...told } = baseline;
  const weights = weightsOf(rows);
  const isItself = model.layers.filter(({ parameters }) => parameters > 0).length === 1 && model.outputShape[0] === 1;
  const versus = isItself ? null : pairedPrAuc(rows.y, network, scores, { seed, ...weights });
  const curves = () => {
    const { roc, pr } = diagnostics(rows.y, scores, { threshold: baseline.threshold, ...weights });
    return { curves: { roc, pr } };
  };
  return { ...told, versus, ...(reported ? curves() : {}) };
}

export type Extras = ModelExtras;

/** What travels with the model: how tables become inputs, scores probabilities, and probabilities decisions. */
export async function extrasOf(
  { preprocessor, target }: Pick<Prepared, "preprocessor" | "target">,
  { calibration, threshold, batch, chosen, learnedFrom }: Learned,
  { columns: { sampleWeight, amount }, decision, seed }: Settings,
): Promise<Extras> {
  const known = {
    ...(sampleWeight === undefined ? {} : { sampleWeight }),
    ...(amount === undefined ? {} : { amount }),
  };
  return {
    preprocessing: preprocessor as unknown as Json,
    ...(calibration ? { calibration } : {}),
    threshold: { value: threshold.threshold, rule: decision.threshold },
    labels: { positive: target.positive, negative: target.negative.join(", ") },
    training: {
      settings: { seed, ...known, batch, ...chosen },
      rows: await trainedRows(preprocessor, learnedFrom),
    },
  };
}
