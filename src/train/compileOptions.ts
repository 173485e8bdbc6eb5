/** What a model is made ready to train with. */
import type { Device } from "../device.ts";
import type { FileStore } from "../io/bundle.ts";
import type { Loss } from "../model/losses.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { OptionKinds } from "../options.ts";
import type { PlanKind } from "../passes/choose.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import { PRECISIONS } from "../passes/half.ts";
import type { MetricName } from "./metrics.ts";

export interface CompileOptions {
  readonly device: Device;
  readonly loss: Loss;
  /** Default adam(). */
  readonly optimizer?: Optimizer;
  /** Where its models and checkpoints are kept; default: folders on disk in Node, the OPFS in a browser. */
  readonly files?: FileStore;
  /** Computed on validation data after each epoch and by `evaluate`; for models with one output. */
  readonly metrics?: readonly MetricName[];
  /** Decides initial weights, shuffling, dropout. Default 0. */
  readonly seed?: number;
  /** Off: one kernel per op, for finding a faulty one. Default on. */
  readonly fusion?: boolean;
  /** How training steps run; default: by estimated time. `inspect` says which and why. */
  readonly plan?: PlanKind;
  /**
   * "mixed": activations and their gradients are stored in f16, half the memory and half the traffic; parameters, sums and
   * losses stay f32, and a dynamic scale keeps small gradients. Needs `shader-f16`, or the CPU. Default "f32".
   */
  readonly precision?: TrainingPrecision;
}

export const COMPILE_OPTIONS = {
  // Looked at by what they can do: see the constructor of Trainer.
  device: "any",
  loss: "any",
  optimizer: "any",
  files: "object",
  metrics: "list",
  seed: "number",
  fusion: "boolean",
  plan: ["dispatch", "resident"],
  precision: PRECISIONS,
} as const satisfies OptionKinds<CompileOptions>;
