/**
 * Noise in training and nothing otherwise. Every draw is a function of seed, step and place, the same on every device.
 */
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { add, greaterEqual, mul, where } from "../../ops/core/elementwise.ts";
import { dropoutMask, randomNormal, randomUniform } from "../../ops/random/random.ts";
import type { OptionsOf } from "../../options.ts";
import type { LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";

const rateOptions = () => ({
  /** Share of what is dropped, in [0, 1). */
  rate: is.required(is.fraction),
});

export interface RateOptions extends OptionsOf<typeof rateOptions>, LayerOptions {}

const rated = (type: string, drop: (x: Tensor, rate: number, context: LayerContext) => Tensor) =>
  defineLayer(
    type,
    rateOptions,
    (rate: number) => ({ rate }),
    ({ rate }: RateOptions) =>
      (x, context) =>
        context.training && rate > 0 ? drop(x, rate, context) : x,
  );

/**
 * Drops whole channels of each example, [batch, ..., channels]: neighbouring pixels or steps of one channel say much
 * the same, so dropping single ones would take little away (Tompson et al., 2015). Keras's SpatialDropout1D and 2D.
 */
export const spatialDropout = /* @__PURE__ */ rated("spatialDropout", (x, rate, context) => {
  const shape = x.shape.map((n, d) => (d === 0 || d === x.shape.length - 1 ? n : 1));
  return mul(x, dropoutMask(shape, rate, { stream: context.stream() }));
});

/** -scale * alpha of the SELU activation: what its output tends to on the left. */
const SELU_FLOOR = -1.7580993408473766;

/**
 * Sets dropped elements to SELU's negative saturation, then scales and shifts so that mean 0 and variance 1 stay as
 * they are (Klambauer et al., "Self-normalizing neural networks", 2017).
 */
export const alphaDropout = /* @__PURE__ */ rated("alphaDropout", (x, rate, context) => {
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_FLOOR ** 2));
  const kept = greaterEqual(randomUniform(x.shape, { stream: context.stream() }), rate);
  return add(mul(where(kept, x, SELU_FLOOR), scale), -scale * SELU_FLOOR * rate);
});

const gaussianNoiseOptions = () => ({
  /** Standard deviation of what is added, at least 0. */
  stddev: is.required(is.nonNegativeFinite),
});

export interface GaussianNoiseOptions extends OptionsOf<typeof gaussianNoiseOptions>, LayerOptions {}

/** Adds normal noise of mean 0. */
export const gaussianNoise = /* @__PURE__ */ defineLayer(
  "gaussianNoise",
  gaussianNoiseOptions,
  (stddev: number) => ({ stddev }),
  ({ stddev }: GaussianNoiseOptions) =>
    (x, context) =>
      context.training && stddev > 0 ? add(x, mul(randomNormal(x.shape, { stream: context.stream() }), stddev)) : x,
);
