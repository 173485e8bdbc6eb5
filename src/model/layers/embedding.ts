/** Layers at the start of sequence models: token embedding, and masking of padded steps. */
import * as is from "../../kinds.ts";
import { cast } from "../../ops/core/cast.ts";
import { clip, equal, mul, sub } from "../../ops/core/elementwise.ts";
import { gather } from "../../ops/core/gather.ts";
import { max } from "../../ops/core/reduce.ts";
import { reshape } from "../../ops/core/view.ts";
import type { OptionsOf } from "../../options.ts";
import { none } from "../../options.ts";
import { initializerKind } from "../initializers.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer, regularizerKind } from "../layer.ts";
import { withMask } from "../mask.ts";
import { expectRank } from "../rank.ts";

const embeddingOptions = () => ({
  /**
   * Tokens: whole numbers in [0, inputDim). Others among the features of a model are E_DATA; what another layer makes of them is
   * taken as the nearest of these.
   */
  inputDim: is.required(is.positiveInteger),
  /** Numbers a token becomes. */
  outputDim: is.required(is.positiveInteger),
  /** Token 0 is padding: later layers skip it. Default false. */
  maskZero: is.boolean,
  /** Default uniform in [-0.05, 0.05]. */
  embeddingsInitializer: initializerKind,
  /** Default none. */
  embeddingsRegularizer: regularizerKind,
});

export interface EmbeddingOptions extends OptionsOf<typeof embeddingOptions>, LayerOptions {}

/** Rows of a table [inputDim, outputDim] by token: [batch, time] -> [batch, time, outputDim]. */
export const embedding = /* @__PURE__ */ defineLayer(
  "embedding",
  embeddingOptions,
  none,
  ({ inputDim, outputDim, maskZero = false, ...options }: EmbeddingOptions) =>
    (x, context) => {
      const table = context.parameter("embeddings", [inputDim, outputDim], {
        initializer: options.embeddingsInitializer ?? { uniform: 0.05 },
        regularizer: options.embeddingsRegularizer,
      });
      context.expectIndices?.(x, inputDim);
      const y = gather(table, cast(clip(x, 0, inputDim - 1), "u32"));
      return maskZero && x.shape.length === 2 ? withMask(y, sub(1, equal(x, 0))) : y;
    },
);

const maskingOptions = () => ({
  /** A step all of whose features are this is padding; default 0. */
  maskValue: is.number,
});

export interface MaskingOptions extends OptionsOf<typeof maskingOptions>, LayerOptions {}

/** Masks padded steps: recurrent layers and attention skip them. x [batch, time, features] -> x, padding set to 0. */
export const masking = /* @__PURE__ */ defineLayer(
  "masking",
  maskingOptions,
  none,
  ({ maskValue = 0 }: MaskingOptions) =>
    (x) => {
      expectRank("masking", x, 3);
      const mask = max(sub(1, equal(x, maskValue)), { axes: 2 });
      // The same values as a tensor of its own, so that the mask accompanies this output only.
      const y = maskValue === 0 ? { ...x } : mul(x, reshape(mask, [x.shape[0], x.shape[1], 1]));
      return withMask(y, mask);
    },
);
