import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { attention } from "../../ops/attention/attention.ts";
import { constant } from "../../ops/core/constant.ts";
import { mul } from "../../ops/core/elementwise.ts";
import { reshape, transpose } from "../../ops/core/view.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import { dropout } from "../../ops/random/random.ts";
import type { OptionsOf } from "../../options.ts";
import { none } from "../../options.ts";
import { initializerKind } from "../initializers.ts";
import type { LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer, regularizerKind } from "../layer.ts";
import { maskOf, withMask } from "../mask.ts";

const multiHeadAttentionOptions = () => ({
  /** Heads side by side. */
  numHeads: is.required(is.positiveInteger),
  /** Numbers of a query and of a key, in each head. */
  keyDim: is.required(is.positiveInteger),
  /** Numbers of a value, in each head; default keyDim. */
  valueDim: is.positiveInteger,
  /** A step sees itself and those before it only; default false. */
  useCausalMask: is.boolean,
  /** Dropped from the output in training; default 0. */
  dropout: is.fraction,
  /** Default true. */
  useBias: is.boolean,
  /** Default glorotUniform. */
  kernelInitializer: initializerKind,
  /** Default none. */
  kernelRegularizer: regularizerKind,
});

export interface MultiHeadAttentionOptions extends OptionsOf<typeof multiHeadAttentionOptions>, LayerOptions {}

/**
 * Attention of several heads (Vaswani et al. 2017): [batch, time, features] -> the same shape. Applied to one tensor it attends to
 * itself; in a functional model, as in Keras, it may be applied to queries and values, or to queries, values and keys:
 * `apply(multiHeadAttention({ numHeads: 2, keyDim: 8 }), query, value)`, [batch, queries, features] and [batch, steps, ...]
 * -> [batch, queries, features]. Padding of values and keys that `masking` or an `embedding` with `maskZero` found is not
 * attended to.
 */
export const multiHeadAttention = /* @__PURE__ */ defineLayer(
  "multiHeadAttention",
  multiHeadAttentionOptions,
  none,
  (given: MultiHeadAttentionOptions) => (query, context) => {
    const { numHeads, keyDim, valueDim = keyDim, useCausalMask = false, dropout: rate = 0 } = given;
    const [, value = query, key = value, ...more] = context.inputs;
    const inputs = [query, value, key];
    const [batch, queries, features] = query.shape;
    const fits = inputs.every(({ shape }) => shape.length === 3 && shape[0] === batch);
    if (!fits || more.length > 0 || value.shape[1] !== key.shape[1] || (useCausalMask && queries !== key.shape[1])) {
      const several = "query [batch, queries, features], value and key [batch, steps, features]";
      throw new TilegradError(
        "E_SHAPE",
        `multiHeadAttention: got ${context.inputs.map(showType).join(", ")}; expected [batch, time, features], or ${several}${useCausalMask ? ", with as many queries as steps for useCausalMask" : ""}.`,
      );
    }
    const heads = (name: string, x: Tensor, size: number): Tensor =>
      transpose(
        reshape(project(context, name, x, numHeads * size, given), [batch, x.shape[1], numHeads, size]),
        [0, 2, 1, 3],
      );
    const q = heads("query", query, keyDim);
    const k = heads("key", key, keyDim);
    const v = heads("value", value, valueDim);
    const mask = jointMask(value, key);
    const seen = attention(q, k, v, { causal: useCausalMask, mask });
    const joined = reshape(transpose(seen, [0, 2, 1, 3]), [batch, queries, numHeads * valueDim]);
    const y = project(context, "output", joined, features, given);
    // The output has the steps of the query: a mask of values must not be taken for its own.
    const own = maskOf(query) ?? (mask ? constant(1, [batch, queries]) : undefined);
    return withMask(context.training && rate > 0 ? dropout(y, rate, { stream: context.stream() }) : y, own);
  },
  { merges: true },
);

/** The steps that count in both. */
function jointMask(value: Tensor, key: Tensor): Tensor | undefined {
  const [a, b] = [maskOf(value), maskOf(key)];
  return a && b && a !== b ? mul(a, b) : (a ?? b);
}

/** x · kernel + bias over the last axis. */
function project(
  context: LayerContext,
  name: string,
  x: Tensor,
  units: number,
  { kernelInitializer = "glorotUniform", kernelRegularizer: regularizer, useBias = true }: MultiHeadAttentionOptions,
): Tensor {
  const initializer = kernelInitializer;
  const kernel = context.parameter(`${name}Kernel`, [x.shape[x.shape.length - 1], units], { initializer, regularizer });
  if (!useBias) return matmul(x, kernel);
  return linear(x, kernel, context.parameter(`${name}Bias`, [units], { initializer: "zeros" }));
}
