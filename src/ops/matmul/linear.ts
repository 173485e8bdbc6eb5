/** The dense layer's product: differentiates as one op, computes as matmul + bias. */

import { apply, apply1, checkTensors } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import { sameShape, sizeOf } from "../../graph/types.ts";
import { sum } from "../core/broadcast.ts";
import { add } from "../core/elementwise.ts";
import { reshape } from "../core/view.ts";
import { f32, shapeError } from "../op.ts";
import { matmul, multiply } from "./matmul.ts";
import { matmulExtents, matmulKernel, matmulVariants, splitsOf } from "./matmul_kernel.ts";

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
 * x [..., rows, inputs], dy [..., rows, units] -> kernel gradient x^T dy [..., inputs, units] and bias gradient
 * [..., units], the sum of dy over rows. Leading axes are shares of the rows of one layer.
 */
const denseGradOp: OpDef = {
  name: "denseGrad",
  shape: ([x, dy]) => {
    const [lead, other] = [x, dy].map(({ shape }) => shape.slice(0, -1));
    if (x.shape.length < 2 || !sameShape(lead, other)) {
      throw shapeError("denseGrad", [x, dy], "x [..., rows, inputs] and dy [..., rows, units]");
    }
    const [shares, inputs, units] = [lead.slice(0, -1), x.shape[lead.length], dy.shape[lead.length]];
    return [f32(...shares, inputs, units), f32(...shares, units)];
  },
  reference: ({ inputs: [x, dy], inputTypes: [tx, ty], outputs: [kernel, bias] }) => {
    const { batch, m, n, k } = matmulExtents(tx, ty, { transposeA: true });
    const ones = new Float64Array(k).fill(1);
    for (let i = 0; i < batch; i++) {
      const share = dy.subarray(i * k * n, (i + 1) * k * n);
      const rows = x.subarray(i * k * m, (i + 1) * k * m);
      multiply(rows, share, kernel.subarray(i * m * n, (i + 1) * m * n), { m, n, k }, { transposeA: true });
      multiply(ones, share, bias.subarray(i * n, (i + 1) * n), { m: 1, n, k }, {});
    }
  },
  // Partial sums over equal shares of the rows, then their sum.
  expand: ({ inputs: [x, dy] }, limits) => {
    const [rows, inputs] = x.shape;
    const units = dy.shape[1];
    const splits = x.shape.length > 2 ? 1 : splitsOf(inputs, units, rows, limits);
    if (splits === 1) return null;
    const [shares, slopes] = [x, dy].map((t) => reshape(t, [splits, rows / splits, t.shape[1]]));
    return denseGrad(shares, slopes).map((part) => sum(part, { axes: 0 }));
  },
  kernel: ({ inputs: [x, dy], attrs }, limits) => matmulKernel(x, dy, { ...attrs, transposeA: true }, true, limits),
  variants: matmulVariants,
  readsCopies: true,
  flops: ({ inputs: [x, dy] }) => 2 * sizeOf(dy.shape) * (x.shape[x.shape.length - 1] + 1),
  samples: () => [
    { inputs: [f32(1, 1), f32(1, 1)], gradcheck: false },
    { inputs: [f32(37, 5), f32(37, 3)], gradcheck: false },
    { inputs: [f32(3, 7, 5), f32(3, 7, 6)], gradcheck: false },
    { inputs: [f32(256, 30), f32(256, 64)], gradcheck: false },
    { inputs: [f32(256, 34), f32(256, 67)], gradcheck: false },
  ],
};

export const denseGrad = (x: Tensor, dy: Tensor): Tensor[] => apply(denseGradOp, [x, dy]);

/** x · kernel + bias over the last axis of x. */
export function linear(x: Tensor, kernel: Tensor, bias: Tensor): Tensor {
  checkTensors("linear", x, kernel, bias);
  const rows = reshape(x, [-1, x.shape[x.shape.length - 1]]);
  const y = apply1(linearOp, [rows, kernel, bias]);
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1]]);
}

export const linearOps = [linearOp, denseGradOp];
