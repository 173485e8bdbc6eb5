/** The flags that say how to learn, and all flags as options of an experiment. */
import type { Command } from "commander";
import { Option } from "commander";
import type { ExperimentOptions, RowLists } from "../../experiment/options.ts";
import {
  CALIBRATIONS,
  DEFAULTS,
  GROUPS,
  LOSSES,
  MONITORS,
  OPTIMIZERS,
  RESAMPLE_NAMES,
  SCHEDULES,
} from "../../experiment/options.ts";
import { activationNames } from "../../model/activations.ts";
import { precisionOption } from "./device.ts";
import { modelFrom } from "./modelFile.ts";
import type { TableFlags } from "./table.ts";
import { classWeight, number, numberOr, sizes, whole } from "./values.ts";

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

/** The flags of `ExperimentFlags` but the seed. */
export function addExperimentOptions(command: Command): Command {
  addNetworkOptions(command);
  addLossOptions(command);
  addResampleOptions(command);
  addOptimizerOptions(command);
  addFitOptions(command);
  return command
    .optionsGroup("Decision:")
    .addOption(
      new Option("--calibrate <method>", "map scores to probabilities, fitted on the validation rows").choices([
        "none",
        ...CALIBRATIONS,
      ]),
    )
    .option(
      "--threshold <rule>",
      "chosen on validation rows: f1, f2 or any f<beta>, mcc, youden, balancedAccuracy, accuracy, kappa, recall>=0.8, precision>=0.5, alerts:5 (of 1,000 rows), quantile:0.9, cost:fp=1,fn=5, cost:fp=5,fn=amount, or a number",
      DEFAULTS.decision.threshold,
    )
    .option(
      "--threshold-folds <k>",
      "choose by cross-validation of the training and validation rows: k more networks are trained",
      number({ min: 2, integer: true }),
    )
    .option("--no-baseline", "no logistic regression beside the network");
}

export function addNetworkOptions(command: Command): Command {
  return command
    .optionsGroup("Network:")
    .option(
      "--model <mlp|cnn|lstm|file.json>",
      "a preset, or a file with an architecture (default: mlp; cnn with --image, lstm with --window)",
    )
    .option(
      "--layers <sizes>",
      "hidden layers: units of mlp (default: 128,64) and lstm (32), filters of cnn (16,32); '' makes mlp logistic regression",
      sizes,
    )
    .addOption(
      new Option("--activation <name>", "of the hidden layers of mlp and cnn (default: relu)").choices(activationNames),
    )
    .option(
      "--dropout <rate>",
      "after each dense or LSTM layer; auto (default) is 0.3 after layers of at least 64 units",
      numberOr(["auto"], { min: 0, below: 1 }),
    )
    .option("--l1 <factor>", "penalty on |weights| (default: 0)", number({ min: 0 }))
    .option(
      "--l2 <factor>",
      "penalty on squared weights; auto (default) is 1 / training rows",
      numberOr(["auto"], { min: 0 }),
    );
}

export function addLossOptions(command: Command): Command {
  return command
    .optionsGroup("Loss:")
    .addOption(new Option("--loss <name>", "mse is of the probability").choices(LOSSES).default(DEFAULTS.loss.loss))
    .option(
      "--class-weight <weights>",
      "balanced, none, effective:0.999, or such as 0:1,1:10 (0 is no, 1 yes)",
      classWeight,
      DEFAULTS.loss.classWeight,
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
      new Option("--optimizer <name>", "how weights are updated")
        .choices(OPTIMIZERS)
        .default(DEFAULTS.optimizer.optimizer),
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
        .default(DEFAULTS.optimizer.schedule),
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

function addResampleOptions(command: Command): Command {
  return command
    .optionsGroup("Rare positives:")
    .addOption(
      new Option("--resample <name>", "makes, repeats or removes training rows (default: none)").choices([
        "none",
        ...RESAMPLE_NAMES,
      ]),
    )
    .option(
      "--sampling-strategy <ratio>",
      "rows of the rarer class per row of the other, afterwards (default: 1)",
      number({ above: 0, max: 1 }),
    )
    .option(
      "--k-neighbors <n>",
      "of methods that look for neighbours (default: theirs)",
      number({ min: 1, integer: true }),
    )
    .option("--shrinkage <n>", "of randomOverSampler: noise on the copies (default: 0)", number({ min: 0 }))
    .option(
      "--balanced-batches",
      "every batch is half positives, of the training rows as --resample leaves them",
      false,
    );
}

function addFitOptions(command: Command): Command {
  return command
    .optionsGroup("Training:")
    .option("--epochs <n>", "at most", whole(1), DEFAULTS.training.epochs)
    .option("--batch <rows>", "rows of a step (default: 32 to 256, by the number of rows)", whole(1))
    .option(
      "--early-stopping <epochs>",
      "without improvement, then the best weights are taken; 0 is off",
      whole(0),
      DEFAULTS.training.earlyStopping,
    )
    .addOption(new Option("--monitor <name>", "what must improve").choices(MONITORS).default(DEFAULTS.training.monitor))
    .option("--reduce-on-plateau <epochs>", "without improvement, then a tenth of the learning rate", whole(1))
    .addOption(
      new Option("--refit <when>", "train once more with the validation rows; auto: with few positives")
        .choices(["auto", "always", "never"])
        .default(DEFAULTS.training.refit),
    )
    .addOption(precisionOption());
}

export function addCheckpointOptions(command: Command): Command {
  return command
    .optionsGroup("Interruption:")
    .option("--checkpoint <epochs>", "save to OUT/checkpoint every so many epochs, and on Ctrl-C", whole(1))
    .option("--resume", "go on from OUT/checkpoint, to the bits of an uninterrupted run", false);
}
