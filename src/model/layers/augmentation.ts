/**
 * Images changed at random in training, each of a batch in its own way, and left alone otherwise. All is part of the
 * compiled step, and every draw a function of seed, step and place: the same on every device and after a resume.
 */
import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
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
import { affineSample, gridSampleOptions } from "../../ops/image/gridSample.ts";
import type { OptionsOf } from "../../options.ts";
import { none } from "../../options.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import type { Range } from "../random.ts";
import { between, inTraining, rangeKind, rangeOf } from "../random.ts";

/** A layer that changes images in training. */
const augmenting = (type: string, change: Layer["call"]): Layer["call"] => inTraining(type, 4, change);

/** A number for each image, as [batch, 1, 1, 1]. */
const perImage = (x: Tensor, range: Range, { stream }: LayerContext): Tensor =>
  between([x.shape[0], 1, 1, 1], range, { stream: stream() });

const resamplingOptions = () => ({
  /** What is beyond the border with `fillMode: "constant"`; default 0. */
  fillValue: is.finite,
  ...gridSampleOptions(),
});

/** How pixels that move are read. */
export interface ResamplingOptions extends OptionsOf<typeof resamplingOptions>, LayerOptions {}

function resample(
  x: Tensor,
  map: readonly Operand[],
  { fillValue = 0, interpolation, fillMode }: ResamplingOptions,
): Tensor {
  const sampling = { ...(interpolation && { interpolation }), ...(fillMode && { fillMode }) };
  if (fillMode !== "constant" || fillValue === 0) return affineSample(x, map, sampling);
  return add(affineSample(sub(x, fillValue), map, sampling), fillValue);
}

const randomFlipOptions = () => ({
  /** Default `horizontalAndVertical`. */
  mode: is.oneOf("horizontal", "vertical", "horizontalAndVertical"),
});

export interface RandomFlipOptions extends OptionsOf<typeof randomFlipOptions>, LayerOptions {}

/** Mirrors each image with probability 1/2: left to right, upside down, or (independently) both. */
export const randomFlip = /* @__PURE__ */ defineLayer(
  "randomFlip",
  randomFlipOptions,
  (mode?: RandomFlipOptions["mode"]) => ({ mode }),
  (options: RandomFlipOptions) => {
    const { mode = "horizontalAndVertical" } = options;
    return augmenting("randomFlip", (x, context) => {
      const side = (): Tensor => where(less(perImage(x, [0, 1], context), 0.5), -1, 1);
      const across = mode === "vertical" ? 1 : side();
      const down = mode === "horizontal" ? 1 : side();
      return affineSample(x, [across, 0, 0, 0, down, 0], { interpolation: "nearest" });
    });
  },
);

const randomTranslationOptions = () => ({
  /** Share of the height to move by, down; a number f is [-f, f]. */
  heightFactor: is.required(rangeKind),
  /** Share of the width to move by, to the right. */
  widthFactor: is.required(rangeKind),
  ...resamplingOptions(),
});

export interface RandomTranslationOptions extends OptionsOf<typeof randomTranslationOptions>, LayerOptions {}

/** Moves each image. */
export const randomTranslation = /* @__PURE__ */ defineLayer(
  "randomTranslation",
  randomTranslationOptions,
  none,
  (options: RandomTranslationOptions) => {
    const down = rangeOf("randomTranslation", "heightFactor", options.heightFactor);
    const right = rangeOf("randomTranslation", "widthFactor", options.widthFactor);
    return augmenting("randomTranslation", (x, context) => {
      const [, height, width] = x.shape;
      const v = mul(perImage(x, down, context), -height);
      const u = mul(perImage(x, right, context), -width);
      return resample(x, [1, 0, u, 0, 1, v], options);
    });
  },
);

const randomRotationOptions = () => ({
  /** Share of a full turn, counter-clockwise; a number f is [-f, f]. */
  factor: is.required(rangeKind),
  ...resamplingOptions(),
});

export interface RandomRotationOptions extends OptionsOf<typeof randomRotationOptions>, LayerOptions {}

