/** Views: the same elements under another shape or order. They cost an index expression, never a copy of their own. */

import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import { sameShape, sizeOf } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32, resolveAxis, shapeError, strided4, stridedIndex, stridesOf, walk } from "../op.ts";

const reshapeOp: OpDef = {
  name: "reshape",
  shape: ([x], { shape }) => {
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw shapeError("reshape", [x], `as many elements as [${shape.join(", ")}]`);
    return [{ dtype: x.dtype, shape }];
  },
  grad: ({ inputs: [x], upstream: [dy] }) => [reshape(dy as Tensor, x.shape)],
  reference: ({ inputs: [x], outputs: [y] }) => y.set(x),
  inline: (code, node, index) => code.at(node.inputs[0], index),
  free: true,
  alias: true,
  flops: () => 0,
  samples: () => [
    { inputs: [f32(3, 4)], attrs: { shape: [2, 6] } },
    { inputs: [f32()], attrs: { shape: [1, 1] } },
  ],
};

const transposeOp: OpDef = {
  name: "transpose",
  shape: ([x], { permutation }) => {
    const sorted = [...permutation].sort((a: number, b: number) => a - b);
    if (
      !sameShape(
        sorted,
        x.shape.map((_, d) => d),
      )
    ) {
      throw shapeError("transpose", [x], `a permutation of its axes, not [${permutation.join(", ")}]`);
    }
    return [{ dtype: x.dtype, shape: permutation.map((d: number) => x.shape[d]) }];
  },
  grad: ({ attrs, upstream: [dy] }) => {
    const inverse = new Array<number>(attrs.permutation.length);
    attrs.permutation.forEach((from: number, to: number) => {
      inverse[from] = to;
    });
    return [transpose(dy as Tensor, inverse)];
  },
  reference: ({ inputs: [x], inputTypes: [type], attrs, outputs: [y], outputTypes }) => {
    const strides = stridesOf(type.shape);
    walk(
      outputTypes[0].shape,
      attrs.permutation.map((d: number) => strides[d]),
      (i, from) => {
        y[i] = x[from];
      },
    );
  },
  inline: (code, node, index) => {
    const [x] = node.inputs;
    const strides = stridesOf(x.shape);
    const permuted = node.attrs.permutation.map((d: number) => strides[d]);
    return code.at(x, stridedIndex(code, index, node.outputs[0].shape, permuted));
  },
  inline4: (code, { inputs: [x], attrs, outputs: [y] }, index) => {
    const strides = stridesOf(x.shape);
    return strided4(
      code,
      x,
      index,
      y.shape,
      attrs.permutation.map((d: number) => strides[d]),
    );
  },
  free: true,
  flops: () => 0,
  samples: () => [
    { inputs: [f32(3, 5)], attrs: { permutation: [1, 0] } },
    { inputs: [f32(2, 3, 4)], attrs: { permutation: [2, 0, 1] } },
    { inputs: [f32(1, 7, 1, 3)], attrs: { permutation: [3, 1, 0, 2] } },
    { inputs: [f32(8, 16, 12)], attrs: { permutation: [1, 0, 2] } },
  ],
};

/** The same elements in the same order, under another shape; one dimension may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  checkTensors("reshape", x);
  checkValue("reshape", "shape", shape, is.numberList);
  const holes = shape.filter((n) => n === -1).length;
  if (holes > 1) throw new TilegradError("E_ARGUMENT", `reshape: got [${shape.join(", ")}]; expected at most one -1.`);
  const known = sizeOf(shape.filter((n) => n !== -1));
  const resolved = shape.map((n) => (n === -1 ? sizeOf(x.shape) / known : n));
  if (sameShape(resolved, x.shape)) return x;
  return apply1(reshapeOp, [x], { shape: resolved });
}

/** Axes in another order; default: reversed. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  checkTensors("transpose", x);
  if (permutation) checkValue("transpose", "permutation", permutation, is.numberList);
  const axes =
    permutation?.map((d) => resolveAxis("transpose", d, x.shape.length)) ?? x.shape.map((_, d) => d).reverse();
  return apply1(transposeOp, [x], { permutation: axes });
}

export const viewOps = [reshapeOp, transposeOp];
