/**
 * Noise in training and nothing otherwise. Every draw is a function of seed, step and place, the same on every device.
 */
import type { Tensor } from "../../graph/types.ts";
import { add, greaterEqual, mul, where } from "../../ops/core/elementwise.ts";
import { dropoutMask, randomNormal, randomUniform } from "../../ops/random/random.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

export interface RateOptions extends LayerOptions {
  /** Share of what is dropped, in [0, 1). */
  readonly rate: number;
}

type RateArguments = [first: number | RateOptions, rest?: LayerOptions];

function rated(
  type: string,
  given: RateArguments,
  drop: (x: Tensor, rate: number, context: LayerContext) => Tensor,
): Layer {
  const options = layerOptions<RateOptions>(type, ["rate"], ...given);
  const { rate } = options;
  return layer(type, options, (x, context) => (context.training && rate > 0 ? drop(x, rate, context) : x));
}

/**
 * Drops whole channels of each example, [batch, ..., channels]: neighbouring pixels or steps of one channel say much
 * the same, so dropping single ones would take little away (Tompson et al., 2015). Keras's SpatialDropout1D and 2D.
 */
export const spatialDropout = (...given: RateArguments): Layer =>
  rated("spatialDropout", given, (x, rate, context) => {
    const shape = x.shape.map((n, d) => (d === 0 || d === x.shape.length - 1 ? n : 1));
    return mul(x, dropoutMask(shape, rate, { stream: context.stream() }));
  });

/** -scale * alpha of the SELU activation: what its output tends to on the left. */
const SELU_FLOOR = -1.7580993408473766;

/**
 * Sets dropped elements to SELU's negative saturation, then scales and shifts so that mean 0 and variance 1 stay as
 * they are (Klambauer et al., "Self-normalizing neural networks", 2017).
 */
export const alphaDropout = (...given: RateArguments): Layer =>
  rated("alphaDropout", given, (x, rate, context) => {
    const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_FLOOR ** 2));
    const kept = greaterEqual(randomUniform(x.shape, { stream: context.stream() }), rate);
    return add(mul(where(kept, x, SELU_FLOOR), scale), -scale * SELU_FLOOR * rate);
  });

export interface GaussianNoiseOptions extends LayerOptions {
  /** Standard deviation of what is added, at least 0. */
  readonly stddev: number;
}

/** Adds normal noise of mean 0. */
export function gaussianNoise(
  first: number | GaussianNoiseOptions,
  rest?: Omit<GaussianNoiseOptions, "stddev">,
): Layer {
  const options = layerOptions<GaussianNoiseOptions>("gaussianNoise", ["stddev"], first, rest);
  const { stddev } = options;
  return layer("gaussianNoise", options, (x, context) =>
    context.training && stddev > 0 ? add(x, mul(randomNormal(x.shape, { stream: context.stream() }), stddev)) : x,
  );
}
