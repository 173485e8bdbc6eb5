/**
 * Images changed at random in training, each of a batch in its own way, and left alone otherwise. All is part of the
 * compiled step, and every draw a function of seed, step and place: the same on every device and after a resume.
 */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import { concat } from "../../ops/core/concat.ts";
import type { Operand } from "../../ops/core/elementwise.ts";
import {
  add,
  clip,
  cos,
  div,
  exp,
  greaterEqual,
  less,
  minimum,
  mul,
  sin,
  sqrt,
  sub,
  where,
} from "../../ops/core/elementwise.ts";
import { mean } from "../../ops/core/reduce.ts";
import { slice } from "../../ops/core/slice.ts";
import { coordinates } from "../../ops/image/coordinates.ts";
import type { GridSampleOptions } from "../../ops/image/gridSample.ts";
import { affineSample } from "../../ops/image/gridSample.ts";
import { showType } from "../../ops/op.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";
import type { Range } from "../random.ts";
import { between, rangeOf } from "../random.ts";

/** A layer that changes images x [batch, height, width, channels] in training. */
function augmenting(type: string, options: LayerOptions, change: (x: Tensor, context: LayerContext) => Tensor): Layer {
  return layer(type, options, (x, context) => {
    if (x.shape.length !== 4) {
      throw new TilegradError(
        "E_SHAPE",
        `${type}: got ${showType(x)}; expected an image [batch, height, width, channels].`,
      );
    }
    return context.training ? change(x, context) : x;
  });
}

/** A number for each image, as [batch, 1, 1, 1]. */
const perImage = (x: Tensor, range: Range, { stream }: LayerContext): Tensor =>
  between([x.shape[0], 1, 1, 1], range, { stream: stream() });

/** How pixels that move are read. */
export interface ResamplingOptions extends LayerOptions, GridSampleOptions {
  /** What is beyond the border with `fillMode: "constant"`; default 0. */
  readonly fillValue?: number;
}

function resample(
  x: Tensor,
  map: readonly Operand[],
  { fillValue = 0, interpolation, fillMode }: ResamplingOptions,
): Tensor {
  const sampling = { ...(interpolation && { interpolation }), ...(fillMode && { fillMode }) };
  if (fillMode !== "constant" || fillValue === 0) return affineSample(x, map, sampling);
  return add(affineSample(sub(x, fillValue), map, sampling), fillValue);
}

export interface RandomFlipOptions extends LayerOptions {
  /** Default `horizontalAndVertical`. */
  readonly mode?: "horizontal" | "vertical" | "horizontalAndVertical";
}

/** Mirrors each image with probability 1/2: left to right, upside down, or (independently) both. */
export function randomFlip(
  first?: RandomFlipOptions["mode"] | RandomFlipOptions,
  rest?: Omit<RandomFlipOptions, "mode">,
): Layer {
  const options = layerOptions<RandomFlipOptions>("randomFlip", ["mode"], first, rest);
  const { mode = "horizontalAndVertical" } = options;
  return augmenting("randomFlip", options, (x, context) => {
    const side = (): Tensor => where(less(perImage(x, [0, 1], context), 0.5), -1, 1);
    const across = mode === "vertical" ? 1 : side();
    const down = mode === "horizontal" ? 1 : side();
    return affineSample(x, [across, 0, 0, 0, down, 0], { interpolation: "nearest" });
  });
}

export interface RandomTranslationOptions extends ResamplingOptions {
  /** Share of the height to move by, down; a number f is [-f, f]. */
  readonly heightFactor: number | Range;
  /** Share of the width to move by, to the right. */
  readonly widthFactor: number | Range;
}

/** Moves each image. */
export function randomTranslation(given: RandomTranslationOptions): Layer {
  const options = layerOptions<RandomTranslationOptions>("randomTranslation", [], given);
  const down = rangeOf("randomTranslation", "heightFactor", options.heightFactor);
  const right = rangeOf("randomTranslation", "widthFactor", options.widthFactor);
  return augmenting("randomTranslation", options, (x, context) => {
    const [, height, width] = x.shape;
    const v = mul(perImage(x, down, context), -height);
    const u = mul(perImage(x, right, context), -width);
    return resample(x, [1, 0, u, 0, 1, v], options);
  });
}

export interface RandomRotationOptions extends ResamplingOptions {
  /** Share of a full turn, counter-clockwise; a number f is [-f, f]. */
  readonly factor: number | Range;
}

