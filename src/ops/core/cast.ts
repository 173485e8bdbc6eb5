/** Conversion between element types. */

import { apply1, checkTensors } from "../../graph/apply.ts";
import type { DType, Node, OpDef, Tensor } from "../../graph/types.ts";
import { DTYPES } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32, isNan, u32 } from "../op.ts";

/** The least and the largest integer that f32 has, too: where WGSL's conversions end. */
const LIMITS = { u32: [0, 4_294_967_040], i32: [-2_147_483_648, 2_147_483_520] } as const;
const EVERYTHING = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

function converted({ inputs: [from], attrs: { dtype } }: Node, x: string, typed: (scalar: string) => string): string {
  const y = `${typed(dtype)}(${x})`;
  if (from.dtype !== "f32" || dtype === "f32") return y;
  return `select(${y}, ${typed(dtype)}(), ${isNan(x, typed("f32"))})`;
}

const castOp: OpDef = {
  name: "cast",
  shape: ([x], { dtype }) => [{ dtype, shape: x.shape }],
  grad: ({ inputs: [x], upstream: [dy] }) => [x.dtype === "f32" ? dy : null],
  reference: ({ inputs: [x], inputTypes: [{ dtype }], attrs, outputs: [y] }) => {
    const [low, high] = dtype === "f32" && attrs.dtype !== "f32" ? LIMITS[attrs.dtype as "u32" | "i32"] : EVERYTHING;
    for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(x[i], low), high);
  },
  pointwise: true,
  inline: (code, node, index) => converted(node, code.at(node.inputs[0], index), (scalar) => scalar),
  inline4: (code, node, index) => converted(node, code.at4(node.inputs[0], index), (scalar) => `vec4<${scalar}>`),
  samples: () => [
    { inputs: [{ ...u32(7), range: [0, 100] }], attrs: { dtype: "f32" } },
    { inputs: [{ ...u32(1024), range: [0, 100] }], attrs: { dtype: "f32" } },
    { inputs: [{ ...f32(7), range: [0, 100] }], attrs: { dtype: "u32" }, gradcheck: false },
    { inputs: [{ ...f32(7), range: [-100, 100] }], attrs: { dtype: "i32" }, gradcheck: false },
  ],
};

/**
 * x as another element type. Of floats fractions are dropped, what lies beyond the integers' range becomes the nearest of them that
 * f32 has, too (0 to 4,294,967,040; -2,147,483,648 to 2,147,483,520), and NaN 0.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkTensors("cast", x);
  checkValue("cast", "dtype", dtype, is.oneOf(...DTYPES));
  return x.dtype === dtype ? x : apply1(castOp, [x], { dtype });
}

export const castOps = [castOp];