/** Turns each image about its centre. */
export const randomRotation = /* @__PURE__ */ defineLayer(
  "randomRotation",
  randomRotationOptions,
  (factor: number | Range) => ({ factor }),
  (options: RandomRotationOptions) => {
    const range = rangeOf("randomRotation", "factor", options.factor);
    return augmenting("randomRotation", (x, context) => {
      const angle = mul(perImage(x, range, context), 2 * Math.PI);
      const [c, s] = [cos(angle), sin(angle)];
      // Rows count downwards, so the map that looks back by the angle has this sign.
      return resample(x, [c, mul(s, -1), 0, s, c, 0], options);
    });
  },
);

const randomZoomOptions = () => ({
  /** 0.2 shows 20 % more of the height (zooms out), -0.2 less; at least -1; a number f is [-f, f]. */
  heightFactor: is.required(rangeKind),
  /** Likewise; default: as for the height, so that proportions stay. */
  widthFactor: rangeKind,
  ...resamplingOptions(),
});

export interface RandomZoomOptions extends OptionsOf<typeof randomZoomOptions>, LayerOptions {}

/** Zooms each image about its centre. */
export const randomZoom = /* @__PURE__ */ defineLayer(
  "randomZoom",
  randomZoomOptions,
  (heightFactor: number | Range) => ({ heightFactor }),
  (options: RandomZoomOptions) => {
    const { heightFactor, widthFactor } = options;
    const vertical = rangeOf("randomZoom", "heightFactor", heightFactor, -1);
    const horizontal = widthFactor === undefined ? null : rangeOf("randomZoom", "widthFactor", widthFactor, -1);
    return augmenting("randomZoom", (x, context) => {
      const v = add(perImage(x, vertical, context), 1);
      const u = horizontal ? add(perImage(x, horizontal, context), 1) : v;
      return resample(x, [u, 0, 0, 0, v, 0], options);
    });
  },
);

const pixelOptions = () => ({
  /** What pixels are limited to; default [0, 1]. */
  valueRange: is.numberList as Kind<Range>,
});

export interface PixelOptions extends OptionsOf<typeof pixelOptions>, LayerOptions {}

const randomBrightnessOptions = () => ({
  /** Added, as a share of the value range; a number f is [-f, f]. */
  factor: is.required(rangeKind),
  ...pixelOptions(),
});

export interface RandomBrightnessOptions extends OptionsOf<typeof randomBrightnessOptions>, LayerOptions {}

/** Makes each image lighter or darker. */
export const randomBrightness = /* @__PURE__ */ defineLayer(
  "randomBrightness",
  randomBrightnessOptions,
  (factor: number | Range) => ({ factor }),
  (options: RandomBrightnessOptions) => {
    const range = rangeOf("randomBrightness", "factor", options.factor);
    const [low, high] = valueRange("randomBrightness", options);
    return augmenting("randomBrightness", (x, context) =>
      clip(add(x, mul(perImage(x, range, context), high - low)), low, high),
    );
  },
);

const randomContrastOptions = () => ({
  /** Contrast changes by 1 plus this; at least -1; a number f is [-f, f]. */
  factor: is.required(rangeKind),
  ...pixelOptions(),
});

export interface RandomContrastOptions extends OptionsOf<typeof randomContrastOptions>, LayerOptions {}

/** Draws the pixels of each image and channel to their mean, or away from it. */
export const randomContrast = /* @__PURE__ */ defineLayer(
  "randomContrast",
  randomContrastOptions,
  (factor: number | Range) => ({ factor }),
  (options: RandomContrastOptions) => {
    const range = rangeOf("randomContrast", "factor", options.factor, -1);
    const [low, high] = valueRange("randomContrast", options);
    return augmenting("randomContrast", (x, context) =>
      clip(contrasted(x, add(perImage(x, range, context), 1)), low, high),
    );
  },
);

/** Away from the mean of each image and channel, by a factor. */
function contrasted(x: Tensor, factor: Tensor): Tensor {
  const middle = mean(x, { axes: [1, 2], keepDims: true });
  return add(mul(sub(x, middle), factor), middle);
}

