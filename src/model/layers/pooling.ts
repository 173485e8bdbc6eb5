/** Pooling over windows and over whole images or sequences. */
import type { Tensor } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { Padding, Pair } from "../../ops/conv/window.ts";
import { broadcastTo, sum } from "../../ops/core/broadcast.ts";
import { div, maximum, mul, where } from "../../ops/core/elementwise.ts";
import { reshape } from "../../ops/core/view.ts";
import { avgPool1d, avgPool2d, globalAvgPool, globalMaxPool, maxPool1d, maxPool2d } from "../../ops/pool/pool2d.ts";
import type { OptionsOf } from "../../options.ts";
import { none } from "../../options.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import { maskOf, withMask } from "../mask.ts";
import { expectRank } from "../rank.ts";

const pooling2dOptions = () => ({
  /** Default 2. */
  poolSize: is.numbers as Kind<Pair>,
  /** Default: poolSize. */
  strides: is.numbers as Kind<Pair>,
  /** Default `valid`. Padding is never the maximum, nor part of a mean. */
  padding: is.anything as Kind<Padding>,
});

export interface Pooling2dOptions extends OptionsOf<typeof pooling2dOptions>, LayerOptions {}

const pooling1dOptions = () => ({
  /** Default 2. */
  poolSize: is.positiveInteger,
  /** Default: poolSize. */
  strides: is.positiveInteger,
  /** Default `valid`. */
  padding: is.anything as Kind<"valid" | "same" | readonly [number, number]>,
});

export interface Pooling1dOptions extends OptionsOf<typeof pooling1dOptions>, LayerOptions {}

const pooling2d = (type: string, pool: typeof maxPool2d) =>
  defineLayer(
    type,
    pooling2dOptions,
    (poolSize?: Pair) => ({ poolSize }),
    ({ poolSize = 2, strides, padding }: Pooling2dOptions) =>
      (x) => {
        expectRank(type, x, 4);
        return pool(x, { poolSize, strides, padding });
      },
  );

/** The least f32, which any value of a step that counts is above. */
const LEAST = -3.4028234663852886e38;

/** [batch, time] as [batch, time, 1]. */
const perStep = (mask: Tensor): Tensor => reshape(mask, [...mask.shape, 1]);

/** Maxima over the steps that count; 0 where none does. `pool` takes [batch, time, channels]. */
function maskedMax(x: Tensor, mask: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  const kept = perStep(mask);
  const y = pool(where(broadcastTo(kept, x.shape), x, LEAST));
  return where(broadcastTo(pool(kept), y.shape), y, 0);
}

/** Means over the steps that count; 0 where none does. */
function maskedMean(x: Tensor, mask: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  const kept = perStep(mask);
  const share = pool(kept);
  return div(pool(mul(x, kept)), where(share, share, 1));
}

const pooling1d = (type: string, pool: typeof maxPool1d, masked: typeof maskedMax) =>
  defineLayer(
    type,
    pooling1dOptions,
    (poolSize?: number) => ({ poolSize }),
    ({ poolSize = 2, strides, padding }: Pooling1dOptions) =>
      (x) => {
        expectRank(type, x, 3);
        const over = (t: Tensor): Tensor => pool(t, { poolSize, strides, padding });
        const mask = maskOf(x);
        if (!mask) return over(x);
        // A window counts where any of its steps does.
        const kept = maxPool1d(perStep(mask), { poolSize, strides, padding });
        return withMask(masked(x, mask, over), reshape(kept, kept.shape.slice(0, 2)));
      },
  );

const globalPooling = (type: string, rank: 3 | 4, pool: (x: Tensor) => Tensor, masked?: typeof maskedMax) =>
  defineLayer(type, none, none, (_: LayerOptions) => (x) => {
    expectRank(type, x, rank);
    const mask = masked && maskOf(x);
    return masked && mask ? masked(x, mask, pool) : pool(x);
  });

/**
 * [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]; the first of equal maxima gets the
 * gradient.
 */
export const maxPooling2d = /* @__PURE__ */ pooling2d("maxPooling2d", maxPool2d);

/** [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]; means over real pixels only. */
export const averagePooling2d = /* @__PURE__ */ pooling2d("averagePooling2d", avgPool2d);

/** [batch, time, channels] -> [batch, outTime, channels] */
export const maxPooling1d = /* @__PURE__ */ pooling1d("maxPooling1d", maxPool1d, maskedMax);

/** [batch, time, channels] -> [batch, outTime, channels] */
export const averagePooling1d = /* @__PURE__ */ pooling1d("averagePooling1d", avgPool1d, maskedMean);

/** [batch, height, width, channels] -> [batch, channels] */
export const globalMaxPooling2d = /* @__PURE__ */ globalPooling("globalMaxPooling2d", 4, globalMaxPool);

/** [batch, height, width, channels] -> [batch, channels] */
export const globalAveragePooling2d = /* @__PURE__ */ globalPooling("globalAveragePooling2d", 4, globalAvgPool);

/** [batch, time, channels] -> [batch, channels], over the steps that count; 0 where none does. */
export const globalMaxPooling1d = /* @__PURE__ */ globalPooling("globalMaxPooling1d", 3, globalMaxPool, maskedMax);

/** [batch, time, channels] -> [batch, channels], over the steps that count; 0 where none does. */
export const globalAveragePooling1d = /* @__PURE__ */ globalPooling(
  "globalAveragePooling1d",
  3,
  globalAvgPool,
  (x, mask) => div(sum(mul(x, perStep(mask)), { axes: 1 }), maximum(sum(mask, { axes: 1, keepDims: true }), 1)),
);
