/** How far training has come: all that a resumed run needs besides weights, optimizer slots and callbacks. */
import type { Tuning } from "../policy/limits.ts";

/** One list of values per epoch: `loss`, `learningRate`, and with validation `valLoss` and `val...` for each metric. */
export type History = Record<string, number[]>;

/** Where an interrupted `fit` stands. */
export interface Cursor {
  /** Epochs done. */
  epoch: number;
  /** Steps done of the next one, and what they add to its loss. */
  stepInEpoch: number;
  lossSum: number;
  readonly batchSize: number;
  /** Rows that are on the device together; 0 for all. */
  readonly blockRows: number;
}

export interface TrainingProgress {
  /** Updates done since the trainer was made. */
  step: number;
  /** Null when no `fit` was interrupted. */
  cursor: Cursor | null;
  /** Factor on the schedule's learning rate. */
  rateScale: number;
  /** A callback ended the interrupted `fit`. */
  stopped: boolean;
  /** Fingerprint of the data that is being trained on. */
  data: string;
  /** How its steps are run, "resident" or "dispatch": the two sum in different orders, so a resume takes the same. */
  plan: string;
  /** What was measured on its device when it began, which a resume there goes on by. */
  tuning: Tuning | null;
  /** Of all epochs, those of earlier `fit`s included. */
  history: History;
  /** Steps have begun that are not counted yet: the weights are ahead of all else here. */
  flying: boolean;
}

export const newProgress = (): TrainingProgress => ({
  step: 0,
  cursor: null,
  rateScale: 1,
  stopped: false,
  data: "",
  plan: "",
  tuning: null,
  history: {},
  flying: false,
});

/** Adds an epoch's values. */
export function recordEpoch(history: History, logs: Readonly<Record<string, number>>): void {
  for (const name in logs) {
    history[name] ??= [];
    history[name].push(logs[name]);
  }
}
