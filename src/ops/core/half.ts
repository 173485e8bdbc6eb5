/** A value that may lose what 16 bits cannot hold. */

import { apply1 } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import { roundToHalf } from "../../numeric.ts";
import { expectDType, f32 } from "../op.ts";

/**
 * x rounded to f16 (IEEE 754 binary16: 11 significant bits, at most 65504, infinite beyond) by being stored: a conversion to
 * f16 and back alone would do nothing on some drivers, since compilers may keep excess precision.
 */
const halfOp: OpDef = {
  name: "half",
  shape: ([x]) => {
    expectDType("half", x, "f32");
    return [f32(...x.shape)];
  },
  reference: ({ inputs: [x], outputs: [y] }) => {
    for (let i = 0; i < y.length; i++) y[i] = roundToHalf(x[i]);
  },
  pointwise: true,
  storedAs: "f16",
  inline: (code, node, index) => code.at(node.inputs[0], index),
  inline4: (code, node, index) => code.at4(node.inputs[0], index),
  flops: () => 0,
};

export const half = (x: Tensor): Tensor => apply1(halfOp, [x]);
