/** Attention as a composition: two batched products around a softmax. */

import { checkTensors, tensorKind } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import { cast } from "../core/cast.ts";
import { iota } from "../core/constant.ts";
import { greaterEqual, mul, where } from "../core/elementwise.ts";
import { softmax } from "../core/reduce.ts";
import { reshape } from "../core/view.ts";
import { matmul } from "../matmul/matmul.ts";
import { shapeError } from "../op.ts";

const attentionOptions = {
  /** A query sees the keys up to its own place only; default false. */
  causal: is.boolean,
  /** Keys that count, f32 [batch, keys]: 1 or 0. A query that sees no key gets the mean of all values. */
  mask: tensorKind,
};

export interface AttentionOptions extends OptionsOf<typeof attentionOptions> {}

/** What a score becomes whose key must not be seen: e^that is 0 beside any real score. */
const UNSEEN = -1e9;

/**
 * softmax(q k^T / sqrt(size)) v (Vaswani et al. 2017, equation 1).
 * @param q [batch, heads, queries, size]
 * @param k [batch, heads, keys, size]
 * @param v [batch, heads, keys, width]
 * @returns [batch, heads, queries, width]
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkTensors("attention", q, k, v);
  const { causal = false, mask } = checkOptions("attention", options, attentionOptions);
  const [batch, , queries, size] = q.shape;
  const keys = k.shape[2];
  const masked = !mask || (mask.shape.length === 2 && mask.shape[0] === batch && mask.shape[1] === keys);
  if (q.shape.length !== 4 || k.shape.length !== 4 || !masked || (causal && queries !== keys)) {
    throw shapeError(
      "attention",
      mask ? [q, k, v, mask] : [q, k, v],
      "q, k and v [batch, heads, time, size], a mask [batch, keys], and as many queries as keys when causal",
    );
  }
  let scores = mul(matmul(q, k, { transposeB: true }), size ** -0.5);
  if (causal) {
    const place = cast(iota(keys), "f32");
    scores = where(greaterEqual(reshape(place, [keys, 1]), reshape(place, [1, keys])), scores, UNSEEN);
  }
  if (mask) scores = where(reshape(mask, [batch, 1, 1, keys]), scores, UNSEEN);
  return matmul(softmax(scores), v);
}
