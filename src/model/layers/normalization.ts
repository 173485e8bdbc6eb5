/** Batch, layer and group normalisation. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import { add, mul } from "../../ops/core/elementwise.ts";
import { batchNorm, batchNormInference, groupNorm, layerNorm } from "../../ops/norm/normalization.ts";
import { resolveAxis } from "../../ops/op.ts";
import type { OptionsOf } from "../../options.ts";
import { none } from "../../options.ts";
import { initializerKind } from "../initializers.ts";
import type { LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer, regularizerKind } from "../layer.ts";

const normalizationOptions = () => ({
  /** Added to the variance; default 1e-3. */
  epsilon: is.nonNegativeFinite,
  /** Learn offsets (beta); default true. */
  center: is.boolean,
  /** Learn factors (gamma); default true. */
  scale: is.boolean,
  /** Default zeros. */
  betaInitializer: initializerKind,
  /** Default ones. */
  gammaInitializer: initializerKind,
  /** Default none. */
  betaRegularizer: regularizerKind,
  /** Default none. */
  gammaRegularizer: regularizerKind,
});

interface NormalizationOptions extends OptionsOf<typeof normalizationOptions>, LayerOptions {}

const batchNormalizationOptions = () => ({
  /**
   * Keras's convention: moving = momentum * moving + (1 - momentum) * batch; PyTorch's is 1 minus that. Default 0.99.
   */
  momentum: is.share,
  /** Default zeros. */
  movingMeanInitializer: initializerKind,
  /** Default ones. */
  movingVarianceInitializer: initializerKind,
  ...normalizationOptions(),
});

export interface BatchNormalizationOptions extends OptionsOf<typeof batchNormalizationOptions>, LayerOptions {}

/**
 * Normalises each channel (the last axis) over the batch and all other axes. In training by the batch's mean and biased
 * variance, of which it keeps moving averages; otherwise, and when frozen (`trainable: false`), by those averages. The
 * moving variance is one of biased variances, as in Keras 3 (PyTorch's is of unbiased ones).
 */
export const batchNormalization = /* @__PURE__ */ defineLayer(
  "batchNormalization",
  batchNormalizationOptions,
  none,
  (options: BatchNormalizationOptions) => {
    const { momentum = 0.99, epsilon = 1e-3, trainable = true } = options;
    return (x, context) => {
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
    };
  },
);

const layerNormalizationOptions = () => ({
  /** The trailing axes to normalise over; default -1. */
  axis: is.numbers as Kind<number | readonly number[]>,
  ...normalizationOptions(),
});

export interface LayerNormalizationOptions extends OptionsOf<typeof layerNormalizationOptions>, LayerOptions {}

/** Normalises each example over its last axis or axes, whose shape gamma and beta have. */
export const layerNormalization = /* @__PURE__ */ defineLayer(
  "layerNormalization",
  layerNormalizationOptions,
  none,
  (options: LayerNormalizationOptions) => {
    const { epsilon = 1e-3, axis = -1 } = options;
    const listed = typeof axis === "number" ? [axis] : axis;
    return (x, context) => {
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
    };
  },
);

const groupNormalizationOptions = () => ({
  /** A divisor of the channels; -1: as many as there are channels (instance normalisation). Default 32. */
  groups: is.number,
  ...normalizationOptions(),
});

export interface GroupNormalizationOptions extends OptionsOf<typeof groupNormalizationOptions>, LayerOptions {}

/** Normalises each example over its pixels and each group of its channels (the last axis). */
export const groupNormalization = /* @__PURE__ */ defineLayer(
  "groupNormalization",
  groupNormalizationOptions,
  (groups?: number) => ({ groups }),
  (options: GroupNormalizationOptions) => {
    const { groups = 32, epsilon = 1e-3 } = options;
    return (x, context) => {
      const channels = x.shape[x.shape.length - 1];
      const { gamma, beta } = affineParameters(context, [channels], options);
      return groupNorm(x, { gamma, beta, epsilon, groups: groups === -1 ? channels : groups });
    };
  },
);

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