/** Turns each image about its centre. */
export function randomRotation(
  first: number | Range | RandomRotationOptions,
  rest?: Omit<RandomRotationOptions, "factor">,
): Layer {
  const options = layerOptions<RandomRotationOptions>("randomRotation", ["factor"], first, rest);
  const range = rangeOf("randomRotation", "factor", options.factor);
  return augmenting("randomRotation", options, (x, context) => {
    const angle = mul(perImage(x, range, context), 2 * Math.PI);
    const [c, s] = [cos(angle), sin(angle)];
    // Rows count downwards, so the map that looks back by the angle has this sign.
    return resample(x, [c, mul(s, -1), 0, s, c, 0], options);
  });
}

export interface RandomZoomOptions extends ResamplingOptions {
  /** 0.2 shows 20 % more of the height (zooms out), -0.2 less; at least -1; a number f is [-f, f]. */
  readonly heightFactor: number | Range;
  /** Likewise; default: as for the height, so that proportions stay. */
  readonly widthFactor?: number | Range;
}

/** Zooms each image about its centre. */
export function randomZoom(
  first: number | Range | RandomZoomOptions,
  rest?: Omit<RandomZoomOptions, "heightFactor">,
): Layer {
  const options = layerOptions<RandomZoomOptions>("randomZoom", ["heightFactor"], first, rest);
  const { heightFactor, widthFactor } = options;
  const vertical = rangeOf("randomZoom", "heightFactor", heightFactor, -1);
  const horizontal = widthFactor === undefined ? null : rangeOf("randomZoom", "widthFactor", widthFactor, -1);
  return augmenting("randomZoom", options, (x, context) => {
    const v = add(perImage(x, vertical, context), 1);
    const u = horizontal ? add(perImage(x, horizontal, context), 1) : v;
    return resample(x, [u, 0, 0, 0, v, 0], options);
  });
}

export interface PixelOptions extends LayerOptions {
  /** What pixels are limited to; default [0, 1]. */
  readonly valueRange?: Range;
}

export interface RandomBrightnessOptions extends PixelOptions {
  /** Added, as a share of the value range; a number f is [-f, f]. */
  readonly factor: number | Range;
}

/** Makes each image lighter or darker. */
export function randomBrightness(
  first: number | Range | RandomBrightnessOptions,
  rest?: Omit<RandomBrightnessOptions, "factor">,
): Layer {
  const options = layerOptions<RandomBrightnessOptions>("randomBrightness", ["factor"], first, rest);
  const range = rangeOf("randomBrightness", "factor", options.factor);
  const [low, high] = valueRange("randomBrightness", options);
  return augmenting("randomBrightness", options, (x, context) =>
    clip(add(x, mul(perImage(x, range, context), high - low)), low, high),
  );
}

export interface RandomContrastOptions extends PixelOptions {
  /** Contrast changes by 1 plus this; at least -1; a number f is [-f, f]. */
  readonly factor: number | Range;
}

/** Draws the pixels of each image and channel to their mean, or away from it. */
export function randomContrast(
  first: number | Range | RandomContrastOptions,
  rest?: Omit<RandomContrastOptions, "factor">,
): Layer {
  const options = layerOptions<RandomContrastOptions>("randomContrast", ["factor"], first, rest);
  const range = rangeOf("randomContrast", "factor", options.factor, -1);
  const [low, high] = valueRange("randomContrast", options);
  return augmenting("randomContrast", options, (x, context) =>
    clip(contrasted(x, add(perImage(x, range, context), 1)), low, high),
  );
}

/** Away from the mean of each image and channel, by a factor. */
function contrasted(x: Tensor, factor: Tensor): Tensor {
  const middle = mean(x, { axes: [1, 2], keepDims: true });
  return add(mul(sub(x, middle), factor), middle);
}

export interface RandomColorJitterOptions extends PixelOptions {
  /** As in randomBrightness; default 0. */
  readonly brightnessFactor?: number | Range;
  /** As in randomContrast; default 0. */
  readonly contrastFactor?: number | Range;
  /** Colours' distance from grey changes by 1 plus this; at least -1; default 0. */
  readonly saturationFactor?: number | Range;
  /** Share of a full turn of the colours about the grey axis; default 0. */
  readonly hueFactor?: number | Range;
}

