import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import { attention } from "../../ops/attention/attention.ts";
import { reshape, transpose } from "../../ops/core/view.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import { showType } from "../../ops/op.ts";
import { dropout } from "../../ops/random/random.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerContext, LayerOptions, Regularizer } from "../layer.ts";
import { layer } from "../layer.ts";
import { layerOptions } from "../layerOptions.ts";
import { maskOf, withMask } from "../mask.ts";

export interface MultiHeadAttentionOptions extends LayerOptions {
  readonly numHeads: number;
  /** Numbers of a query and of a key, in each head. */
  readonly keyDim: number;
  /** Numbers of a value, in each head; default keyDim. */
  readonly valueDim?: number;
  /** A step sees itself and those before it only; default false. */
  readonly useCausalMask?: boolean;
  /** Dropped from the output in training; default 0. */
  readonly dropout?: number;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default glorotUniform. */
  readonly kernelInitializer?: Initializer;
  readonly kernelRegularizer?: Regularizer;
}

/**
 * Self-attention of several heads (Vaswani et al. 2017): [batch, time, features] -> the same shape. Padding that `masking` or
 * an `embedding` with `maskZero` found is not attended to.
 */
export function multiHeadAttention(given: MultiHeadAttentionOptions): Layer {
  const options = layerOptions<MultiHeadAttentionOptions>("multiHeadAttention", [], given);
  const { numHeads, keyDim, valueDim = keyDim, useCausalMask = false, dropout: rate = 0 } = options;
  return layer("multiHeadAttention", options, (x, context) => {
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
  });
}

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
