/** The loop over epochs: runs steps, records losses, asks callbacks, and keeps count of what the weights have seen. */
import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { OptionsOf } from "../options.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import type { Numeric } from "../values.ts";
import type { Augment } from "./augment.ts";
import type { Batches } from "./batches.ts";
import { ORDER_OPTIONS } from "./batches.ts";
import type { Callback, Control, EpochLogs } from "./callbacks.ts";
import type { Chunk } from "./chunk.ts";
import type { Data } from "./data.ts";
import { gradientError } from "./gradientFault.ts";
import type { Cursor, TrainingProgress } from "./progress.ts";
import { recordEpoch } from "./progress.ts";
import type { TrainingSession } from "./session.ts";
import type { RowSource } from "./source.ts";

export const FIT_OPTIONS = {
  ...ORDER_OPTIONS,
  /** Times that all rows are trained on. */
  epochs: is.required(is.positiveInteger),
  /** Rows whose loss and metrics are computed after each epoch. */
  validation: is.object as Kind<Data<Numeric> | RowSource>,
  /**
   * Bytes of rows that are on the device at once, where not all are; default 16 MiB. About three times as much is held in
   * memory. More mix the rows better.
   */
  blockBytes: is.positive,
  /** Asked after each epoch, in this order. */
  callbacks: is.list as Kind<readonly Callback[]>,
  /** Changes each batch, labels and all, before the model sees it: `mixup()`. A run that goes on must be given it again. */
  augment: is.callable as Kind<Augment>,
  /** Stops within two chunks (about 100 ms) with E_ABORTED; the trainer can then be saved, and `fit` again goes on. */
  signal: is.object as Kind<AbortSignal>,
};

export interface FitOptions extends OptionsOf<typeof FIT_OPTIONS> {}

/**
 * What happened, in order. An `epoch` event comes after the `steps` event of its last step. `epoch`, from 0, is that of the
 * last of the steps; `step` counts all that have run since the trainer was made.
 */
export type TrainingEvent =
  | { readonly type: "steps"; readonly epoch: number; readonly step: number; readonly losses: Float32Array }
  | { readonly type: "epoch"; readonly epoch: number; readonly logs: EpochLogs };

/** One `fit`, ready to run. */
export interface Fit {
  readonly model: Model;
  readonly session: TrainingSession;
  readonly batches: Batches;
  readonly optimizer: Optimizer;
  readonly progress: TrainingProgress;
  readonly options: FitOptions;
  readonly control: Control;
  /** Values of the validation data with the weights as they are, or null without any. */
  readonly validate: (() => Promise<EpochLogs>) | null;
}

/**
 * The events of each chunk of steps, together: handing on each by itself takes longer than a small step.
 * @throws E_NONFINITE, E_ABORTED, E_LOST; the progress then tells where the weights stand.
 */
