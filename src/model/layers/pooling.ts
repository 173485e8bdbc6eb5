/** Pooling over windows and over whole images or sequences. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Padding, Pair } from "../../ops/conv/window.ts";
import { showType } from "../../ops/op.ts";
import { avgPool1d, avgPool2d, globalAvgPool, globalMaxPool, maxPool1d, maxPool2d } from "../../ops/pool/pool2d.ts";
import type { Layer, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

export interface Pooling2dOptions extends LayerOptions {
  /** Default 2. */
  readonly poolSize?: Pair;
  /** Default: poolSize. */
  readonly strides?: Pair;
  /** Default `valid`. Padding is never the maximum, nor part of a mean. */
  readonly padding?: Padding;
}

export interface Pooling1dOptions extends LayerOptions {
  /** Default 2. */
  readonly poolSize?: number;
  /** Default: poolSize. */
  readonly strides?: number;
  /** Default `valid`. */
  readonly padding?: "valid" | "same" | readonly [number, number];
}

type Pool2d = (x: Tensor, options: { poolSize: Pair; strides?: Pair; padding?: Padding }) => Tensor;
type Pool1d = (
  x: Tensor,
  options: { poolSize: number; strides?: number; padding?: Pooling1dOptions["padding"] },
) => Tensor;

function expectRank(type: string, x: Tensor, rank: number): void {
  if (x.shape.length === rank) return;
  const expected = rank === 4 ? "an image [batch, height, width, channels]" : "a sequence [batch, time, channels]";
  throw new TilegradError("E_SHAPE", `${type}: got ${showType(x)}; expected ${expected}.`);
}

type Pooling2dArguments = [first?: Pair | Pooling2dOptions, rest?: Omit<Pooling2dOptions, "poolSize">];

function pooling2d(type: string, pool: Pool2d, given: Pooling2dArguments): Layer {
  const options = layerOptions<Pooling2dOptions>(type, ["poolSize"], ...given);
  const { poolSize = 2, strides, padding } = options;
  return layer(type, options, (x) => {
    expectRank(type, x, 4);
    return pool(x, { poolSize, strides, padding });
  });
}

type Pooling1dArguments = [first?: number | Pooling1dOptions, rest?: Omit<Pooling1dOptions, "poolSize">];

function pooling1d(type: string, pool: Pool1d, given: Pooling1dArguments): Layer {
  const options = layerOptions<Pooling1dOptions>(type, ["poolSize"], ...given);
  const { poolSize = 2, strides, padding } = options;
  return layer(type, options, (x) => {
    expectRank(type, x, 3);
    return pool(x, { poolSize, strides, padding });
  });
}

function globalPooling(type: string, rank: number, pool: (x: Tensor) => Tensor, options?: LayerOptions): Layer {
  return layer(type, layerOptions(type, [], options), (x) => {
    expectRank(type, x, rank);
    return pool(x);
  });
}

/**
 * [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]; the first of equal maxima gets the
 * gradient.
 */
export const maxPooling2d = (...given: Pooling2dArguments): Layer => pooling2d("maxPooling2d", maxPool2d, given);

/** [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]; means over real pixels only. */
export const averagePooling2d = (...given: Pooling2dArguments): Layer =>
  pooling2d("averagePooling2d", avgPool2d, given);

/** [batch, time, channels] -> [batch, outTime, channels] */
export const maxPooling1d = (...given: Pooling1dArguments): Layer => pooling1d("maxPooling1d", maxPool1d, given);

/** [batch, time, channels] -> [batch, outTime, channels] */
export const averagePooling1d = (...given: Pooling1dArguments): Layer =>
  pooling1d("averagePooling1d", avgPool1d, given);

/** [batch, height, width, channels] -> [batch, channels] */
export const globalMaxPooling2d = (options?: LayerOptions): Layer =>
  globalPooling("globalMaxPooling2d", 4, globalMaxPool, options);

/** [batch, height, width, channels] -> [batch, channels] */
export const globalAveragePooling2d = (options?: LayerOptions): Layer =>
  globalPooling("globalAveragePooling2d", 4, globalAvgPool, options);

/** [batch, time, channels] -> [batch, channels] */
export const globalMaxPooling1d = (options?: LayerOptions): Layer =>
  globalPooling("globalMaxPooling1d", 3, globalMaxPool, options);

/** [batch, time, channels] -> [batch, channels] */
export const globalAveragePooling1d = (options?: LayerOptions): Layer =>
  globalPooling("globalAveragePooling1d", 3, globalAvgPool, options);
