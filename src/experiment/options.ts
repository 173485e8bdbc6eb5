/** The options of an experiment, in small groups. A name stands in one group only, so that it is enough to say which is meant. */
import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { CALIBRATION_METHODS } from "../metrics/calibration.ts";
import { activationNames } from "../model/activations.ts";
import type { Model } from "../model/model.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { PRECISIONS } from "../passes/half.ts";
import { LOSSES, namesOf, OPTIMIZERS, RESAMPLERS, SCHEDULES } from "./variants.ts";

/** Lists of row numbers, from 0, for training and for testing. */
export interface RowLists {
  /** By which errors call them. */
  readonly name: string;
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** A model of one's own. */
export interface ModelMaker {
  /** Where it is from, as errors call it. */
  readonly from: string;
  /** [...shape] -> one logit. */
  readonly make: (shape: readonly number[]) => Model | Promise<Model>;
}

/** How much the classes weigh: `effective` is the beta of effective-number weights. */
export type ClassWeightChoice =
  | "balanced"
  | "none"
  | { readonly effective: number }
  | Readonly<Partial<Record<0 | 1, number>>>;

export const TASK = {
  /** The column to predict; with `window` also `up(column)`: whether it rises. */
  target: is.required(is.string),
  /** The label that means yes; default: the rarer one. */
  positive: is.string,
  /** The columns are the pixels of an image: [height, width, channels]. */
  image: is.numberList as Kind<ImageSize>,
  /** Rows follow in time, and an input is so many of them. */
  window: is.positiveInteger,
  /** Rows from a window's last to its label; default 1. */
  horizon: is.integerFrom(0),
};

/** Options that stand in no group. */
const OWN = {
  ...TASK,
  /** Whether logistic regression is fitted beside the network; default true. */
  baseline: is.boolean,
  /** Of split, weights, order and dropout; default 0. */
  seed: is.number,
};

/** Every option of every group; those with a default in `DEFAULTS` are required. Words and ranges not said here are looked at where they are used. */
export const GROUPS = {
  columns: {
    /** That are no inputs. */
    exclude: is.required(is.strings),
    /** That name the rows, and are no inputs. */
    id: is.required(is.strings),
    /** How much each row counts, in the loss and in every metric: numbers of at least 0. */
    sampleWeight: is.string,
    /** What a cost of `amount` is for each row, such as a payment's size: numbers of at least 0. */
    amount: is.string,
    /** Most inputs of one categorical column; default 50. */
    maxLevels: is.required(is.positiveInteger),
    /** Of numbers; default standard. */
    scaling: is.required(is.oneOf("standard", "minmax", "none")),
    /** Of windows: columns whose levels are inputs, though they move; others that do are scaled by each window's own rows. */
    absolute: is.required(is.strings),
  },
  split: {
    /** The share of rows that is for testing, in [0, 1); or another table, of which all are. Default 0.2. */
    test: is.required(is.anything as Kind<number | Table>),
    /** The share of the others that decides when to stop and where the threshold lies, in [0, 1); default 0.2. */
    validation: is.required(is.fraction),
    /** Lists of rows instead of a share for testing. */
    splits: is.object as Kind<RowLists>,
    /** A column: the rows of one group stay together. It is no input. */
    group: is.string,
    /** Rows follow in time: the last are for testing. */
    time: is.boolean,
  },
  network: {
    /** Default by the inputs' shape: cnn for images, lstm for windows, else mlp. */
    model: is.anything as Kind<"mlp" | "cnn" | "lstm" | ModelMaker>,
    /** Units of mlp (default 128, 64) and lstm (32), filters of cnn (16, 32); none makes mlp logistic regression. */
    layers: is.numberList,
    /** Of the hidden layers of mlp and cnn; default relu. */
    activation: is.oneOf(...activationNames),
    /** Rate after each dense or LSTM layer, in [0, 1); auto: 0.3, but none after layers so narrow that every unit counts. */
    dropout: is.or(is.fraction, "auto"),
    /** Penalty on |weights|; default 0. */
    l1: is.nonNegative,
    /** On squared weights; auto: 1 / rows, the same prior on the weights however large the table. */
    l2: is.or(is.nonNegative, "auto"),
  },
  loss: {
    /** mse is of the probability. */
    loss: is.required(is.oneOf(...namesOf(LOSSES))),
    classWeight: is.required(is.anything as Kind<ClassWeightChoice>),
    /** Factor on the loss of positives, of bce. */
    posWeight: is.or(is.positive, "auto"),
    /** Focusing of the focal loss; default 2. */
    gamma: is.nonNegative,
    /** Focal weight of positives; default 0.25. */
    alpha: is.or(is.share, "auto", "none"),
    /** Of bce, in [0, 1). */
    labelSmoothing: is.fraction,
  },
  resample: {
    resample: is.required(is.oneOf("none", ...namesOf(RESAMPLERS))),
    /** Rows of the rarer class per row of the other, afterwards, in (0, 1]; default 1. */
    samplingStrategy: is.positiveShare,
    /** Of methods that look for neighbours; default theirs. */
    kNeighbors: is.positiveInteger,
    /** Of randomOverSampler: noise on the copies; default 0. */
    shrinkage: is.nonNegative,
    /** Every batch is half positives, of the rows as resampling leaves them. */
    balancedBatches: is.required(is.boolean),
  },
  optimizer: {
    optimizer: is.required(is.oneOf(...namesOf(OPTIMIZERS))),
    /** Default 0.001 for adams, more from batches of 64 on; 0.01 for the others. */
    learningRate: is.positive,
    /** Of momentum, nesterov (default 0.9) and rmsprop. */
    momentum: is.fraction,
    weightDecay: is.nonNegative,
    clipNorm: is.positive,
    clipValue: is.positive,
    /** Of the learning rate over all epochs. */
    schedule: is.required(is.oneOf(...namesOf(SCHEDULES))),
    /** Of linear and cosine; default 0. */
    endRate: is.nonNegative,
    /** Factor of step (default 0.1) and exponential (default 0.95 an epoch). */
    decay: is.positiveShare,
    /** Epochs, of step; default 10. */
    decayEvery: is.positiveInteger,
    /** Epochs, of cosine; default 0. */
    warmup: is.integerFrom(0),
  },
  training: {
    /** At most; default 200. */
    epochs: is.required(is.positiveInteger),
    /** Rows of a step; default 32 to 256, by the number of rows. */
    batch: is.positiveInteger,
    /** Epochs without improvement, after which the best weights are taken; 0 is off, default 15. */
    earlyStopping: is.required(is.integerFrom(0)),
    /** What must improve. */
    monitor: is.required(is.oneOf("valPrAuc", "valRocAuc", "valF1", "valLoss", "loss")),
    /** Epochs without improvement, then a tenth of the learning rate. */
    reduceOnPlateau: is.positiveInteger,
    /** Whether to train once more with the validation rows; auto: with few positives, and without `calibrate`. */
    refit: is.required(is.oneOf("auto", "always", "never")),
    precision: is.required(is.oneOf(...PRECISIONS)),
  },
  decision: {
    /** A rule, such as f1, recall>=0.8 or cost:fp=1,fn=5 (see parseThresholdRule), or a number as text. */
    threshold: is.required(is.string),
    /** The threshold is chosen from the scores of so many folds, each scored by what learned from the others; auto: with few positives. */
    thresholdFolds: is.required(is.or(is.integerFrom(2), "auto", "none")),
    /** Maps scores to probabilities, fitted on the validation rows. */
    calibrate: is.required(is.oneOf("none", ...CALIBRATION_METHODS)),
    /** Whether scores are brought to the prevalence of the rows as they came, after weights of classes and resampling; default true. */
    correction: is.required(is.boolean),
  },
};

/** What may be left out may be undefined, too. */
type Declared<S, O = OptionsOf<S>> = {
  readonly [N in keyof O]: O[N] | (object extends Pick<O, N> ? undefined : never);
};
type Declarations = typeof GROUPS;

/** What is to be predicted, and from what. */
export interface TaskOptions extends Declared<typeof TASK> {}
/** Columns that are no plain inputs, and how the others become inputs. */
export interface ColumnOptions extends Declared<Declarations["columns"]> {}
/** Which rows are for what. */
export interface SplitOptions extends Declared<Declarations["split"]> {}
/** What rows must not share with those they are judged by. By default the classes' shares are kept. */
export interface Apart extends Pick<SplitOptions, "group" | "time"> {}
export interface NetworkOptions extends Declared<Declarations["network"]> {}
export interface LossOptions extends Declared<Declarations["loss"]> {}
/** What training rows become before they are learned from. */
export interface ResampleOptions extends Declared<Declarations["resample"]> {}
export interface OptimizerOptions extends Declared<Declarations["optimizer"]> {}
export interface TrainingOptions extends Declared<Declarations["training"]> {}
/** How scores become probabilities and decisions. */
export interface DecisionOptions extends Declared<Declarations["decision"]> {}

interface OwnOptions extends Declared<typeof OWN> {}
type Groups = { readonly [G in keyof Declarations]: Declared<Declarations[G]> };

export type ExperimentOptions = OwnOptions & { readonly [G in keyof Groups]?: Partial<Groups[G]> };

/** The same with every default filled in. */
export type Settings = OwnOptions & Groups & { readonly baseline: boolean; readonly seed: number };

export const DEFAULTS = {
  columns: { exclude: [], id: [], maxLevels: 50, scaling: "standard", absolute: [] },
  split: { test: 0.2, validation: 0.2, time: false },
  network: {},
  loss: { loss: "bce", classWeight: "none" },
  resample: { resample: "none", balancedBatches: false },
  optimizer: { optimizer: "adam", schedule: "constant" },
  training: { epochs: 200, earlyStopping: 15, monitor: "valPrAuc", refit: "auto", precision: "f32" },
  decision: { threshold: "f1", thresholdFolds: "auto", calibrate: "none", correction: true },
} as const satisfies Groups;

const groupNames = Object.keys(GROUPS) as (keyof typeof GROUPS)[];

/** The options with their defaults. @throws E_ARGUMENT for names that are no options, and values of another kind */
export function settle(options: ExperimentOptions): Settings {
  checkOptions("experiment", options, { ...OWN, ...Object.fromEntries(groupNames.map((group) => [group, is.object])) });
  const groups = groupNames.map((group) => {
    const given = Object.entries(options[group] ?? {}).filter(([, value]) => value !== undefined);
    return [group, checkOptions(group, { ...DEFAULTS[group], ...Object.fromEntries(given) }, GROUPS[group])];
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
