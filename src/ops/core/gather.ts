/** Gathering rows by number, its adjoint, and slices at an offset known only when the step runs. */
import scatterAddShader from "../../../shaders/core/scatter_add.wgsl";
import scatterAddRowsShader from "../../../shaders/core/scatter_add_rows.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1 } from "../../graph/apply.ts";
import type { OpDef, Tensor, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import { expectDType, f32, shapeError, u32 } from "../op.ts";

const rowSize = (x: TensorType): number => sizeOf(x.shape.slice(1));

/** x [rows, ...], indices u32 [any] -> [...any, ...]. Indices are below `rows` (the callers check them). */
const gatherOp: OpDef = {
  name: "gather",
  shape: ([x, indices]) => {
    if (indices.dtype !== "u32" || x.shape.length === 0) {
      throw shapeError("gather", [x, indices], "x of rank 1 or more and u32 indices");
    }
    return [{ dtype: x.dtype, shape: [...indices.shape, ...x.shape.slice(1)] }];
  },
  grad: ({ inputs: [x, indices], upstream: [dy] }) => [scatterAdd(dy as Tensor, indices, x.shape[0]), null],
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
  samples: () => [
    { inputs: [f32(1), { ...u32(1), values: [0] }] },
    { inputs: [f32(5, 3), { ...u32(7), range: [0, 5] }] },
    { inputs: [f32(9, 2, 2), { ...u32(2, 4), range: [0, 9] }] },
    { inputs: [f32(9, 12), { ...u32(64), range: [0, 9] }] },
    { inputs: [f32(9, 13), { ...u32(64), range: [0, 9] }] },
  ],
};

const scatterAddOp: OpDef = {
  name: "scatterAdd",
  shape: ([x, indices], { rows }) => {
    const rank = indices.shape.length;
    if (indices.dtype !== "u32" || indices.shape.some((n, d) => n !== x.shape[d])) {
      throw shapeError("scatterAdd", [x, indices], "u32 indices whose shape leads that of x");
    }
    expectDType("scatterAdd", x, "f32");
    return [f32(rows, ...x.shape.slice(rank))];
  },
  grad: ({ inputs: [, indices], upstream: [dy] }) => [gather(dy as Tensor, indices), null],
  reference: ({ inputs: [x, indices], outputs: [y], outputTypes: [type] }) => {
    const inner = rowSize(type);
    for (let k = 0; k < indices.length; k++) {
      for (let c = 0; c < inner; c++) y[indices[k] * inner + c] += x[k * inner + c];
    }
  },
  kernel: ({ inputs: [, indices], outputs: [y] }, limits) => {
    const count = sizeOf(indices.shape);
    const inner = rowSize(y);
    const hooks = {
      loads: [
        { hook: "load_indices", input: 1 },
        { hook: "load_x", input: 0 },
      ],
      stores: [{ hook: "store_y", output: 0 }],
    };
    if (limits.resident || inner < 8 || count < 64) {
      const params = { outputs: sizeOf(y.shape), count, inner };
      return { shader: scatterAddShader, params, grid: { threads: sizeOf(y.shape) }, ...hooks };
    }
    const [rows] = y.shape;
    // A workgroup makes 64 rows of 64 columns.
    const workgroups = Math.ceil(rows / 64) * Math.ceil(inner / 64);
    return {
      shader: scatterAddRowsShader,
      params: { rows, count, inner },
      grid: { workgroups: [workgroups, 1, 1] },
      ...hooks,
    };
  },
  flops: (node) => sizeOf(node.inputs[0].shape),
  samples: () => [
    { inputs: [f32(1), { ...u32(1), values: [0] }], attrs: { rows: 1 } },
    { inputs: [f32(7, 3), { ...u32(7), range: [0, 5] }], attrs: { rows: 5 } },
    { inputs: [f32(2, 40, 2), { ...u32(2, 40), range: [0, 3] }], attrs: { rows: 3 } },
    { inputs: [f32(300, 9), { ...u32(300), range: [0, 130] }], attrs: { rows: 130 } },
    { inputs: [f32(64, 70), { ...u32(64), range: [3, 4] }], attrs: { rows: 16 } },
  ],
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

/** Rows of x [rows, ...] by u32 number. */
export const gather = (x: Tensor, indices: Tensor): Tensor => apply1(gatherOp, [x, indices]);

/** y [rows, ...] with y[indices[k]] += x[k], summed in the order of k. */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number): Tensor {
  if (!Number.isInteger(rows) || rows < 1)
    throw new TilegradError("E_ARGUMENT", `scatterAdd: got ${rows} rows; expected 1 or more.`);
  return apply1(scatterAddOp, [x, indices], { rows });
}

/** x[offset .. offset + size] of a flat tensor, the offset a u32 scalar. */
export const dynamicSlice = (x: Tensor, offset: Tensor, size: number): Tensor =>
  apply1(dynamicSliceOp, [x, offset], { size });

/** The flat state `x` with `value` written at `offset`; usable as the update of `x` only. */
export const dynamicUpdateSlice = (x: Tensor, value: Tensor, offset: Tensor): Tensor =>
  apply1(dynamicUpdateSliceOp, [x, value, offset]);

export const gatherOps = [gatherOp, scatterAddOp, dynamicSliceOp];
