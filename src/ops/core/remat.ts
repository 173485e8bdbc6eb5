/**
 * Activation recomputation (gradient checkpointing, rematerialisation): of a segment only the inputs are kept for the
 * backward pass, which computes the rest once more from them (Chen et al. 2016, "Training deep nets with sublinear memory
 * cost"). `passes/recompute.ts` makes the copies.
 */

import { apply1 } from "../../graph/apply.ts";
import type { OpDef, Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32 } from "../op.ts";

/** y and the inputs of the segment that made it -> y. Gone once the graph is differentiated. */
export const rematOp: OpDef = {
  name: "remat",
  shape: ([y]) => [{ dtype: y.dtype, shape: y.shape }],
  reference: ({ inputs: [x], outputs: [y] }) => y.set(x),
  expand: ({ inputs: [y] }) => [y],
  alias: true,
  flops: () => 0,
  samples: () => [{ inputs: [f32(3, 5), f32(7)] }],
};

/**
 * x and any tensor -> x. What reads it runs after the other tensor is known, and is never shared with what reads x itself.
 */
export const barrierOp: OpDef = {
  name: "barrier",
  shape: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  reference: ({ inputs: [x], outputs: [y] }) => y.set(x),
  inline: (code, node, index) => code.at(node.inputs[0], index),
  free: true,
  alias: true,
  flops: () => 0,
  samples: () => [{ inputs: [f32(3, 5), f32(7)] }, { inputs: [f32(), f32()] }],
};

/**
 * The same function, whose intermediate results are not kept for the backward pass but computed again there: less memory for
 * about a third more work. Values and gradients are those of `fn`; random draws are the same draws. What `fn` uses besides its
 * arguments is kept.
 * @param fn tensors -> one tensor
 */
export function remat(fn: (...inputs: Tensor[]) => Tensor): (...inputs: Tensor[]) => Tensor {
  checkValue("remat", "fn", fn, is.callable);
  return (...inputs) => apply1(rematOp, [fn(...inputs), ...inputs]);
}

export const rematOps = [rematOp, barrierOp];
