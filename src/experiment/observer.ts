/** What an experiment lets others know while it runs, and how they stop it. */
import type { ClassificationReport } from "../metrics/report.ts";
import type { BestEpoch, EpochLogs } from "../train/callbacks.ts";

/** What happened last. */
export type Progress =
  /** A network begins to learn, or goes on from a checkpoint; `firstEpoch` and `firstStep` are behind it then. */
  | {
      readonly type: "fit";
      readonly refit: boolean;
      readonly resumed: boolean;
      readonly epochs: number;
      readonly firstEpoch: number;
      readonly firstStep: number;
      /** What must improve. */
      readonly monitor: string;
    }
  | { readonly type: "epoch"; readonly epoch: number; readonly logs: EpochLogs; readonly best: BestEpoch | null }
  /** Updates done, since the trainer was made. */
  | { readonly type: "steps"; readonly step: number }
  /** A network has learned, or has failed to. */
  | { readonly type: "fitted" }
  /** A fold for the threshold begins, from 1; null once all are done. */
  | { readonly type: "threshold"; readonly fold: number | null; readonly folds: number }
  /** A fold of a cross-validation is done: its number from 1, in whatever order they end, and how many are. */
  | {
      readonly type: "fold";
      readonly fold: number;
      readonly done: number;
      readonly folds: number;
      readonly test: ClassificationReport;
    };

export interface Observer {
  /** Ends the work with E_ABORTED within about 100 ms; training can go on from a checkpoint then, if any are kept. */
  readonly signal?: AbortSignal | undefined;
  /** What it throws ends the work. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The same for work that is a part of something greater. */
export const silent = ({ signal }: Observer): Observer => ({ signal });

/** Where a run's checkpoints are kept: in `fit` those of training, in `refit` those with the validation rows. */
export interface Checkpoints {
  /** Epochs from one to the next; 0: none are kept. */
  readonly every: number;
  /** Whether to go on from the last. */
  readonly resume: boolean;
  /** Where those of a stage are, as `trainer.saveCheckpoint` takes it. */
  folder(stage: "fit" | "refit"): string;
  has(stage: "fit" | "refit"): Promise<boolean>;
  /** Before the first of a new run: removes those of earlier ones. */
  clear(): Promise<void>;
  /** Before each: the run is ahead of any saved model from here on. */
  opening(): Promise<void>;
}

/** What surrounds one experiment. */
export interface Surroundings extends Observer {
  readonly checkpoints?: Checkpoints | undefined;
}
