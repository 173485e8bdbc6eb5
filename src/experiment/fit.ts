/** One network learns: early stopping, checkpoints, and the scores brought back to the prevalence of the rows. */
import { TilegradError } from "../errors.ts";
import type { BestEpoch, Callback } from "../train/callbacks.ts";
import { earlyStopping, reduceOnPlateau } from "../train/callbacks.ts";
import type { Trainer } from "../train/trainer.ts";
import type { Checkpoints, Surroundings } from "./observer.ts";
import type { Settings, TrainingOptions } from "./options.ts";
import { correctPrior } from "./prior.ts";
import type { Sampled } from "./resample.ts";
import type { Examples } from "./rows.ts";

/** Of the epochs that were run here: a run that goes on has some behind it. */
export interface Speed {
  readonly ms: number;
  readonly stepsPerSecond: number;
}

export interface Run {
  /** A refit watches nothing and stops for nothing. */
  readonly stage: "fit" | "refit";
  readonly validation: Examples | null;
  readonly epochs: number;
  /** Rows of a step. */
  readonly batch: number;
  /** To be added to every logit for the classes' weights. */
  readonly classShift: number;
}

/** @throws E_ABORTED, the run being saved then where checkpoints are kept; E_ARGUMENT, E_NONFINITE, E_FILE */
export async function fitNetwork(
  trainer: Trainer,
  { examples, shift }: Sampled,
  { stage, validation, epochs, batch: batchSize, classShift }: Run,
  { training, resample: { balancedBatches } }: Settings,
  { signal, onProgress, checkpoints }: Surroundings,
): Promise<{ readonly best: BestEpoch | null; readonly speed: Speed }> {
  const refit = stage === "refit";
  const { callbacks: watching, best } = refit ? NOTHING : callbacksFor(training, validation !== null);
  const kept = checkpoints && checkpoints.every > 0 ? checkpoints : null;
  const callbacks = kept ? [...watching, checkpointing(trainer, kept, stage, epochs)] : watching;
  if (kept && !refit && !kept.resume) await kept.clear();
  const resumed = checkpoints?.resume === true && (!refit || (await checkpoints.has(stage)));
  if (resumed) await trainer.restoreCheckpoint(checkpoints.folder(stage), callbacks, examples);

  const firstStep = trainer.step;
  const firstEpoch = trainer.cursor?.epoch ?? 0;
  const monitor = refit ? "loss" : training.monitor;
  onProgress?.({ type: "fit", refit, resumed, epochs, firstEpoch, firstStep, monitor });
  const began = performance.now();
  const options = { epochs, batchSize, balancedBatches, callbacks, ...(validation ? { validation } : {}) };
  try {
    for await (const event of trainer.run(examples, signal ? { ...options, signal } : options)) {
      const { type } = event;
      onProgress?.(type === "epoch" ? { ...event, best: best() } : { type, step: event.step });
    }
  } catch (error) {
    if (kept && trainer.cursor && error instanceof TilegradError && error.code === "E_ABORTED") {
      await kept.opening();
      await trainer.saveCheckpoint(kept.folder(stage), callbacks);
    }
    throw error;
  } finally {
    onProgress?.({ type: "fitted" });
  }
  const ms = performance.now() - began;
  const speed = { ms, stepsPerSecond: ((trainer.step - firstStep) * 1000) / Math.max(1, ms) };
  await correctPrior(trainer, shift + classShift);
  return { best: best(), speed };
}

interface Watching {
  readonly callbacks: readonly Callback[];
  readonly best: () => BestEpoch | null;
}

const NOTHING: Watching = { callbacks: [], best: () => null };

/** Early stopping and the plateau rule. @throws E_ARGUMENT when they watch what is not there */
function callbacksFor(
  { monitor, earlyStopping: patience, reduceOnPlateau: plateau }: TrainingOptions,
  validated: boolean,
): Watching {
  const watches = validated || monitor === "loss";
  if (!watches && plateau !== undefined) {
    throw new TilegradError("E_ARGUMENT", `\`reduceOnPlateau\`: there are no validation rows for ${monitor}.`, {
      hint: "Add `monitor: loss`, or a `validation` share above 0.",
    });
  }
  const tieBreak = validated && monitor !== "valLoss" ? { tieBreak: "valLoss" } : {};
  const stopping = patience > 0 && watches ? earlyStopping({ monitor, patience, ...tieBreak }) : undefined;
  const plateauRule = plateau === undefined ? [] : [reduceOnPlateau({ monitor, patience: plateau })];
  return { callbacks: [...(stopping ? [stopping] : []), ...plateauRule], best: () => stopping?.best ?? null };
}

/** Saves every so many epochs, and after the last. */
function checkpointing(trainer: Trainer, kept: Checkpoints, stage: Run["stage"], epochs: number): Callback {
  return {
    name: "checkpoint",
    async afterEpoch(epoch, control) {
      if ((epoch + 1) % kept.every !== 0 && epoch + 1 < epochs && !trainer.progress.stopped) return;
      await kept.opening();
      await control.saveCheckpoint(kept.folder(stage));
    },
  };
}
