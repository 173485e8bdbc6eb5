/**
 * Parts of what is not differentiated: rows of the data, parameters in their arena, places in a record. `gather` and `slice`
 * have gradients, whose kernels an application that trains need not bring.
 */
import { apply1 } from "../../graph/apply.ts";
import type { OpDef, Tensor, TensorType } from "../../graph/types.ts";
import { sameShape, sizeOf } from "../../graph/types.ts";
import { f32, shapeError, strided4, stridedIndex, stridesOf, u32, walk } from "../op.ts";

export const rowSize = (x: TensorType): number => sizeOf(x.shape.slice(1));

/** `gather`, but for its gradient. x [rows, ...], indices u32 [any] -> [...any, ...]. Indices are below `rows` (the callers check them). */
export const takeRowsOp: OpDef = {
  name: "gather",
  shape: ([x, indices]) => {
    if (indices.dtype !== "u32" || x.shape.length === 0) {
      throw shapeError("gather", [x, indices], "x of rank 1 or more and u32 indices");
    }
    return [{ dtype: x.dtype, shape: [...indices.shape, ...x.shape.slice(1)] }];
  },
  reference: ({ inputs: [x, indices], inputTypes: [type], outputs: [y] }) => {
    const inner = rowSize(type);
    for (let k = 0; k < indices.length; k++) y.set(x.subarray(indices[k] * inner, (indices[k] + 1) * inner), k * inner);
  },
  inline: (code, node, index) => {
    const [x, indices] = node.inputs;
    const inner = rowSize(x);
    if (inner === 1) return code.at(x, code.at(indices, index));
    const dim = code.dim(inner);
    const row = code.at(indices, code.let(`${index} / ${dim}`));
    return code.at(x, code.let(`${row} * ${dim} + ${index} % ${dim}`));
  },
  inline4: (code, { inputs: [x, indices] }, index) => {
    const inner = rowSize(x);
    if (inner % 4 !== 0) return null;
    const dim = code.dim(inner);
    const row = code.at(indices, code.let(`${index} / ${dim}`));
    return code.at4(x, code.let(`${row} * ${dim} + ${index} % ${dim}`));
  },
  flops: () => 0,
};

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, v, i) => total + v * b[i], 0);

/** `slice`, but for its gradient. */
export const takeSliceOp: OpDef = {
  name: "slice",
  shape: ([x], { begin, size }) => {
    const fits = begin.length === x.shape.length && size.length === x.shape.length;
    if (!fits || x.shape.some((n, d) => !(begin[d] >= 0 && size[d] > 0 && begin[d] + size[d] <= n))) {
      throw shapeError("slice", [x], `begin [${begin.join(", ")}] and size [${size.join(", ")}] inside it`);
    }
    return [{ dtype: x.dtype, shape: size }];
  },
  reference: ({ inputs: [x], inputTypes: [type], attrs, outputs: [y] }) => {
    const strides = stridesOf(type.shape);
    walk(
      attrs.size,
      strides,
      (i, from) => {
        y[i] = x[from];
      },
      dot(attrs.begin, strides),
    );
  },
  inline: (code, node, index) => {
    const [x] = node.inputs;
    const strides = stridesOf(x.shape);
    return code.at(x, stridedIndex(code, index, node.outputs[0].shape, strides, dot(node.attrs.begin, strides)));
  },
  inline4: (code, { inputs: [x], attrs, outputs: [y] }, index) => {
    const strides = stridesOf(x.shape);
    return strided4(code, x, index, y.shape, strides, dot(attrs.begin, strides));
  },
  free: true,
  flops: () => 0,
};

const dynamicSliceOp: OpDef = {
  name: "dynamicSlice",
  shape: ([x, offset], { size }) => {
    if (offset.dtype !== "u32" || offset.shape.length > 0 || x.shape.length !== 1 || size > x.shape[0]) {
      throw shapeError(
        "dynamicSlice",
        [x, offset],
        `x of rank 1 with at least ${size} elements, and a u32 scalar offset`,
      );
    }
    return [{ dtype: x.dtype, shape: [size] }];
  },
  reference: ({ inputs: [x, [offset]], outputs: [y] }) => y.set(x.subarray(offset, offset + y.length)),
  inline: (code, node, index) => {
    const [x, offset] = node.inputs;
    return code.at(x, code.let(`${code.at(offset, "0u")} + ${index}`));
  },
  free: true,
  flops: () => 0,
  samples: () => [{ inputs: [f32(7), { ...u32(), values: [2] }], attrs: { size: 3 } }],
};

/** Only as the update of the state it writes to: the rest of the state stays as it is. */
export const dynamicUpdateSliceOp: OpDef = {
  name: "dynamicUpdateSlice",
  shape: ([x, value, offset]) => {
    const fits = x.dtype === value.dtype && x.shape.length === 1 && value.shape.length === 1;
    if (!fits || offset.dtype !== "u32" || offset.shape.length > 0 || value.shape[0] > x.shape[0]) {
      throw shapeError("dynamicUpdateSlice", [x, value, offset], "x [n], value [m <= n] and a u32 scalar offset");
    }
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  reference: ({ inputs: [x, value, [offset]], outputs: [y] }) => {
    y.set(x);
    y.set(value, offset);
  },
  flops: () => 0,
};

/** Rows of data x [rows, ...] by u32 number. */
export const takeRows = (x: Tensor, indices: Tensor): Tensor => apply1(takeRowsOp, [x, indices]);

/** The box of `size` that starts at `begin`, of what is not differentiated. */
export const takeSlice = (x: Tensor, begin: readonly number[], size: readonly number[]): Tensor =>
  sameShape(size, x.shape) ? x : apply1(takeSliceOp, [x], { begin, size });

/** x[offset .. offset + size] of a flat tensor, the offset a u32 scalar. */
export const dynamicSlice = (x: Tensor, offset: Tensor, size: number): Tensor =>
  apply1(dynamicSliceOp, [x, offset], { size });

/** The flat state `x` with `value` written at `offset`; usable as the update of `x` only. */
export const dynamicUpdateSlice = (x: Tensor, value: Tensor, offset: Tensor): Tensor =>
  apply1(dynamicUpdateSliceOp, [x, value, offset]);

export const takeOps = [dynamicSliceOp];
