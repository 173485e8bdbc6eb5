/** Training with progress, early stopping, checkpoints and Ctrl-C. */
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import { TilegradError } from "../errors.ts";
import { fileError, fileExists, publishFile } from "../node/files.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import type { BestEpoch, Callback } from "../train/callbacks.ts";
import { earlyStopping, reduceOnPlateau } from "../train/callbacks.ts";
import type { Data } from "../train/data.ts";
import type { RowSource } from "../train/source.ts";
import type { Trainer } from "../train/trainer.ts";
import { precisionOption } from "./options/device.ts";
import { CHECKPOINT_FILE, checkpointFolder, refitFolder } from "./options/output.ts";
import { number } from "./options/values.ts";
import type { Interrupt } from "./terminal/interrupt.ts";
import type { Speed } from "./terminal/progress.ts";
import { TrainingProgress } from "./terminal/progress.ts";
import { print } from "./terminal/terminal.ts";

export interface FitSettings {
  readonly epochs: number;
  /** Default by the number of rows. */
  readonly batch?: number;
  readonly earlyStopping: number;
  readonly monitor: string;
  readonly reduceOnPlateau?: number;
  readonly refit: "auto" | "always" | "never";
  readonly precision: TrainingPrecision;
  readonly checkpoint?: number;
  readonly resume?: boolean;
}

const whole = (min: number): ((text: string) => number) => number({ min, integer: true });
const MONITORS = ["valPrAuc", "valRocAuc", "valF1", "valLoss", "loss"];

export function addFitOptions(command: Command): Command {
  return command
    .optionsGroup("Training:")
    .option("--epochs <n>", "at most", whole(1), 200)
    .option("--batch <rows>", "rows of a step (default: 32 to 256, by the number of rows)", whole(1))
    .option("--early-stopping <epochs>", "without improvement, then the best weights are taken; 0 is off", whole(0), 15)
    .addOption(new Option("--monitor <name>", "what must improve").choices(MONITORS).default("valPrAuc"))
    .option("--reduce-on-plateau <epochs>", "without improvement, then a tenth of the learning rate", whole(1))
    .addOption(
      new Option("--refit <when>", "train once more with the validation rows; auto: with few positives")
        .choices(["auto", "always", "never"])
        .default("auto"),
    )
    .addOption(precisionOption());
}

export function addCheckpointOptions(command: Command): Command {
  return command
    .optionsGroup("Interruption:")
    .option("--checkpoint <epochs>", "save to OUT/checkpoint every so many epochs, and on Ctrl-C", whole(1))
    .option("--resume", "go on from OUT/checkpoint, to the bits of an uninterrupted run", false);
}

/** One training run. */
export interface Run {
  readonly train: Data | RowSource;
  readonly validation: Data | RowSource | null;
  readonly epochs: number;
  readonly batch: number;
  readonly balancedBatches: boolean;
  readonly callbacks: readonly Callback[];
  /** The model's folder. */
  readonly out: string;
  /** Where its checkpoints go, every so many epochs; 0 for none. */
  readonly folder: string;
  readonly every: number;
  /** Whether to go on from the folder. */
  readonly resume: boolean;
  readonly monitor: string;
  readonly quiet: boolean;
  /** Best epoch so far, for the progress line. */
  readonly best?: () => BestEpoch | null;
}

/** Trains to the end, or until interrupted; gives its speed. @throws E_ABORTED */
export async function runWithProgress(trainer: Trainer, run: Run, interrupt: Interrupt): Promise<Speed> {
  const { folder, every, epochs, quiet, train, validation } = run;
  const callbacks = every > 0 ? [...run.callbacks, checkpointing(trainer, run)] : run.callbacks;
  if (run.resume) {
    await trainer.restoreCheckpoint(folder, callbacks, train);
    if (!quiet) print(`Going on after epoch ${trainer.cursor?.epoch ?? 0} of the checkpoint.`);
  }
  interrupt.onStop = async () => {
    if (every === 0) return "Nothing was saved; with --checkpoint N it could be resumed.";
    if (trainer.cursor) {
      await openCheckpoints(run);
      await trainer.saveCheckpoint(folder, callbacks);
    }
    return `The run is saved in ${checkpointFolder(run.out)}; the same command with --resume goes on from there.`;
  };
  const progress = new TrainingProgress({
    ...run,
    firstStep: trainer.step,
    firstEpoch: trainer.cursor?.epoch ?? 0,
  });
  const { signal } = interrupt;
  const { batch: batchSize, balancedBatches } = run;
  const options = { epochs, batchSize, balancedBatches, callbacks, signal, ...(validation ? { validation } : {}) };
  try {
    for await (const event of trainer.run(train, options)) {
      if (event.type === "epoch") progress.epoch(event.epoch, event.logs, run.best?.() ?? null);
      else progress.steps(event.step);
    }
  } finally {
    progress.end();
  }
  return progress.speed;
}

