/** Conversion between element types. */

import { apply1, checkTensors } from "../../graph/apply.ts";
import type { DType, OpDef, Tensor } from "../../graph/types.ts";
import { DTYPES } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32, u32 } from "../op.ts";

const castOp: OpDef = {
  name: "cast",
  shape: ([x], { dtype }) => [{ dtype, shape: x.shape }],
  grad: ({ inputs: [x], upstream: [dy] }) => [x.dtype === "f32" ? dy : null],
  reference: ({ inputs: [x], outputs: [y] }) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i];
  },
  pointwise: true,
  inline: (code, node, index) => `${node.attrs.dtype}(${code.at(node.inputs[0], index)})`,
  inline4: (code, node, index) => `vec4<${node.attrs.dtype}>(${code.at4(node.inputs[0], index)})`,
  samples: () => [
    { inputs: [{ ...u32(7), range: [0, 100] }], attrs: { dtype: "f32" } },
    { inputs: [{ ...u32(1024), range: [0, 100] }], attrs: { dtype: "f32" } },
    { inputs: [{ ...f32(7), range: [0, 100] }], attrs: { dtype: "u32" }, gradcheck: false },
  ],
};

/** x as another element type; fractions are dropped. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkTensors("cast", x);
  checkValue("cast", "dtype", dtype, is.oneOf(...DTYPES));
  return x.dtype === dtype ? x : apply1(castOp, [x], { dtype });
}

export const castOps = [castOp];
