/** Layers at the start of sequence models: token embedding, and masking of padded steps. */
import { TilegradError } from "../../errors.ts";
import { cast } from "../../ops/core/cast.ts";
import { clip, equal, mul, sub } from "../../ops/core/elementwise.ts";
import { gather } from "../../ops/core/gather.ts";
import { max } from "../../ops/core/reduce.ts";
import { reshape } from "../../ops/core/view.ts";
import { showType } from "../../ops/op.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerOptions, Regularizer } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";
import { withMask } from "../mask.ts";

export interface EmbeddingOptions extends LayerOptions {
  /** Tokens: indices are whole numbers in [0, inputDim); what is beyond is taken as the nearest of them. */
  readonly inputDim: number;
  /** Numbers a token becomes. */
  readonly outputDim: number;
  /** Token 0 is padding: later layers skip it. Default false. */
  readonly maskZero?: boolean;
  /** Default uniform in [-0.05, 0.05]. */
  readonly embeddingsInitializer?: Initializer;
  readonly embeddingsRegularizer?: Regularizer;
}

/** Rows of a table [inputDim, outputDim] by token: [batch, time] -> [batch, time, outputDim]. */
export function embedding(given: EmbeddingOptions): Layer {
  const options = layerOptions<EmbeddingOptions>("embedding", [], given);
  const { inputDim, outputDim, maskZero = false } = options;
  return layer("embedding", options, (x, context) => {
    const table = context.parameter("embeddings", [inputDim, outputDim], {
      initializer: options.embeddingsInitializer ?? { uniform: 0.05 },
      regularizer: options.embeddingsRegularizer,
    });
    const y = gather(table, cast(clip(x, 0, inputDim - 1), "u32"));
    return maskZero && x.shape.length === 2 ? withMask(y, sub(1, equal(x, 0))) : y;
  });
}

export interface MaskingOptions extends LayerOptions {
  /** A step all of whose features are this is padding; default 0. */
  readonly maskValue?: number;
}

/** Masks padded steps: recurrent layers and attention skip them. x [batch, time, features] -> x, padding set to 0. */
export function masking(given?: MaskingOptions): Layer {
  const options = layerOptions<MaskingOptions>("masking", [], given);
  const { maskValue = 0 } = options;
  return layer("masking", options, (x) => {
    if (x.shape.length !== 3) {
      throw new TilegradError("E_SHAPE", `masking: got ${showType(x)}; expected [batch, time, features].`);
    }
    const mask = max(sub(1, equal(x, maskValue)), { axes: 2 });
    // The same values as a tensor of its own, so that the mask accompanies this output only.
    const y = maskValue === 0 ? { ...x } : mul(x, reshape(mask, [x.shape[0], x.shape[1], 1]));
    return withMask(y, mask);
  });
}
