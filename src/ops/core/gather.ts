/** Gathering rows by number, and its adjoint. */
import scatterAddShader from "../../../shaders/core/scatter_add.wgsl";
import scatterAddRowsShader from "../../../shaders/core/scatter_add_rows.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1 } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import { expectDType, f32, shapeError, u32 } from "../op.ts";
import { rowSize, takeRowsOp } from "./take.ts";

const gatherOp: OpDef = {
  ...takeRowsOp,
  grad: ({ inputs: [x, indices], upstream: [dy] }) => [scatterAdd(dy as Tensor, indices, x.shape[0]), null],
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

/** Rows of x [rows, ...] by u32 number. */
export const gather = (x: Tensor, indices: Tensor): Tensor => apply1(gatherOp, [x, indices]);

/** y [rows, ...] with y[indices[k]] += x[k], summed in the order of k. */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number): Tensor {
  if (!Number.isInteger(rows) || rows < 1)
    throw new TilegradError("E_ARGUMENT", `scatterAdd: got ${rows} rows; expected 1 or more.`);
  return apply1(scatterAddOp, [x, indices], { rows });
}

export const gatherOps = [gatherOp, scatterAddOp];
