/** The flags that say how to learn, and all flags as options of an experiment. */
import type { Command } from "commander";
import type { ExperimentOptions, RowLists } from "../../experiment/options.ts";
import { DEFAULTS, GROUPS } from "../../experiment/options.ts";
import type { Schema } from "../../options.ts";
import type { Flag } from "./flags.ts";
import { addFlags } from "./flags.ts";
import { modelFrom } from "./modelFile.ts";
import type { TableFlags } from "./table.ts";
import { classWeight, sizes } from "./values.ts";

type Group<G extends keyof typeof GROUPS> = NonNullable<ExperimentOptions[G]>;

/** As they are typed: every option of an experiment has a flag of its name. */
export interface ExperimentFlags
  extends Omit<Group<"network">, "model">,
    Group<"loss">,
    Group<"resample">,
    Group<"optimizer">,
    Group<"training">,
    Group<"decision"> {
  /** A preset, or a JSON file. */
  readonly model?: string;
  readonly baseline: boolean;
  readonly seed: number;
}

/** The one place where flags become options. @param lists what `--splits` names */
export function experimentOptions(
  flags: ExperimentFlags & TableFlags & { readonly target: string },
  { test = 0, lists }: { readonly test?: number | undefined; readonly lists?: RowLists | undefined } = {},
): ExperimentOptions {
  const { target, positive, image, window, horizon, baseline, seed } = flags;
  const values = { ...flags, test, splits: lists, model: modelFrom(flags.model) };
  const group = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, values[name as keyof typeof values]]));
  const groups = Object.entries(GROUPS).map(([name, names]) => [name, group(names)]);
  return { target, positive, image, window, horizon, baseline, seed, ...Object.fromEntries(groups) };
}

/** Their default is no value: saved settings then do not name them. */
const UNSAID = { resample: undefined, calibrate: undefined };

function addGroup<G extends keyof typeof GROUPS>(
  command: Command,
  title: string,
  group: G,
  flags: { readonly [N in keyof (typeof GROUPS)[G]]?: Flag },
): Command {
  return addFlags<Schema>(command.optionsGroup(title), GROUPS[group], flags as Readonly<Record<string, Flag>>, {
    ...DEFAULTS[group],
    ...UNSAID,
  });
}

/** The flags of `ExperimentFlags` but the seed. */
export function addExperimentOptions(command: Command): Command {
  addNetworkOptions(command);
  addLossOptions(command);
  addGroup(command, "Rare positives:", "resample", {
    resample: ["name", "makes, repeats or removes training rows (default: none)"],
    samplingStrategy: ["ratio", "rows of the rarer class per row of the other, afterwards (default: 1)"],
    kNeighbors: ["n", "of methods that look for neighbours (default: theirs)"],
    shrinkage: ["n", "of randomOverSampler: noise on the copies (default: 0)"],
    balancedBatches: ["", "every batch is half positives, of the training rows as --resample leaves them"],
  });
  addOptimizerOptions(command);
  addGroup(command, "Training:", "training", {
    epochs: ["n", "at most"],
    batch: ["rows", "rows of a step (default: 32 to 256, by the number of rows)"],
    earlyStopping: ["epochs", "without improvement, then the best weights are taken; 0 is off"],
    monitor: ["name", "what must improve"],
    reduceOnPlateau: ["epochs", "without improvement, then a tenth of the learning rate"],
    refit: ["when", "train once more with the validation rows; auto: with few positives"],
  });
  addPrecisionOption(command);
  return addGroup(command, "Decision:", "decision", {
    calibrate: ["method", "map scores to probabilities, fitted on the validation rows"],
    threshold: [
      "rule",
      "chosen on validation rows: f1, f2 or any f<beta>, mcc, youden, balancedAccuracy, accuracy, kappa, recall>=0.8, precision>=0.5, alerts:5 (of 1,000 rows), quantile:0.9, cost:fp=1,fn=5, cost:fp=5,fn=amount, or a number",
      asTyped,
    ],
    thresholdFolds: [
      "k",
      "choose by cross-validation of the training and validation rows: k more networks are trained",
    ],
  })
    .option("--no-correction", "scores as learned, not brought back from class weights and resampling to probabilities")
    .option("--no-baseline", "no logistic regression beside the network");
}

const asTyped = (text: string): string => text;

export const addPrecisionOption = (command: Command): Command =>
  addFlags(
    command,
    GROUPS.training,
    { precision: ["name", "mixed stores activations and their gradients in 16 bits; needs shader-f16, or cpu"] },
    DEFAULTS.training,
  );

export const addNetworkOptions = (command: Command): Command =>
  addGroup(command, "Network:", "network", {
    model: [
      "mlp|cnn|lstm|file.json",
      "a preset, or a file with an architecture (default: mlp; cnn with --image, lstm with --window)",
      asTyped,
    ],
    layers: [
      "sizes",
      "hidden layers: units of mlp (default: 128,64) and lstm (32), filters of cnn (16,32); '' makes mlp logistic regression",
      sizes,
    ],
    activation: ["name", "of the hidden layers of mlp and cnn (default: relu)"],
    dropout: ["rate", "after each dense or LSTM layer; auto (default) is 0.3 after layers of at least 64 units"],
    l1: ["factor", "penalty on |weights| (default: 0)"],
    l2: ["factor", "penalty on squared weights; auto (default) is 1 / training rows"],
  });

export const addLossOptions = (command: Command): Command =>
  addGroup(command, "Loss:", "loss", {
    loss: ["name", "mse is of the probability"],
    classWeight: ["weights", "balanced, none, effective:0.999, or such as 0:1,1:10 (0 is no, 1 yes)", classWeight],
    posWeight: ["n", "factor on the loss of positives (bce), or auto"],
    gamma: ["n", "focusing of the focal loss (default: 2)"],
    alpha: ["n", "focal weight of positives, auto or none (default: 0.25)"],
    labelSmoothing: ["s", "of bce"],
  });

export const addOptimizerOptions = (command: Command): Command =>
  addGroup(command, "Optimizer:", "optimizer", {
    optimizer: ["name", "how weights are updated"],
    learningRate: ["rate", "default: 0.001 for adams, more from batches of 64 on; others 0.01"],
    momentum: ["n", "of momentum, nesterov (default: 0.9) and rmsprop"],
    weightDecay: ["n", "decays weights; adamw apart from the gradient"],
    clipNorm: ["n", "limits the gradient's norm"],
    clipValue: ["n", "limits each gradient element"],
    schedule: ["name", "of the learning rate over all epochs"],
    endRate: ["rate", "of linear and cosine (default: 0)"],
    decay: ["factor", "of step (default: 0.1) and exponential (default: 0.95 an epoch)"],
    decayEvery: ["epochs", "of step (default: 10)"],
    warmup: ["epochs", "of cosine (default: 0)"],
  });