const randomColorJitterOptions = () => ({
  /** As in randomBrightness; default 0. */
  brightnessFactor: rangeKind,
  /** As in randomContrast; default 0. */
  contrastFactor: rangeKind,
  /** Colours' distance from grey changes by 1 plus this; at least -1; default 0. */
  saturationFactor: rangeKind,
  /** Share of a full turn of the colours about the grey axis; default 0. */
  hueFactor: rangeKind,
  ...pixelOptions(),
});

export interface RandomColorJitterOptions extends OptionsOf<typeof randomColorJitterOptions>, LayerOptions {}

/** Brightness, contrast, saturation and hue of RGB images, in this order; limited to the value range in the end. */
export const randomColorJitter = /* @__PURE__ */ defineLayer(
  "randomColorJitter",
  randomColorJitterOptions,
  none,
  (options: RandomColorJitterOptions) => {
    const { brightnessFactor = 0, contrastFactor = 0, saturationFactor = 0, hueFactor = 0 } = options;
    const brightness = rangeOf("randomColorJitter", "brightnessFactor", brightnessFactor);
    const contrast = rangeOf("randomColorJitter", "contrastFactor", contrastFactor, -1);
    const saturation = rangeOf("randomColorJitter", "saturationFactor", saturationFactor, -1);
    const hue = rangeOf("randomColorJitter", "hueFactor", hueFactor);
    const [low, high] = valueRange("randomColorJitter", options);
    const none = ([a, b]: Range): boolean => a === 0 && b === 0;
    return augmenting("randomColorJitter", (x, context) => {
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
  },
);

const channels = (x: Tensor): Tensor[] => [0, 1, 2].map((c) => slice(x, [0, 0, 0, c], [...x.shape.slice(0, 3), 1]));

/** Colours turned about the grey axis k = (1, 1, 1) / sqrt 3: x cos + (k x x) sin + k (k . x) (1 - cos) (Rodrigues). */
function turned(x: Tensor, angle: Tensor): Tensor {
  const [r, g, b] = channels(x);
  const across = mul(sub(concat([b, r, g], 3), concat([g, b, r], 3)), 1 / Math.sqrt(3));
  const grey = mul(add(add(r, g), b), 1 / 3);
  const c = cos(angle);
  return add(add(mul(x, c), mul(across, sin(angle))), mul(grey, sub(1, c)));
}

const randomErasingOptions = () => ({
  /** Share of the images that lose a rectangle; default 1. */
  factor: is.share,
  /** Share of an image's area that goes; default [0.02, 0.33]. */
  scale: is.numberList as Kind<Range>,
  /** Height by width of the rectangle, drawn on a logarithmic scale; default [0.3, 3.3]. */
  ratio: is.numberList as Kind<Range>,
  /** What is put there; default 0. */
  fillValue: is.finite,
});

export interface RandomErasingOptions extends OptionsOf<typeof randomErasingOptions>, LayerOptions {}

/** Overwrites a rectangle of each image (Zhong et al. 2017; with squares, the cutout of DeVries and Taylor 2017). */
export const randomErasing = /* @__PURE__ */ defineLayer(
  "randomErasing",
  randomErasingOptions,
  none,
  (options: RandomErasingOptions) => {
    const { factor = 1, scale = [0.02, 0.33], ratio = [0.3, 3.3], fillValue = 0 } = options;
    const area = rangeOf("randomErasing", "scale", scale, 0);
    const shape = rangeOf("randomErasing", "ratio", ratio, 0);
    if (!(factor >= 0 && factor <= 1) || area[1] > 1 || shape[0] === 0) {
      throw new TilegradError("E_ARGUMENT", `randomErasing: got factor ${factor}, scale [${area}], ratio [${shape}].`, {
        hint: "factor and scale are shares, in [0, 1]; ratio is above 0.",
      });
    }
    return augmenting("randomErasing", (x, context) => {
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
  },
);

function valueRange(type: string, { valueRange: [low, high] = [0, 1] }: PixelOptions): Range {
  if (low < high && Number.isFinite(high - low)) return [low, high];
  throw new TilegradError(
    "E_ARGUMENT",
    `${type}: got valueRange [${low}, ${high}]; expected the smaller number first.`,
  );
}
