/** Masks of padded sequences, which accompany a tensor from layer to layer while a model is traced. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";

const masks = new WeakMap<Tensor, Tensor>();

/** Masks that layers have asked for. */
let asked = 0;

/** Which steps of `x` [batch, time, ...] count: f32 [batch, time], 1 or 0. A layer that asks must heed it. */
export function maskOf(x: Tensor): Tensor | undefined {
  const mask = masks.get(x);
  if (mask) asked++;
  return mask;
}

/** `y`, accompanied by a mask. */
export function withMask(y: Tensor, mask: Tensor | undefined): Tensor {
  if (mask) masks.set(y, mask);
  return y;
}

/**
 * What a layer makes of its inputs; the mask of one goes on with outputs that have the same steps (dense, dropout, activation
 * ...), unless the layer asked for masks and so sees to them itself.
 * @throws E_ARGUMENT where a layer would lose a mask, having neither asked for it nor such an output
 */
export function carryMask(type: string, inputs: readonly Tensor[], call: () => readonly Tensor[]): readonly Tensor[] {
  const before = asked;
  const outputs = call();
  if (asked > before) return outputs;
  for (const x of inputs) {
    const mask = masks.get(x);
    if (!mask || outputs.some((y) => masks.has(y))) continue;
    const heirs = outputs.filter((y) => y.shape.length >= 3 && y.shape[0] === x.shape[0] && y.shape[1] === x.shape[1]);
    for (const y of heirs) masks.set(y, mask);
    if (heirs.length > 0) continue;
    throw new TilegradError("E_ARGUMENT", `${type}: its input is masked, and it cannot skip padded steps.`, {
      hint: "Put a layer before it that can (pooling over time, a recurrent layer), or leave masking and maskZero out.",
    });
  }
  return outputs;
}
