/** Broadcasting and its adjoint, the sum over axes. */

import { apply1, checkTensors } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import { sameShape, sizeOf } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions, checkValue } from "../../options.ts";
import { f32, resolveAxis, shapeError, strided4, stridedIndex, stridesOf, walk } from "../op.ts";
import { constant, isConstant } from "./constant.ts";
import { reduceKernel, reduceReference, reduceShape } from "./reduce_kernel.ts";
import { reshape, transpose } from "./view.ts";

/** Strides of `from` seen as `to`: 0 where a dimension is stretched. */
function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, d) => (d < missing || from[d - missing] === 1 ? 0 : strides[d - missing]));
}

const broadcastOp: OpDef = {
  name: "broadcast",
  shape: ([x], { shape }) => {
    const missing = shape.length - x.shape.length;
    if (missing < 0 || x.shape.some((n, d) => n !== 1 && n !== shape[d + missing])) {
      throw shapeError("broadcast", [x], `a shape that stretches to [${shape.join(", ")}]`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  grad: ({ inputs: [x], upstream: [dy] }) => [sumTo(dy as Tensor, x.shape)],
  reference: ({ inputs: [x], inputTypes, outputs: [y], outputTypes }) => {
    const { shape } = outputTypes[0];
    walk(shape, broadcastStrides(inputTypes[0].shape, shape), (i, from) => {
      y[i] = x[from];
    });
  },
  inline: (code, node, index) => {
    const [x] = node.inputs;
    const { shape } = node.outputs[0];
    return code.at(x, stridedIndex(code, index, shape, broadcastStrides(x.shape, shape)));
  },
  inline4: (code, { inputs: [x], outputs: [{ shape }] }, index) =>
    strided4(code, x, index, shape, broadcastStrides(x.shape, shape)),
  free: true,
  flops: () => 0,
  samples: () => [
    { inputs: [f32()], attrs: { shape: [3, 5] } },
    { inputs: [f32(5)], attrs: { shape: [3, 5] } },
    { inputs: [f32(3, 1, 2)], attrs: { shape: [4, 3, 7, 2] } },
    { inputs: [f32(32, 1, 12)], attrs: { shape: [32, 3, 12] } },
    { inputs: [f32(32, 1)], attrs: { shape: [32, 40] } },
  ],
};

const sumOp: OpDef = {
  name: "reduceSum",
  shape: reduceShape("reduceSum"),
  grad: ({ inputs: [x], attrs, upstream: [dy] }) => {
    const kept = x.shape.map((n, d) => (d >= attrs.begin && d < attrs.end ? 1 : n));
    return [broadcastTo(reshape(dy as Tensor, kept), x.shape)];
  },
  reference: reduceReference(0, (a, b) => a + b),
  readsOnce: [0],
  kernel: reduceKernel("sum"),
  flops: (node) => sizeOf(node.inputs[0].shape),
  samples: () => [
    { inputs: [f32(1)], attrs: { begin: 0, end: 1 } },
    { inputs: [f32(5, 7)], attrs: { begin: 0, end: 1 } },
    { inputs: [f32(5, 7)], attrs: { begin: 1, end: 2 } },
    { inputs: [f32(3, 31, 5)], attrs: { begin: 1, end: 2 } },
    { inputs: [f32(1031)], attrs: { begin: 0, end: 1 } },
    { inputs: [f32(700, 3)], attrs: { begin: 0, end: 1 } },
    { inputs: [f32(2, 3, 517)], attrs: { begin: 1, end: 3 } },
  ],
};

/** x stretched to `shape` by NumPy's rule. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  checkTensors("broadcastTo", x);
  checkValue("broadcastTo", "shape", shape, is.numberList);
  if (sameShape(x.shape, shape)) return x;
  if (isConstant(x)) return constant(x.node.attrs.value, shape, x.dtype);
  return apply1(broadcastOp, [x], { shape });
}

const axesOptions = {
  axes: is.numbers as Kind<number | readonly number[]>,
  keepDims: is.boolean,
};

export interface AxesOptions extends OptionsOf<typeof axesOptions> {}

/**
 * Applies a reduction op, which takes neighbouring axes only, to any axes: others are moved to the end first, a view.
 */
export function reduceAxes(op: OpDef, x: Tensor, options: AxesOptions = {}): Tensor {
  checkTensors(op.name, x);
  const { axes, keepDims = false } = checkOptions(op.name, options, axesOptions);
  const rank = x.shape.length;
  const wanted = axes === undefined ? x.shape.map((_, d) => d) : typeof axes === "number" ? [axes] : axes;
  const reduced = [...new Set(wanted.map((d) => resolveAxis(op.name, d, rank)))].sort((a, b) => a - b);
  const kept = x.shape.map((_, d) => d).filter((d) => !reduced.includes(d));
  const shape = keepDims ? x.shape.map((n, d) => (reduced.includes(d) ? 1 : n)) : kept.map((d) => x.shape[d]);
  if (reduced.length === 0) return reshape(x, shape);
  const adjacent = reduced.every((d, i) => d === reduced[0] + i);
  const y = adjacent
    ? apply1(op, [x], { begin: reduced[0], end: reduced[0] + reduced.length })
    : apply1(op, [transpose(x, [...kept, ...reduced])], { begin: kept.length, end: rank });
  return reshape(y, shape);
}

/** Sum over `axes` (default: all). */
export const sum = (x: Tensor, options?: AxesOptions): Tensor => reduceAxes(sumOp, x, options);

/** The sum over whatever a broadcast from `shape` stretched. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const missing = x.shape.length - shape.length;
  const axes = x.shape.map((_, d) => d).filter((d) => d < missing || (shape[d - missing] === 1 && x.shape[d] !== 1));
  return reshape(sum(x, { axes }), shape);
}

export const broadcastOps = [broadcastOp, sumOp];
