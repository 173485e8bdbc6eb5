/** The graph level: functions of symbolic tensors, for custom layers and losses. */
export type { AttentionOptions } from "./attention/attention.ts";
export { attention } from "./attention/attention.ts";

export type { Conv1dOptions, Conv2dOptions } from "./conv/convolution.ts";
export { conv1d, conv2d, conv2dTranspose } from "./conv/convolution.ts";
export type { Padding, Pair, WindowOptions } from "./conv/window.ts";
export type { AxesOptions } from "./core/broadcast.ts";
export { broadcastTo, sum } from "./core/broadcast.ts";
export { cast } from "./core/cast.ts";
export { concat } from "./core/concat.ts";
export { constant, input, iota, state, stepScalar } from "./core/constant.ts";
export type { LeakyReluOptions, Operand } from "./core/elementwise.ts";
export {
  abs,
  add,
  clip,
  cos,
  div,
  elu,
  equal,
  erf,
  exp,
  expm1,
  finite,
  floor,
  gelu,
  greater,
  greaterEqual,
  leakyRelu,
  less,
  lessEqual,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  relu,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./core/elementwise.ts";
export { gather, scatterAdd } from "./core/gather.ts";
export { logSoftmax, max, mean, softmax } from "./core/reduce.ts";
export { remat } from "./core/remat.ts";
export { pad, slice } from "./core/slice.ts";
export { dynamicSlice, dynamicUpdateSlice } from "./core/take.ts";
export { reshape, transpose } from "./core/view.ts";
export type { FillMode, GridSampleOptions } from "./image/gridSample.ts";
export { affineSample, gridSample } from "./image/gridSample.ts";
export type { UpsampleOptions } from "./image/upsampling.ts";
export { upsample2d } from "./image/upsampling.ts";
export { linear } from "./matmul/linear.ts";
export { matmul } from "./matmul/matmul.ts";
export type { BatchNorm, NormOptions } from "./norm/normalization.ts";
export { batchNorm, batchNormInference, groupNorm, layerNorm } from "./norm/normalization.ts";
export type { AvgPool2dOptions, Pool1dOptions, Pool2dOptions } from "./pool/pool2d.ts";
export { avgPool1d, avgPool2d, globalAvgPool, globalMaxPool, maxPool1d, maxPool2d } from "./pool/pool2d.ts";
export { randomBeta } from "./random/beta.ts";
export { dropout, dropoutMask, randomNormal, randomPermutation, randomUniform } from "./random/random.ts";
export { gru } from "./recurrent/gru.ts";
export type { LstmResult, LstmStates } from "./recurrent/lstm.ts";
export { lstm } from "./recurrent/lstm.ts";
export type { RecurrentOptions, RecurrentResult } from "./recurrent/recurrent.ts";
export { simpleRnn } from "./recurrent/simpleRnn.ts";
