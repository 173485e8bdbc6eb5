/** The oracle's ops that every model uses, as graphs. */
import type { Tensor } from "../../src/graph/types.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { concat } from "../../src/ops/core/concat.ts";
import { add, elu, gelu, leakyRelu, mul, relu, sigmoid, silu, softplus, tanh } from "../../src/ops/core/elementwise.ts";
import { max, mean, softmax } from "../../src/ops/core/reduce.ts";
import { linear } from "../../src/ops/matmul/linear.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import type { OpBuilder } from "./opCase.ts";

const reduction =
  (reduce: typeof sum): OpBuilder =>
  ({ x }, { params }) =>
    reduce(x, { axes: params.axes, keepDims: params.keepdims });

const product: OpBuilder = ({ a, b }, { params }) =>
  matmul(a, b, { transposeA: params.transpose_a, transposeB: params.transpose_b });

const unary =
  (f: (x: Tensor) => Tensor): OpBuilder =>
  ({ x }) =>
    f(x);

export const coreOps: Readonly<Record<string, OpBuilder>> = {
  linear: ({ x, kernel, bias }) => linear(x, kernel, bias),
  matmul: product,
  batch_matmul: product,
  add: ({ a, b }) => add(a, b),
  mul: ({ a, b }) => mul(a, b),
  relu: unary(relu),
  silu: unary(silu),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  softplus: unary(softplus),
  gelu: ({ x }, { params }) => gelu(x, { approximate: params.approximate }),
  leaky_relu: ({ x }, { params }) => leakyRelu(x, { negativeSlope: params.alpha }),
  elu: ({ x }, { params }) => elu(x, params.alpha),
  softmax: ({ x }, { params }) => softmax(x, params.axis),
  concat: (inputs, { params }) =>
    concat(
      Object.keys(inputs)
        .filter((k) => /^x\d+$/.test(k))
        .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
        .map((k) => inputs[k]),
      params.axis,
    ),
  reduce_sum: reduction(sum),
  reduce_mean: reduction(mean),
  reduce_max: reduction(max),
  // The mask is given, so that the draw is not part of the case.
  dropout: ({ x, keep_mask }, { params }) => mul(x, mul(keep_mask, 1 / (1 - params.rate))),
};