export async function* runEpochs(fit: Fit): AsyncGenerator<TrainingEvent[], void> {
  const { progress, options, batches, session, optimizer, validate, control } = fit;
  const { epochs, callbacks = [], signal } = options;
  const { stepsPerEpoch, batchSize, blockRows } = batches;
  if (!progress.cursor) for (const callback of callbacks) callback.onTrainBegin?.();
  progress.cursor ??= { epoch: 0, stepInEpoch: 0, lossSum: 0, batchSize, blockRows };
  const { cursor } = progress;
  const firstStep = progress.step - cursor.epoch * stepsPerEpoch - cursor.stepInEpoch;
  const rate = (epoch: number, step: number): number => {
    const value =
      progress.rateScale * optimizer.schedule.rate({ step: step - firstStep, epoch, stepsPerEpoch, epochs });
    if (Number.isFinite(Math.fround(value))) return value;
    throw new TilegradError(
      "E_NONFINITE",
      `The learning rate is ${value} at step ${step - firstStep - epoch * stepsPerEpoch + 1} of epoch ${epoch + 1}; expected a finite f32. The weights are those before that step.`,
      { hint: "Lower the learning rate, or change the schedule." },
    );
  };
  // Epochs that nobody is asked after run into each other, so that small ones still fill a chunk.
  const asked = validate !== null || callbacks.length > 0;
  const together = asked ? 1 : epochs;

  while (cursor.epoch < epochs && !progress.stopped) {
    if (cursor.stepInEpoch === stepsPerEpoch) {
      yield [await endAsked(fit, cursor, rate(cursor.epoch, progress.step - 1))];
      continue;
    }
    let interrupted = false;
    const { epoch: from, stepInEpoch: skip } = cursor;
    const steps = batches.steps({ from, to: Math.min(epochs, from + together), skip, step: progress.step }, rate);
    const chunks = session.run(steps, () => interrupted || signal?.aborted === true);
    try {
      for (let next = await chunks.next(); !next.done; next = await chunks.next())
        yield land(fit, cursor, next.value, asked);
    } finally {
      // Steps that were on their way have changed the weights: they count, whoever left the loop.
      interrupted = true;
      for await (const chunk of chunks) land(fit, cursor, chunk, asked);
    }
    throwIfAborted(signal);
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(control);
  progress.cursor = null;
  progress.stopped = false;
}

/** Takes note of steps that have run, and ends their epochs unless somebody is `asked` after each. @throws E_NONFINITE */
function land(
  { progress, batches, session, model }: Fit,
  cursor: Cursor,
  { length, counts, rates, losses, fault }: Chunk,
  asked: boolean,
): TrainingEvent[] {
  const ended: TrainingEvent[] = [];
  let { epoch } = cursor;
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(losses[i])) throw nonFinite(losses[i], cursor, session.precision);
    if (fault?.step === i) throw gradientError(fault.parameter, model, cursor);
    epoch = cursor.epoch;
    progress.step++;
    cursor.stepInEpoch++;
    cursor.lossSum += losses[i] * counts[i];
    if (cursor.stepInEpoch < batches.stepsPerEpoch || asked) continue;
    const logs = { loss: cursor.lossSum / batches.rowsPerEpoch, learningRate: rates[i] };
    ended.push(endEpoch(progress, cursor, logs));
  }
  return [{ type: "steps", epoch, step: progress.step, losses }, ...ended];
}

/** Validates and ends an epoch whose steps have run, and asks the callbacks. */
async function endAsked(fit: Fit, cursor: Cursor, learningRate: number): Promise<TrainingEvent> {
  const { progress, batches, validate, control } = fit;
  const { callbacks = [] } = fit.options;
  const logs: EpochLogs = { loss: cursor.lossSum / batches.rowsPerEpoch, learningRate };
  if (validate) Object.assign(logs, await validate());
  const { epoch } = cursor;
  const event = endEpoch(progress, cursor, logs);
  for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, control);
  for (const callback of callbacks) await callback.afterEpoch?.(epoch, control);
  return event;
}

function endEpoch({ history }: TrainingProgress, cursor: Cursor, logs: EpochLogs): TrainingEvent {
  recordEpoch(history, logs);
  const epoch = cursor.epoch++;
  cursor.stepInEpoch = 0;
  cursor.lossSum = 0;
  return { type: "epoch", epoch, logs };
}

function nonFinite(loss: number, { epoch, stepInEpoch }: Cursor, precision: TrainingPrecision): TilegradError {
  const half = precision === "mixed" ? ' Mixed precision overflows at 65504: precision "f32" does not.' : "";
  return new TilegradError(
    "E_NONFINITE",
    `The loss became ${loss} at step ${stepInEpoch + 1} of epoch ${epoch + 1}; the weights are those before that step.`,
    {
      hint: `Lower the learning rate (trainer.rateScale, then fit again goes on), clip gradients (clipNorm), or scale the inputs.${half}`,
    },
  );
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new TilegradError("E_ABORTED", "Training was cancelled.", {
      cause: signal.reason,
      hint: "fit again goes on from here.",
    });
  }
}
