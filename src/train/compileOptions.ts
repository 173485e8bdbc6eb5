/** What a model is made ready to train with. */

import type { Device } from "../device.ts";
import type { FileStore } from "../io/bundle.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Loss } from "../model/losses.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { OptionsOf } from "../options.ts";
import type { PlanKind } from "../passes/choose.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import { PRECISIONS } from "../passes/half.ts";
import type { MetricName } from "./metrics.ts";

export const COMPILE_OPTIONS = {
  /** Where it runs. */
  device: is.required(is.anything as Kind<Device>),
  /** What training lowers. */
  loss: is.required(is.anything as Kind<Loss>),
  /** Default adam(). */
  optimizer: is.anything as Kind<Optimizer>,
  /** Where its models and checkpoints are kept; default: folders on disk in Node, the OPFS in a browser. */
  files: is.object as Kind<FileStore>,
  /** Computed on validation data after each epoch and by `evaluate`; for models with one output. */
  metrics: is.list as Kind<readonly MetricName[]>,
  /** Decides initial weights, shuffling, dropout. Default 0. */
  seed: is.number,
  /** Off: one kernel per op, for finding a faulty one. Default on. */
  fusion: is.boolean,
  /** How training steps run; default: by estimated time. `inspect` says which and why. */
  plan: is.oneOf("dispatch", "resident") as Kind<PlanKind>,
  /**
   * "mixed": activations and their gradients are stored in f16, half the memory and half the traffic; parameters, sums and
   * losses stay f32, and a dynamic scale keeps small gradients. Needs `shader-f16`, or the CPU. Default "f32".
   */
  precision: is.oneOf(...PRECISIONS) as Kind<TrainingPrecision>,
};

export interface CompileOptions extends OptionsOf<typeof COMPILE_OPTIONS> {}
