import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { attention } from "../../ops/attention/attention.ts";
import { reshape, transpose } from "../../ops/core/view.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import { showType } from "../../ops/op.ts";
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
  kernelRegularizer: regularizerKind,
});

export interface MultiHeadAttentionOptions extends OptionsOf<typeof multiHeadAttentionOptions>, LayerOptions {}

/**
 * Self-attention of several heads (Vaswani et al. 2017): [batch, time, features] -> the same shape. Padding that `masking` or
 * an `embedding` with `maskZero` found is not attended to.
 */
export const multiHeadAttention = /* @__PURE__ */ defineLayer(
  "multiHeadAttention",
  multiHeadAttentionOptions,
  none,
  (options: MultiHeadAttentionOptions) => (x, context) => {
    const { numHeads, keyDim, valueDim = keyDim, useCausalMask = false, dropout: rate = 0 } = options;
    if (x.shape.length !== 3) {
      throw new TilegradError("E_SHAPE", `multiHeadAttention: got ${showType(x)}; expected [batch, time, features].`);
    }
    const [batch, time, features] = x.shape;
    const heads = (name: string, size: number): Tensor =>
      transpose(
        reshape(project(context, name, x, numHeads * size, options), [batch, time, numHeads, size]),
        [0, 2, 1, 3],
      );
    const mask = maskOf(x);
    const seen = attention(heads("query", keyDim), heads("key", keyDim), heads("value", valueDim), {
      causal: useCausalMask,
      mask,
    });
    const joined = reshape(transpose(seen, [0, 2, 1, 3]), [batch, time, numHeads * valueDim]);
    const y = project(context, "output", joined, features, options);
    return withMask(context.training && rate > 0 ? dropout(y, rate, { stream: context.stream() }) : y, mask);
  },
);

/** x · kernel + bias over the last axis. */
function project(
  context: LayerContext,
  name: string,
  x: Tensor,
  units: number,
  options: MultiHeadAttentionOptions,
): Tensor {
  const kernel = context.parameter(`${name}Kernel`, [x.shape[x.shape.length - 1], units], {
    initializer: options.kernelInitializer ?? "glorotUniform",
    regularizer: options.kernelRegularizer,
  });
  if (options.useBias === false) return matmul(x, kernel);
  return linear(x, kernel, context.parameter(`${name}Bias`, [units], { initializer: "zeros" }));
}
