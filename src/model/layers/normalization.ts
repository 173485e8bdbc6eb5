/** Batch, layer and group normalisation. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import { add, mul } from "../../ops/core/elementwise.ts";
import { batchNorm, batchNormInference, groupNorm, layerNorm } from "../../ops/norm/normalization.ts";
import { resolveAxis } from "../../ops/op.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerContext, LayerOptions, Regularizer } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

interface NormalizationOptions extends LayerOptions {
  /** Added to the variance; default 1e-3. */
  readonly epsilon?: number;
  /** Learn offsets (beta); default true. */
  readonly center?: boolean;
  /** Learn factors (gamma); default true. */
  readonly scale?: boolean;
  /** Default zeros. */
  readonly betaInitializer?: Initializer;
  /** Default ones. */
  readonly gammaInitializer?: Initializer;
  readonly betaRegularizer?: Regularizer;
  readonly gammaRegularizer?: Regularizer;
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /**
   * Keras's convention: moving = momentum * moving + (1 - momentum) * batch; PyTorch's is 1 minus that. Default 0.99.
   */
  readonly momentum?: number;
  /** Default zeros. */
  readonly movingMeanInitializer?: Initializer;
  /** Default ones. */
  readonly movingVarianceInitializer?: Initializer;
}

/**
 * Normalises each channel (the last axis) over the batch and all other axes. In training by the batch's mean and biased
 * variance, of which it keeps moving averages; otherwise, and when frozen (`trainable: false`), by those averages. The
 * moving variance is one of biased variances, as in Keras 3 (PyTorch's is of unbiased ones).
 */
export function batchNormalization(given?: BatchNormalizationOptions): Layer {
  const options = layerOptions<BatchNormalizationOptions>("batchNormalization", [], given);
  const { momentum = 0.99, epsilon = 1e-3, trainable = true } = options;
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new TilegradError("E_ARGUMENT", `batchNormalization: got momentum ${momentum}; expected [0, 1].`);
  }
  return layer("batchNormalization", options, (x, context) => {
    const channels = x.shape.slice(-1);
    const { gamma, beta } = affineParameters(context, channels, options);
    const movingMean = context.parameter("movingMean", channels, {
      initializer: options.movingMeanInitializer ?? "zeros",
      trainable: false,
    });
    const movingVariance = context.parameter("movingVariance", channels, {
      initializer: options.movingVarianceInitializer ?? "ones",
      trainable: false,
    });
    if (!context.training || !trainable) {
      return batchNormInference(x, { gamma, beta, epsilon, mean: movingMean, variance: movingVariance });
    }
    const { y, mean, variance } = batchNorm(x, { gamma, beta, epsilon });
    context.update(movingMean, add(mul(movingMean, momentum), mul(mean, 1 - momentum)));
    context.update(movingVariance, add(mul(movingVariance, momentum), mul(variance, 1 - momentum)));
    return y;
  });
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** The trailing axes to normalise over; default -1. */
  readonly axis?: number | readonly number[];
}

/** Normalises each example over its last axis or axes, whose shape gamma and beta have. */
export function layerNormalization(given?: LayerNormalizationOptions): Layer {
  const options = layerOptions<LayerNormalizationOptions>("layerNormalization", [], given);
  const { epsilon = 1e-3, axis = -1 } = options;
  const listed = typeof axis === "number" ? [axis] : axis;
  return layer("layerNormalization", options, (x, context) => {
    const rank = x.shape.length;
    const axes = listed.map((d) => resolveAxis("layerNormalization", d, rank)).sort((a, b) => a - b);
    if (axes.length === 0 || axes[0] === 0 || axes.some((d, k) => d !== rank - axes.length + k)) {
      throw new TilegradError(
        "E_ARGUMENT",
        `layerNormalization: got axis ${JSON.stringify(axis)}; expected trailing axes, not the batch.`,
      );
    }
    const { gamma, beta } = affineParameters(context, x.shape.slice(-axes.length), options);
    return layerNorm(x, { gamma, beta, epsilon, axes: axes.length });
  });
}

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** A divisor of the channels; -1: as many as there are channels (instance normalisation). Default 32. */
  readonly groups?: number;
}

/** Normalises each example over its pixels and each group of its channels (the last axis). */
export function groupNormalization(
  first?: number | GroupNormalizationOptions,
  rest?: Omit<GroupNormalizationOptions, "groups">,
): Layer {
  const options = layerOptions<GroupNormalizationOptions>("groupNormalization", ["groups"], first, rest);
  const { groups = 32, epsilon = 1e-3 } = options;
  return layer("groupNormalization", options, (x, context) => {
    const channels = x.shape[x.shape.length - 1];
    const { gamma, beta } = affineParameters(context, [channels], options);
    return groupNorm(x, { gamma, beta, epsilon, groups: groups === -1 ? channels : groups });
  });
}

function affineParameters(
  context: LayerContext,
  shape: readonly number[],
  { scale = true, center = true, ...options }: NormalizationOptions,
): { gamma: Tensor | null; beta: Tensor | null } {
  const gamma = scale
    ? context.parameter("gamma", shape, {
        initializer: options.gammaInitializer ?? "ones",
        regularizer: options.gammaRegularizer,
      })
    : null;
  const beta = center
    ? context.parameter("beta", shape, {
        initializer: options.betaInitializer ?? "zeros",
        regularizer: options.betaRegularizer,
      })
    : null;
  return { gamma, beta };
}
