/** Masks of padded sequences, which accompany a tensor from layer to layer while a model is traced. */
import type { Tensor } from "../graph/types.ts";

const masks = new WeakMap<Tensor, Tensor>();

/** Which steps of `x` [batch, time, ...] count: f32 [batch, time], 1 or 0. */
export const maskOf = (x: Tensor): Tensor | undefined => masks.get(x);

/** `y`, accompanied by a mask. */
export function withMask(y: Tensor, mask: Tensor | undefined): Tensor {
  if (mask) masks.set(y, mask);
  return y;
}

/** Hands the mask of a layer's input to an output that has the same steps (dense, dropout, activation ...). */
export function carryMask(x: Tensor, y: Tensor): void {
  const mask = masks.get(x);
  const sameSteps = y.shape.length >= 3 && y.shape[0] === x.shape[0] && y.shape[1] === x.shape[1];
  if (mask && sameSteps && !masks.has(y)) masks.set(y, mask);
}