/** Saves every so many epochs, and after the last. */
function checkpointing(trainer: Trainer, run: Run): Callback {
  return {
    name: "checkpoint",
    async afterEpoch(epoch, control) {
      const { every, epochs } = run;
      if ((epoch + 1) % every !== 0 && epoch + 1 < epochs && !trainer.progress.stopped) return;
      await openCheckpoints(run);
      await control.saveCheckpoint(run.folder);
    },
  };
}

/** Early stopping and the plateau rule, as the options have it. @throws E_ARGUMENT when they watch what is not there */
export function makeCallbacks(
  { monitor, earlyStopping: patience, reduceOnPlateau: plateau }: FitSettings,
  validated: boolean,
): { readonly callbacks: readonly Callback[]; readonly best: () => BestEpoch | null } {
  const watches = validated || monitor === "loss";
  if (!watches && plateau !== undefined) {
    throw new TilegradError("E_ARGUMENT", `--reduce-on-plateau: there are no validation rows for ${monitor}.`, {
      hint: "Add --monitor loss, or a --validation share above 0.",
    });
  }
  const tieBreak = validated && monitor !== "valLoss" ? { tieBreak: "valLoss" } : {};
  const stopping = patience > 0 && watches ? earlyStopping({ monitor, patience, ...tieBreak }) : undefined;
  const plateauRule = plateau === undefined ? [] : [reduceOnPlateau({ monitor, patience: plateau })];
  return { callbacks: [...(stopping ? [stopping] : []), ...plateauRule], best: () => stopping?.best ?? null };
}

/** Beside checkpoints whose run has ended, its model being saved: gone again with the next checkpoint. */
const endMark = (out: string): string => path.join(checkpointFolder(out), "ended");

/** The run's model is saved: what it left may be gone on with, and written over. */
export async function markEnded(out: string): Promise<void> {
  if (await hasCheckpoint(checkpointFolder(out))) await publishFile(endMark(out), "");
}

/** Before each checkpoint: from here on the run is ahead of the saved model. */
const openCheckpoints = ({ out }: Run): Promise<void> => rm(endMark(out), { force: true });

/**
 * A run that was broken off is gone on with, or its checkpoint removed by who made it: a new run would write over it.
 * @throws E_FILE when `out` holds a checkpoint of a run that has not ended, or other files where checkpoints go
 */
export async function assertNoOpenRun(out: string, { checkpoint, resume }: FitSettings): Promise<void> {
  if (checkpoint === undefined || resume) return;
  const folder = checkpointFolder(out);
  const { foreign } = await checkpointFiles(out);
  if (foreign.length > 0) {
    throw new TilegradError("E_FILE", `--checkpoint: ${folder} is for checkpoints; got ${foreign[0]}.`, {
      hint: "Choose another --out, or move what is not tilegrad's out of there.",
    });
  }
  if (!(await hasCheckpoint(folder)) || (await fileExists(endMark(out)))) return;
  throw new TilegradError(
    "E_FILE",
    `--checkpoint: ${folder} holds a run that has not ended; a new one would write over it.`,
    {
      hint: `Go on with --resume, choose another --out, or remove ${folder}.`,
    },
  );
}

/** A new run with checkpoints leaves none of an earlier run's behind. */
export async function forgetCheckpoints(out: string): Promise<void> {
  const { own } = await checkpointFiles(out);
  for (const file of own) await rm(file, { force: true });
}

/** What lies where checkpoints go: files of ours, and others. @throws E_FILE when a file stands where a folder should */
async function checkpointFiles(out: string): Promise<{ readonly own: string[]; readonly foreign: string[] }> {
  const [own, foreign]: [string[], string[]] = [[], []];
  const refit = refitFolder(out);
  for (const folder of [refit, checkpointFolder(out)]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw fileError(error, "write", folder);
    });
    for (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (file === refit) continue;
      (entry.isFile() && CHECKPOINT_FILE.test(entry.name) ? own : foreign).push(file);
    }
  }
  return { own, foreign };
}

/** @throws E_FILE when an earlier run has left nothing to go on from */
export async function checkResumable(out: string): Promise<void> {
  const folder = checkpointFolder(out);
  if (await hasCheckpoint(folder)) return;
  throw new TilegradError("E_FILE", `--resume: there is nothing to resume, no checkpoint in ${folder}.`, {
    hint: "Leave --resume out to begin; with --checkpoint N, a run that is cut short can be resumed.",
  });
}

export const hasCheckpoint = (folder: string): Promise<boolean> => fileExists(path.join(folder, "checkpoint.json"));
