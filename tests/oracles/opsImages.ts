/** Images: the ops of ops.json as graphs of this project. */

import { conv2d } from "../../src/ops/conv/convolution.ts";
import { add, mul } from "../../src/ops/core/elementwise.ts";
import { batchNorm, batchNormInference, layerNorm } from "../../src/ops/norm/normalization.ts";
import { avgPool2d, globalAvgPool, maxPool2d } from "../../src/ops/pool/pool2d.ts";
import type { OpBuilder } from "./opCase.ts";

const convolution: OpBuilder = ({ x, kernel, bias }, { params: { strides, padding, dilation, groups } }) =>
  conv2d(x, kernel, { strides, padding, dilation, groups, bias });

export const imageOps: Readonly<Record<string, OpBuilder>> = {
  conv2d: convolution,
  depthwise_conv2d: convolution,
  max_pool2d: ({ x }, { params: { pool_size, strides, padding } }) =>
    maxPool2d(x, { poolSize: pool_size, strides, padding }),
  avg_pool2d: ({ x }, { params: { pool_size, strides, padding, count_include_pad } }) =>
    avgPool2d(x, { poolSize: pool_size, strides, padding, countIncludePad: count_include_pad }),
  global_avg_pool2d: ({ x }) => globalAvgPool(x),
  batch_norm: ({ x, gamma, beta, running_mean, running_var }, { params }) => {
    const epsilon = params.eps;
    if (!params.training) {
      return batchNormInference(x, { gamma, beta, epsilon, mean: running_mean, variance: running_var });
    }
    const { y, mean, variance } = batchNorm(x, { gamma, beta, epsilon });
    const rows = x.shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const moved = (old: typeof y, batch: typeof y) =>
      add(mul(old, 1 - params.torch_momentum), mul(batch, params.torch_momentum));
    return {
      output: y,
      running_mean: moved(running_mean, mean),
      running_var_biased: moved(running_var, variance),
      running_var_unbiased: moved(running_var, mul(variance, rows / (rows - 1))),
    };
  },
  layer_norm: ({ x, gamma, beta }, { params: { axes, eps } }) =>
    layerNorm(x, { gamma, beta, epsilon: eps, axes: axes.length }),
};
