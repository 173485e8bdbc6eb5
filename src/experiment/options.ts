/** The options of an experiment, in small groups. A name stands in one group only, so that it is enough to say which is meant. */
import type { ImageSize } from "../data/pixels.ts";
import type { Scaling } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import * as is from "../kinds.ts";
import type { CalibrationMethod } from "../metrics/calibration.ts";
import type { ActivationName } from "../model/activations.ts";
import { activationNames } from "../model/activations.ts";
import type { Model } from "../model/model.ts";
import { checkOptions } from "../options.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import { PRECISIONS } from "../passes/half.ts";

/** What is to be predicted, and from what. */
export interface TaskOptions {
  /** The column to predict; with `window` also `up(column)`: whether it rises. */
  readonly target: string;
  /** The label that means yes; default: the rarer one. */
  readonly positive?: string | undefined;
  /** The columns are the pixels of an image: [height, width, channels]. */
  readonly image?: ImageSize | undefined;
  /** Rows follow in time, and an input is so many of them. */
  readonly window?: number | undefined;
  /** Rows from a window's last to its label; default 1. */
  readonly horizon?: number | undefined;
}

/** Columns that are no plain inputs, and how the others become inputs. */
export interface ColumnOptions {
  /** That are no inputs. */
  readonly exclude: readonly string[];
  /** That name the rows, and are no inputs. */
  readonly id: readonly string[];
  /** How much each row counts, in the loss and in every metric: numbers of at least 0. */
  readonly sampleWeight?: string | undefined;
  /** What a cost of `amount` is for each row, such as a payment's size: numbers of at least 0. */
  readonly amount?: string | undefined;
  /** Most inputs of one categorical column; default 50. */
  readonly maxLevels: number;
  /** Of numbers; default standard. */
  readonly scaling: Scaling;
}

