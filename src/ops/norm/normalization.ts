/** Batch, layer and group normalisation: (x - mean) / sqrt(variance + epsilon), scaled and shifted. */

import { TilegradError } from "../../errors.ts";
import { apply, checkTensors, tensorKind } from "../../graph/apply.ts";
import type { Elements, OpDef, ReferenceCall, Tensor, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import { broadcastTo, sum } from "../core/broadcast.ts";
import { constant } from "../core/constant.ts";
import { add, mul, rsqrt, square, sub } from "../core/elementwise.ts";
import { mean } from "../core/reduce.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";

/**
 * x -> y = (x - mean) / sqrt(variance + epsilon), mean and biased variance over `axes`; the last two keep x's rank.
 * An op for the sake of its gradient, which needs two sums where the composition's needs four.
 */
const standardizeOp: OpDef = {
  name: "standardize",
  shape: ([x], { axes }) => {
    expectDType("standardize", x, "f32");
    const kept = f32(...x.shape.map((n, d) => (axes.includes(d) ? 1 : n)));
    return [f32(...x.shape), kept, kept];
  },
  // dx = r (dy - mean(dy) - y mean(dy y)) + dm / n + 2 dv (x - m) / n,  r = 1 / sqrt(v + epsilon)  (Ioffe and Szegedy
  // 2015)
  grad: ({ inputs: [x], attrs: { axes, epsilon }, outputs: [y, m, v], upstream: [dy, dm, dv] }) => {
    const n = sizeOf(x.shape) / sizeOf(m.shape);
    const average = (t: Tensor): Tensor => mean(t, { axes, keepDims: true });
    const terms: Tensor[] = [];
    if (dy) terms.push(mul(sub(sub(dy, average(dy)), mul(y, average(mul(dy, y)))), rsqrt(add(v, epsilon))));
    if (dm) terms.push(broadcastTo(mul(dm, 1 / n), x.shape));
    if (dv) terms.push(mul(sub(x, m), mul(dv, 2 / n)));
    return [terms.reduce(add)];
  },
  reference: standardizeReference,
  expand: ({ inputs: [x], attrs: { axes, epsilon } }) => {
    const m = mean(x, { axes, keepDims: true });
    const centered = sub(x, m);
    const v = mean(square(centered), { axes, keepDims: true });
    return [mul(centered, rsqrt(add(v, epsilon))), m, v];
  },
  samples: () => [
    { inputs: [f32(1, 1)], attrs: { axes: [0], epsilon: 1e-3 } },
    { inputs: [f32(7, 5)], attrs: { axes: [0], epsilon: 1e-5 } },
    { inputs: [f32(3, 37)], attrs: { axes: [1], epsilon: 1e-5 } },
    { inputs: [f32(2, 3, 13, 3)], attrs: { axes: [0, 1, 2], epsilon: 1e-3 } },
    { inputs: [f32(3, 5, 2, 4)], attrs: { axes: [1, 3], epsilon: 1e-3 } },
  ],
};

function standardizeReference({ inputs: [x], inputTypes: [type], attrs, outputs: [y, m, v] }: ReferenceCall): void {
  const { axes, epsilon } = attrs;
  const { shape } = type;
  const n = sizeOf(shape) / m.length;
  const groups = groupOfEach(shape, axes);
  const average = (of: (i: number) => number, into: Elements): void => {
    const sums = new Float64Array(m.length);
    for (let i = 0; i < x.length; i++) sums[groups[i]] += of(i);
    for (let g = 0; g < sums.length; g++) into[g] = sums[g] / n;
  };
  average((i) => x[i], m);
  average((i) => (x[i] - m[groups[i]]) ** 2, v);
  for (let i = 0; i < x.length; i++) y[i] = (x[i] - m[groups[i]]) / Math.sqrt(v[groups[i]] + epsilon);
}

/**
 * x [batch, ..., channels], gamma and beta [channels] -> y, mean and biased variance [channels]. Where factors belong to
 * the channels that are normalised, the two sums of the gradient are those of gamma and beta.
 */
const batchNormOp: OpDef = {
  name: "batchNorm",
  shape: ([x, gamma, beta]) => {
    expectDType("batchNorm", x, "f32");
    const channels = x.shape[x.shape.length - 1];
    if (x.shape.length < 2 || [gamma, beta].some((t) => t.shape.join() !== String(channels))) {
      throw shapeError("batchNorm", [x, gamma, beta], "x [batch, ..., channels], gamma and beta [channels]");
    }
    return [f32(...x.shape), f32(channels), f32(channels)];
  },
  // db = sum dy, dg = sum dy z, dx = g r (dy - (db + z dg) / n) + dm / n + 2 dv (x - m) / n; z = r (x - m)
  grad: ({ inputs: [x, gamma], attrs: { epsilon }, outputs: [, m, v], upstream: [dy, dm, dv] }) => {
    const axes = leading(x);
    const n = sizeOf(x.shape) / sizeOf(m.shape);
    const r = rsqrt(add(v, epsilon));
    const centered = sub(x, m);
    const terms: Tensor[] = [];
    if (dm) terms.push(broadcastTo(mul(dm, 1 / n), x.shape));
    if (dv) terms.push(mul(centered, mul(dv, 2 / n)));
    if (!dy) return [terms.reduce(add), null, null];
    const z = mul(centered, r);
    const dBeta = sum(dy, { axes });
    const dGamma = sum(mul(dy, z), { axes });
    terms.push(mul(sub(dy, add(mul(dBeta, 1 / n), mul(z, mul(dGamma, 1 / n)))), mul(gamma, r)));
    return [terms.reduce(add), dGamma, dBeta];
  },
  reference: (call) => {
    const [x, gamma, beta] = call.inputs;
    const [y] = call.outputs;
    standardizeReference({ ...call, attrs: { ...call.attrs, axes: leading(call.inputTypes[0]) } });
    for (let i = 0; i < x.length; i++) y[i] = y[i] * gamma[i % gamma.length] + beta[i % beta.length];
  },
  expand: ({ inputs: [x, gamma, beta], attrs: { epsilon } }) => {
    const axes = leading(x);
    const m = mean(x, { axes });
    const centered = sub(x, m);
    const v = mean(square(centered), { axes });
    return [add(mul(mul(centered, rsqrt(add(v, epsilon))), gamma), beta), m, v];
  },
  samples: () =>
    [f32(1, 1), f32(7, 5), f32(2, 3, 13, 3), f32(67, 2)].map((x) => {
      const channels = f32(x.shape[x.shape.length - 1]);
      return { inputs: [x, channels, channels], attrs: { epsilon: 1e-3 } };
    }),
};

/** All axes but the last. */
const leading = (x: TensorType): number[] => x.shape.map((_, d) => d).slice(0, -1);

/** For each element the number of its mean: its linear index once `axes` are dropped. */
function groupOfEach(shape: readonly number[], axes: readonly number[]): Uint32Array {
  return Uint32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let rest = i;
    let group = 0;
    let stride = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      if (!axes.includes(d)) {
        group += (rest % shape[d]) * stride;
        stride *= shape[d];
      }
      rest = Math.floor(rest / shape[d]);
    }
    return group;
  });
}