/** Brightness, contrast, saturation and hue of RGB images, in this order; limited to the value range in the end. */
export function randomColorJitter(given?: RandomColorJitterOptions): Layer {
  const options = layerOptions<RandomColorJitterOptions>("randomColorJitter", [], given);
  const { brightnessFactor = 0, contrastFactor = 0, saturationFactor = 0, hueFactor = 0 } = options;
  const brightness = rangeOf("randomColorJitter", "brightnessFactor", brightnessFactor);
  const contrast = rangeOf("randomColorJitter", "contrastFactor", contrastFactor, -1);
  const saturation = rangeOf("randomColorJitter", "saturationFactor", saturationFactor, -1);
  const hue = rangeOf("randomColorJitter", "hueFactor", hueFactor);
  const [low, high] = valueRange("randomColorJitter", options);
  const none = ([a, b]: Range): boolean => a === 0 && b === 0;
  return augmenting("randomColorJitter", options, (x, context) => {
    if (x.shape[3] !== 3) {
      throw new TilegradError("E_SHAPE", `randomColorJitter: got ${showType(x)}; expected 3 channels (RGB).`, {
        hint: "Images of one channel have randomBrightness and randomContrast.",
      });
    }
    let y = x;
    if (!none(brightness)) y = add(y, mul(perImage(x, brightness, context), high - low));
    if (!none(contrast)) y = contrasted(y, add(perImage(x, contrast, context), 1));
    if (!none(saturation)) {
      const [r, g, b] = channels(y);
      // Luma of ITU-R BT.601.
      const grey = add(add(mul(r, 0.299), mul(g, 0.587)), mul(b, 0.114));
      y = add(mul(sub(y, grey), add(perImage(x, saturation, context), 1)), grey);
    }
    if (!none(hue)) y = turned(y, mul(perImage(x, hue, context), 2 * Math.PI));
    return clip(y, low, high);
  });
}

const channels = (x: Tensor): Tensor[] => [0, 1, 2].map((c) => slice(x, [0, 0, 0, c], [...x.shape.slice(0, 3), 1]));

/** Colours turned about the grey axis k = (1, 1, 1) / sqrt 3: x cos + (k x x) sin + k (k . x) (1 - cos) (Rodrigues). */
function turned(x: Tensor, angle: Tensor): Tensor {
  const [r, g, b] = channels(x);
  const across = mul(sub(concat([b, r, g], 3), concat([g, b, r], 3)), 1 / Math.sqrt(3));
  const grey = mul(add(add(r, g), b), 1 / 3);
  const c = cos(angle);
  return add(add(mul(x, c), mul(across, sin(angle))), mul(grey, sub(1, c)));
}

export interface RandomErasingOptions extends LayerOptions {
  /** Share of the images that lose a rectangle; default 1. */
  readonly factor?: number;
  /** Share of an image's area that goes; default [0.02, 0.33]. */
  readonly scale?: Range;
  /** Height by width of the rectangle, drawn on a logarithmic scale; default [0.3, 3.3]. */
  readonly ratio?: Range;
  /** What is put there; default 0. */
  readonly fillValue?: number;
}

/** Overwrites a rectangle of each image (Zhong et al. 2017; with squares, the cutout of DeVries and Taylor 2017). */
export function randomErasing(given?: RandomErasingOptions): Layer {
  const options = layerOptions<RandomErasingOptions>("randomErasing", [], given);
  const { factor = 1, scale = [0.02, 0.33], ratio = [0.3, 3.3], fillValue = 0 } = options;
  const area = rangeOf("randomErasing", "scale", scale, 0);
  const shape = rangeOf("randomErasing", "ratio", ratio, 0);
  if (!(factor >= 0 && factor <= 1) || area[1] > 1 || shape[0] === 0) {
    throw new TilegradError("E_ARGUMENT", `randomErasing: got factor ${factor}, scale [${area}], ratio [${shape}].`, {
      hint: "factor and scale are shares, in [0, 1]; ratio is above 0.",
    });
  }
  return augmenting("randomErasing", options, (x, context) => {
    const [, height, width] = x.shape;
    const erased = mul(perImage(x, area, context), height * width);
    const slant = exp(perImage(x, [Math.log(shape[0]), Math.log(shape[1])], context));
    const inside = (size: number, length: Tensor, axis: number): Tensor => {
      const long = minimum(length, size);
      const start = mul(perImage(x, [0, 1], context), sub(size, long));
      const middles = add(coordinates(x.shape, axis), 0.5);
      return mul(greaterEqual(middles, start), less(middles, add(start, long)));
    };
    const rows = inside(height, sqrt(mul(erased, slant)), 1);
    const columns = inside(width, sqrt(div(erased, slant)), 2);
    const chosen = less(perImage(x, [0, 1], context), factor);
    return where(mul(mul(rows, columns), chosen), fillValue, x);
  });
}

function valueRange(type: string, { valueRange: [low, high] = [0, 1] }: PixelOptions): Range {
  if (low < high && Number.isFinite(high - low)) return [low, high];
  throw new TilegradError(
    "E_ARGUMENT",
    `${type}: got valueRange [${low}, ${high}]; expected the smaller number first.`,
  );
}
