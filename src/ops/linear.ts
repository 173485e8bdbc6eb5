/** The dense layer's product: differentiates as one op, computes as matmul + bias. */
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { add } from "./elementwise.ts";
import { matmul, multiply } from "./matmul.ts";
import { matmulKernel, matmulVariants } from "./matmul_kernel.ts";
import type { OpDef } from "./op.ts";
import { apply, apply1, f32, shapeError } from "./op.ts";
import { reshape } from "./view.ts";

/** x [rows, inputs], kernel [inputs, units], bias [units] -> [rows, units] */
const linearOp: OpDef = {
  name: "linear",
  shape: ([x, kernel, bias]) => {
    const [rows, inputs] = x.shape;
    const [from, units] = kernel.shape;
    if (x.shape.length !== 2 || kernel.shape.length !== 2 || inputs !== from || sizeOf(bias.shape) !== units) {
      throw shapeError("linear", [x, kernel, bias], "x [rows, inputs], kernel [inputs, units] and bias [units]");
    }
    return [f32(rows, units)];
  },
  // dx = dy W^T; dW = x^T dy and db = the sum of dy over rows share one kernel.
  grad: ({ inputs: [x, kernel], upstream: [dy] }) => [
    matmul(dy as Tensor, kernel, { transposeB: true }),
    ...denseGrad(x, dy as Tensor),
  ],
  reference: ({
    inputs: [x, kernel, bias],
    inputTypes: [
      {
        shape: [m, k],
      },
    ],
    outputs: [y],
    outputTypes: [
      {
        shape: [, n],
      },
    ],
  }) => {
    multiply(x, kernel, y, { m, n, k }, {});
    for (let i = 0; i < y.length; i++) y[i] += bias[i % n];
  },
  expand: ({ inputs: [x, kernel, bias] }) => [add(matmul(x, kernel), bias)],
  samples: () => [
    { inputs: [f32(1, 1), f32(1, 1), f32(1)] },
    { inputs: [f32(7, 5), f32(5, 3), f32(3)] },
    { inputs: [f32(67, 30), f32(30, 65), f32(65)] },
  ],
};

/**
 * x [rows, inputs], dy [rows, units] -> kernel gradient x^T dy [inputs, units] and bias gradient [units], the sum of dy
 * over rows. The simplifier makes this of the two; nobody needs to write it.
 */
const denseGradOp: OpDef = {
  name: "denseGrad",
  shape: ([x, dy]) => {
    if (x.shape.length !== 2 || dy.shape.length !== 2 || x.shape[0] !== dy.shape[0]) {
      throw shapeError("denseGrad", [x, dy], "x [rows, inputs] and dy [rows, units]");
    }
    return [f32(x.shape[1], dy.shape[1]), f32(dy.shape[1])];
  },
  reference: ({
    inputs: [x, dy],
    inputTypes: [
      {
        shape: [k, m],
      },
      {
        shape: [, n],
      },
    ],
    outputs: [kernel, bias],
  }) => {
    multiply(x, dy, kernel, { m, n, k }, { transposeA: true });
    multiply(new Float64Array(k).fill(1), dy, bias, { m: 1, n, k }, {});
  },
  kernel: ({ inputs: [x, dy] }, limits) => matmulKernel(x, dy, { transposeA: true }, true, limits),
  variants: matmulVariants,
  flops: ({ inputs: [x, dy] }) => 2 * sizeOf(dy.shape) * (x.shape[1] + 1),
  samples: () => [
    { inputs: [f32(1, 1), f32(1, 1)], gradcheck: false },
    { inputs: [f32(37, 5), f32(37, 3)], gradcheck: false },
    { inputs: [f32(256, 30), f32(256, 64)], gradcheck: false },
  ],
};

export const denseGrad = (x: Tensor, dy: Tensor): Tensor[] => apply(denseGradOp, [x, dy]);

/** x · kernel + bias over the last axis of x. */
export function linear(x: Tensor, kernel: Tensor, bias: Tensor): Tensor {
  const rows = reshape(x, [-1, x.shape[x.shape.length - 1]]);
  const y = apply1(linearOp, [rows, kernel, bias]);
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1]]);
}

export const linearOps = [linearOp, denseGradOp];