const standardize = (x: Tensor, axes: readonly number[], epsilon: number): Tensor =>
  apply(standardizeOp, [x], { axes, epsilon })[0];

const affine = (y: Tensor, gamma: Tensor | null, beta: Tensor | null): Tensor => {
  const scaled = gamma ? mul(y, gamma) : y;
  return beta ? add(scaled, beta) : scaled;
};

const NORM_OPTIONS = {
  /** Factors; null: none. */
  gamma: is.required(is.anything as Kind<Tensor | null>),
  /** Offsets; null: none. */
  beta: is.required(is.anything as Kind<Tensor | null>),
  /** Added to the variance; default 0.001. */
  epsilon: is.nonNegativeFinite,
};

export interface NormOptions extends OptionsOf<typeof NORM_OPTIONS> {}

const INFERENCE_OPTIONS = {
  ...NORM_OPTIONS,
  /** [channels] */
  mean: is.required(tensorKind),
  /** [channels] */
  variance: is.required(tensorKind),
};

export interface BatchNormInferenceOptions extends OptionsOf<typeof INFERENCE_OPTIONS> {}

const LAYER_NORM_OPTIONS = {
  ...NORM_OPTIONS,
  /** How many trailing axes; default 1. */
  axes: is.number,
};

export interface LayerNormOptions extends OptionsOf<typeof LAYER_NORM_OPTIONS> {}

