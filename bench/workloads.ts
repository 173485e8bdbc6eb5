/** What is measured, as plain descriptions that every peer builds in its own idiom. `data.ts` has the numbers. */

export type Activation = "linear" | "relu" | "tanh";

/** Convolutions are 3x3 style `kernel` x `kernel`, stride 1, unpadded, HWIO; pools do not overlap; LSTM gates i, f, g, o. */
export type Layer =
  | { readonly type: "dense"; readonly units: number; readonly activation: Activation }
  | { readonly type: "conv2d"; readonly filters: number; readonly kernel: number; readonly activation: Activation }
  | { readonly type: "maxPool2d"; readonly size: number }
  | { readonly type: "flatten" }
  | { readonly type: "lstm"; readonly units: number };

/** `epsilon` is added to the root of the second moment. */
export type Optimizer =
  | { readonly type: "sgd"; readonly rate: number; readonly decay?: { readonly to: number; readonly steps: number } }
  | {
      readonly type: "adam";
      readonly rate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    }
  | { readonly type: "rmsprop"; readonly rate: number; readonly rho: number; readonly epsilon: number };

/** A binary classifier: the last layer gives one logit a row; the loss is sum(weight * crossEntropy) / batch. */
export interface Training {
  readonly kind: "training";
  readonly name: string;
  /** Shape of one row. */
  readonly input: readonly number[];
  readonly layers: readonly Layer[];
  readonly rows: number;
  readonly batch: number;
  /** Share of rows whose label is 1. */
  readonly positives: number;
  /** Weights of labels 0 and 1. */
  readonly classWeight?: readonly [number, number];
  readonly optimizer: Optimizer;
  /** A segment is timed as one; the first is the warm-up. */
  readonly epochsPerSegment: number;
  readonly segments: number;
}

/** C = A B, all [n, n]. */
export interface Matmul {
  readonly kind: "matmul";
  readonly name: string;
  readonly n: number;
  readonly segments: number;
}

/** Probabilities of `rows` rows of `model`'s input; `calls`, one after another, are a segment. */
export interface Inference {
  readonly kind: "inference";
  readonly name: string;
  readonly model: Training;
  readonly rows: number;
  readonly calls: number;
  readonly segments: number;
}

export type Workload = Training | Matmul | Inference;

const adam: Optimizer = { type: "adam", rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const dense = (units: number, activation: Activation): Layer => ({ type: "dense", units, activation });

export const xor: Training = {
  kind: "training",
  name: "xor",
  input: [2],
  layers: [dense(3, "tanh"), dense(1, "linear")],
  rows: 4,
  batch: 4,
  positives: 0.5,
  optimizer: { type: "sgd", rate: 0.1 },
  epochsPerSegment: 1000,
  // Many, so that the median is of code that the JavaScript engine has compiled; slow peers stop at the time limit.
  segments: 60,
};

export const tabular: Training = {
  kind: "training",
  name: "tabular",
  input: [30],
  layers: [dense(128, "relu"), dense(64, "relu"), dense(1, "linear")],
  rows: 20_480,
  batch: 256,
  positives: 0.05,
  classWeight: [1, 10],
  optimizer: adam,
  epochsPerSegment: 1,
  segments: 5,
};

export const report: Training = {
  kind: "training",
  name: "report",
  input: [23],
  layers: [dense(40, "tanh"), dense(3, "tanh"), dense(1, "linear")],
  rows: 22_000,
  batch: 200,
  positives: 0.22,
  optimizer: { type: "sgd", rate: 0.01, decay: { to: 1e-5, steps: 2200 } },
  epochsPerSegment: 1,
  segments: 5,
};

export const cnn: Training = {
  kind: "training",
  name: "cnn",
  input: [28, 28, 1],
  layers: [
    { type: "conv2d", filters: 8, kernel: 3, activation: "relu" },
    { type: "maxPool2d", size: 2 },
    { type: "conv2d", filters: 16, kernel: 3, activation: "relu" },
    { type: "maxPool2d", size: 2 },
    { type: "flatten" },
    dense(64, "relu"),
    dense(1, "linear"),
  ],
  rows: 640,
  batch: 64,
  positives: 0.3,
  optimizer: adam,
  epochsPerSegment: 1,
  segments: 4,
};

export const lstm: Training = {
  kind: "training",
  name: "lstm",
  input: [32, 8],
  layers: [{ type: "lstm", units: 32 }, dense(1, "linear")],
  rows: 640,
  batch: 64,
  positives: 0.3,
  optimizer: { type: "rmsprop", rate: 1e-3, rho: 0.9, epsilon: 1e-8 },
  epochsPerSegment: 1,
  segments: 4,
};

export const matmul512: Matmul = { kind: "matmul", name: "matmul512", n: 512, segments: 9 };
/** For hardware; a software GPU takes ten seconds for a product. */
export const matmul4096: Matmul = { kind: "matmul", name: "matmul4096", n: 4096, segments: 9 };
export const inference: Inference = {
  kind: "inference",
  name: "inference",
  model: tabular,
  rows: 100_000,
  calls: 1,
  segments: 6,
};
/** A page's clock is too coarse for one call. */
export const oneRow: Inference = { ...inference, name: "oneRow", rows: 1, calls: 10, segments: 11 };

/** In the order of the report. */
export const workloads: readonly Workload[] = [
  xor,
  tabular,
  report,
  cnn,
  lstm,
  matmul512,
  matmul4096,
  inference,
  oneRow,
];
/** What runs when no workload is named. */
export const defaultWorkloads: readonly Workload[] = [xor, tabular, report];