/** Rows for training and for testing, as lists of row numbers from 0. */
export interface RowLists {
  /** By which errors call them. */
  readonly name: string;
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** What rows must not share with those they are judged by. By default the classes' shares are kept. */
export interface Apart {
  /** A column: the rows of one group stay together. It is no input. */
  readonly group?: string | undefined;
  /** Rows follow in time: the last are for testing. */
  readonly time?: boolean | undefined;
}

/** Which rows are for what. */
export interface SplitOptions extends Apart {
  /** The share of rows that is for testing, in [0, 1); or another table, of which all are. Default 0.2. */
  readonly test: number | Table;
  /** The share of the others that decides when to stop and where the threshold lies, in [0, 1); default 0.2. */
  readonly validation: number;
  /** Lists of rows instead of a share for testing. */
  readonly splits?: RowLists | undefined;
}

/** A model of one's own. */
export interface ModelMaker {
  /** Where it is from, as errors call it. */
  readonly from: string;
  /** [...shape] -> one logit. */
  readonly make: (shape: readonly number[]) => Model | Promise<Model>;
}

export interface NetworkOptions {
  /** Default by the inputs' shape: cnn for images, lstm for windows, else mlp. */
  readonly model?: "mlp" | "cnn" | "lstm" | ModelMaker | undefined;
  /** Units of mlp (default 128, 64) and lstm (32), filters of cnn (16, 32); none makes mlp logistic regression. */
  readonly layers?: readonly number[] | undefined;
  /** Of the hidden layers of mlp and cnn; default relu. */
  readonly activation?: ActivationName | undefined;
  /** Rate after each dense or LSTM layer, in [0, 1); auto: 0.3, but none after layers so narrow that every unit counts. */
  readonly dropout?: number | "auto" | undefined;
  /** Penalty on |weights|; default 0. */
  readonly l1?: number | undefined;
  /** On squared weights; auto: 1 / rows, the same prior on the weights however large the table. */
  readonly l2?: number | "auto" | undefined;
}

export const LOSSES = ["bce", "focal", "hinge", "squaredHinge", "mse"] as const;

/** How much the classes weigh: `effective` is the beta of effective-number weights. */
export type ClassWeightChoice =
  | "balanced"
  | "none"
  | { readonly effective: number }
  | Readonly<Partial<Record<0 | 1, number>>>;

export interface LossOptions {
  /** mse is of the probability. */
  readonly loss: (typeof LOSSES)[number];
  readonly classWeight: ClassWeightChoice;
  /** Factor on the loss of positives, of bce. */
  readonly posWeight?: number | "auto" | undefined;
  /** Focusing of the focal loss; default 2. */
  readonly gamma?: number | undefined;
  /** Focal weight of positives; default 0.25. */
  readonly alpha?: number | "auto" | "none" | undefined;
  /** Of bce, in [0, 1). */
  readonly labelSmoothing?: number | undefined;
}

export const RESAMPLE_NAMES = [
  "randomOverSampler",
  "randomUnderSampler",
  "smote",
  "smoteNC",
  "borderlineSmote",
  "borderlineSmote2",
  "kMeansSmote",
  "adasyn",
  "tomekLinks",
  "editedNearestNeighbours",
  "smoteTomek",
  "smoteEnn",
  "nearMiss",
  "nearMiss2",
  "nearMiss3",
] as const;
export type ResampleName = (typeof RESAMPLE_NAMES)[number];

/** What training rows become before they are learned from. */
export interface ResampleOptions {
  readonly resample: ResampleName | "none";
  /** Rows of the rarer class per row of the other, afterwards, in (0, 1]; default 1. */
  readonly samplingStrategy?: number | undefined;
  /** Of methods that look for neighbours; default theirs. */
  readonly kNeighbors?: number | undefined;
  /** Of randomOverSampler: noise on the copies; default 0. */
  readonly shrinkage?: number | undefined;
  /** Every batch is half positives, of the rows as resampling leaves them. */
  readonly balancedBatches: boolean;
}

export const OPTIMIZERS = ["sgd", "momentum", "nesterov", "adam", "amsgrad", "adamw", "rmsprop", "adagrad"] as const;
export const SCHEDULES = ["constant", "linear", "step", "exponential", "cosine"] as const;

export interface OptimizerOptions {
  readonly optimizer: (typeof OPTIMIZERS)[number];
  /** Default 0.001 for adams, more from batches of 64 on; 0.01 for the others. */
  readonly learningRate?: number | undefined;
  /** Of momentum, nesterov (default 0.9) and rmsprop. */
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly clipNorm?: number | undefined;
  readonly clipValue?: number | undefined;
  /** Of the learning rate over all epochs. */
  readonly schedule: (typeof SCHEDULES)[number];
  /** Of linear and cosine; default 0. */
  readonly endRate?: number | undefined;
  /** Factor of step (default 0.1) and exponential (default 0.95 an epoch). */
  readonly decay?: number | undefined;
  /** Epochs, of step; default 10. */
  readonly decayEvery?: number | undefined;
  /** Epochs, of cosine; default 0. */
  readonly warmup?: number | undefined;
}

export const MONITORS = ["valPrAuc", "valRocAuc", "valF1", "valLoss", "loss"] as const;

export interface TrainingOptions {
  /** At most; default 200. */
  readonly epochs: number;
  /** Rows of a step; default 32 to 256, by the number of rows. */
  readonly batch?: number | undefined;
  /** Epochs without improvement, after which the best weights are taken; 0 is off, default 15. */
  readonly earlyStopping: number;
  /** What must improve. */
  readonly monitor: (typeof MONITORS)[number];
  /** Epochs without improvement, then a tenth of the learning rate. */
  readonly reduceOnPlateau?: number | undefined;
  /** Whether to train once more with the validation rows; auto: with few positives. */
  readonly refit: "auto" | "always" | "never";
  readonly precision: TrainingPrecision;
}

export const CALIBRATIONS = [
  "platt",
  "isotonic",
  "temperature",
  "beta",
] as const satisfies readonly CalibrationMethod[];

/** How scores become probabilities and decisions. */
export interface DecisionOptions {
  /** A rule, such as f1, recall>=0.8 or cost:fp=1,fn=5 (see parseThresholdRule), or a number as text. */
  readonly threshold: string;
  /** The threshold is chosen from the scores of so many folds, each scored by what learned from the others. */
  readonly thresholdFolds?: number | undefined;
  /** Maps scores to probabilities, fitted on the validation rows. */
  readonly calibrate: CalibrationMethod | "none";
}

/** Options that stand in no group. */
interface OwnOptions extends TaskOptions {
  /** Whether logistic regression is fitted beside the network; default true. */
  readonly baseline?: boolean | undefined;
  /** Of split, weights, order and dropout; default 0. */
  readonly seed?: number | undefined;
}

interface Groups {
  readonly columns: ColumnOptions;
  readonly split: SplitOptions;
  readonly network: NetworkOptions;
  readonly loss: LossOptions;
  readonly resample: ResampleOptions;
  readonly optimizer: OptimizerOptions;
  readonly training: TrainingOptions;
  readonly decision: DecisionOptions;
}

export type ExperimentOptions = OwnOptions & { readonly [G in keyof Groups]?: Partial<Groups[G]> };

/** The same with every default filled in. */
export type Settings = OwnOptions & Groups & { readonly baseline: boolean; readonly seed: number };

export const DEFAULTS = {
  columns: { exclude: [], id: [], maxLevels: 50, scaling: "standard" },
  split: { test: 0.2, validation: 0.2, time: false },
  network: {},
  loss: { loss: "bce", classWeight: "none" },
  resample: { resample: "none", balancedBatches: false },
  optimizer: { optimizer: "adam", schedule: "constant" },
  training: { epochs: 200, earlyStopping: 15, monitor: "valPrAuc", refit: "auto", precision: "f32" },
  decision: { threshold: "f1", calibrate: "none" },
} as const satisfies Groups;

/** Every option of every group, and of which kind it is; words and ranges are looked at where they are used. */
export const GROUPS = {
  columns: {
    exclude: is.strings,
    id: is.strings,
    sampleWeight: is.string,
    amount: is.string,
    maxLevels: is.positiveInteger,
    scaling: is.oneOf("standard", "minmax", "none"),
  },
  split: { test: is.anything, validation: is.fraction, splits: is.object, group: is.string, time: is.boolean },
  network: {
    model: is.anything,
    layers: is.numberList,
    activation: is.oneOf(...activationNames),
    dropout: is.anything,
    l1: is.nonNegative,
    l2: is.anything,
  },
  loss: {
    loss: is.oneOf(...LOSSES),
    classWeight: is.anything,
    posWeight: is.anything,
    gamma: is.nonNegative,
    alpha: is.anything,
    labelSmoothing: is.fraction,
  },
  resample: {
    resample: is.oneOf("none", ...RESAMPLE_NAMES),
    samplingStrategy: is.positive,
    kNeighbors: is.positiveInteger,
    shrinkage: is.nonNegative,
    balancedBatches: is.boolean,
  },
  optimizer: {
    optimizer: is.oneOf(...OPTIMIZERS),
    learningRate: is.positive,
    momentum: is.fraction,
    weightDecay: is.nonNegative,
    clipNorm: is.positive,
    clipValue: is.positive,
    schedule: is.oneOf(...SCHEDULES),
    endRate: is.nonNegative,
    decay: is.positive,
    decayEvery: is.positiveInteger,
    warmup: is.nonNegative,
  },
  training: {
    epochs: is.positiveInteger,
    batch: is.positiveInteger,
    earlyStopping: is.nonNegative,
    monitor: is.oneOf(...MONITORS),
    reduceOnPlateau: is.positiveInteger,
    refit: is.oneOf("auto", "always", "never"),
    precision: is.oneOf(...PRECISIONS),
  },
  decision: { threshold: is.string, thresholdFolds: is.positiveInteger, calibrate: is.oneOf("none", ...CALIBRATIONS) },
};

const OWN = {
  target: is.required(is.string),
  positive: is.string,
  image: is.numberList,
  window: is.positiveInteger,
  horizon: is.nonNegative,
  baseline: is.boolean,
  seed: is.number,
};

const groupNames = Object.keys(GROUPS) as (keyof typeof GROUPS)[];

/** The options with their defaults. @throws E_ARGUMENT for names that are no options, and values of another kind */
export function settle(options: ExperimentOptions): Settings {
  checkOptions("experiment", options, { ...OWN, ...Object.fromEntries(groupNames.map((group) => [group, is.object])) });
  const groups = groupNames.map((group) => {
    const given = Object.entries(options[group] ?? {}).filter(([, value]) => value !== undefined);
    return [group, { ...DEFAULTS[group], ...checkOptions(group, Object.fromEntries(given), GROUPS[group]) }];
  });
  const { baseline = true, seed = 0 } = options;
  const settings = { ...options, baseline, seed, ...Object.fromEntries(groups) } as Settings;
  const { group } = settings.split;
  // What names a group is no input.
  const id =
    group === undefined || settings.columns.id.includes(group) ? settings.columns.id : [...settings.columns.id, group];
  return { ...settings, columns: { ...settings.columns, id } };
}

/** A value for each of some options, by their names. */
export type Choice = Readonly<Record<string, unknown>>;

/** The options with other values for those of a choice. @throws E_ARGUMENT for names that are no options of a group */
export function withChoice(options: ExperimentOptions, choice: Choice): ExperimentOptions {
  let changed = options;
  for (const [name, value] of Object.entries(choice)) {
    const group = groupOf(name);
    changed = { ...changed, [group]: { ...changed[group], [name]: value } };
  }
  return changed;
}

function groupOf(name: string): keyof typeof GROUPS {
  const group = groupNames.find((candidate) => name in GROUPS[candidate]);
  if (group !== undefined) return group;
  const known = groupNames.flatMap((candidate) => Object.keys(GROUPS[candidate]));
  checkOptions("choice", { [name]: 0 }, Object.fromEntries(known.map((key) => [key, is.anything])));
  throw new Error("unreachable");
}