const GROUP_NORM_OPTIONS = {
  ...NORM_OPTIONS,
  /** A divisor of the channels. */
  groups: is.required(is.number),
};

export interface GroupNormOptions extends OptionsOf<typeof GROUP_NORM_OPTIONS> {}

export interface BatchNorm {
  readonly y: Tensor;
  /** [channels] */
  readonly mean: Tensor;
  /** [channels], biased (sum of squares / n). */
  readonly variance: Tensor;
}

/**
 * Normalises each channel over the batch and all other axes: x [batch, ..., channels], gamma and beta [channels].
 * `mean` and `variance` are those of the batch, for running statistics. (Ioffe and Szegedy, 2015)
 */
export function batchNorm(x: Tensor, options: NormOptions): BatchNorm {
  checkTensors("batchNorm", x);
  const { gamma, beta, epsilon = 1e-3 } = checkOptions("batchNorm", options, NORM_OPTIONS);
  const channels = x.shape.slice(-1);
  const inputs = [x, gamma ?? constant(1, channels), beta ?? constant(0, channels)];
  const [y, m, variance] = apply(batchNormOp, inputs, { epsilon });
  return { y, mean: m, variance };
}

/** `batchNorm` with statistics [channels] from elsewhere: what evaluation uses. */
export function batchNormInference(x: Tensor, options: BatchNormInferenceOptions): Tensor {
  const {
    gamma,
    beta,
    epsilon = 1e-3,
    mean: m,
    variance,
  } = checkOptions("batchNormInference", options, INFERENCE_OPTIONS);
  return affine(mul(sub(x, m), rsqrt(add(variance, epsilon))), gamma, beta);
}

/**
 * Normalises over the trailing axes, whose shape gamma and beta have; `axes` says how many. (Ba, Kiros and Hinton,
 * 2016)
 */
export function layerNorm(x: Tensor, options: LayerNormOptions): Tensor {
  checkTensors("layerNorm", x);
  const { gamma, beta, epsilon = 1e-3, axes = 1 } = checkOptions("layerNorm", options, LAYER_NORM_OPTIONS);
  const rank = x.shape.length;
  if (!(Number.isInteger(axes) && axes >= 1 && axes <= rank)) {
    throw new TilegradError("E_ARGUMENT", `layerNorm: got ${axes} trailing axes; expected 1 to ${rank}.`);
  }
  const over = Array.from({ length: axes }, (_, k) => rank - axes + k);
  return affine(standardize(x, over, epsilon), gamma, beta);
}

/**
 * Normalises each image over its pixels and each of `groups` equal parts of its channels: x [batch, ..., channels],
 * gamma and beta [channels]. (Wu and He, 2018)
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  checkTensors("groupNorm", x);
  const { gamma, beta, epsilon = 1e-3, groups } = checkOptions("groupNorm", options, GROUP_NORM_OPTIONS);
  const channels = x.shape[x.shape.length - 1];
  if (!(Number.isInteger(groups) && groups >= 1 && channels % groups === 0)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `groupNorm: got ${groups} groups of ${channels} channels; expected a divisor.`,
    );
  }
  const parts = reshape(x, [x.shape[0], -1, groups, channels / groups]);
  return affine(reshape(standardize(parts, [1, 3], epsilon), x.shape), gamma, beta);
}

export const normalizationOps = [standardizeOp, batchNormOp];
