/** Layers that rearrange, enlarge, pad or crop, and have no parameters. */
import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { Pair } from "../../ops/conv/window.ts";
import { pad, slice } from "../../ops/core/slice.ts";
import { reshape, transpose } from "../../ops/core/view.ts";
import { upsample2d } from "../../ops/image/upsampling.ts";
import type { OptionsOf } from "../../options.ts";
import { show } from "../../options.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import { expectRank } from "../rank.ts";

const upSampling2dOptions = () => ({
  /** Factors along height and width; default 2. */
  size: is.numbers as Kind<Pair>,
  /** Default `nearest`. */
  interpolation: is.oneOf("nearest", "bilinear"),
});

export interface UpSampling2dOptions extends OptionsOf<typeof upSampling2dOptions>, LayerOptions {}

/** [batch, height, width, channels] -> [batch, height * size, width * size, channels] */
export const upSampling2d = /* @__PURE__ */ defineLayer(
  "upSampling2d",
  upSampling2dOptions,
  (size?: Pair) => ({ size }),
  (options: UpSampling2dOptions) => {
    const { size, interpolation } = options;
    return (x) => upsample2d(x, { size, interpolation });
  },
);

const upSampling1dOptions = () => ({
  /** How often each step is repeated; default 2. */
  size: is.positiveInteger,
});

export interface UpSampling1dOptions extends OptionsOf<typeof upSampling1dOptions>, LayerOptions {}

/** Repeats every step: [batch, time, features] -> [batch, time * size, features] */
export const upSampling1d = /* @__PURE__ */ defineLayer(
  "upSampling1d",
  upSampling1dOptions,
  (size?: number) => ({ size }),
  (options: UpSampling1dOptions) => {
    const { size = 2 } = options;
    return (x) => {
      const [batch, time, features] = expectRank("upSampling1d", x, 3);
      const y = upsample2d(reshape(x, [batch, 1, time, features]), { size: [1, size] });
      return reshape(y, [batch, time * size, features]);
    };
  },
);

/** The same on all sides, [vertical, horizontal], or [[top, bottom], [left, right]]; pixels. */
export type Sides =
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

const zeroPadding2dOptions = () => ({
  /** Default 1. */
  padding: is.anything as Kind<Sides>,
});

export interface ZeroPadding2dOptions extends OptionsOf<typeof zeroPadding2dOptions>, LayerOptions {}

/**
 * Zeros around images: [batch, height, width, channels] -> [batch, top + height + bottom, left + width + right,
 * channels]
 */
export const zeroPadding2d = /* @__PURE__ */ defineLayer(
  "zeroPadding2d",
  zeroPadding2dOptions,
  (padding?: Sides) => ({ padding }),
  (options: ZeroPadding2dOptions) => {
    const { padding = 1 } = options;
    const sides = sidesOf("zeroPadding2d", "padding", padding);
    return (x) => {
      expectRank("zeroPadding2d", x, 4);
      return pad(x, [[0, 0], ...sides, [0, 0]]);
    };
  },
);

/** The same at both ends, or [before, after]; steps. */
export type Ends = number | readonly [number, number];

const zeroPadding1dOptions = () => ({
  /** Default 1. */
  padding: is.numbers as Kind<Ends>,
});

export interface ZeroPadding1dOptions extends OptionsOf<typeof zeroPadding1dOptions>, LayerOptions {}

/** Zeros around sequences: [batch, time, features] -> [batch, before + time + after, features] */
export const zeroPadding1d = /* @__PURE__ */ defineLayer(
  "zeroPadding1d",
  zeroPadding1dOptions,
  (padding?: Ends) => ({ padding }),
  (options: ZeroPadding1dOptions) => {
    const { padding = 1 } = options;
    const ends = endsOf("zeroPadding1d", "padding", padding);
    return (x) => {
      expectRank("zeroPadding1d", x, 3);
      return pad(x, [[0, 0], ends, [0, 0]]);
    };
  },
);

const cropping1dOptions = () => ({
  /** Default 0. */
  cropping: is.numbers as Kind<Ends>,
});

export interface Cropping1dOptions extends OptionsOf<typeof cropping1dOptions>, LayerOptions {}

/** Cuts steps off: [batch, time, features] -> [batch, time - before - after, features] */
export const cropping1d = /* @__PURE__ */ defineLayer(
  "cropping1d",
  cropping1dOptions,
  (cropping?: Ends) => ({ cropping }),
  (options: Cropping1dOptions) => {
    const { cropping = 0 } = options;
    const [before, after] = endsOf("cropping1d", "cropping", cropping);
    return (x) => {
      const [batch, time, features] = expectRank("cropping1d", x, 3);
      const left = time - before - after;
      if (left < 1) {
        throw new TilegradError(
          "E_SHAPE",
          `cropping1d: got ${showType(x)}; cropping ${JSON.stringify([before, after])} leaves nothing.`,
        );
      }
      return slice(x, [0, before, 0], [batch, left, features]);
    };
  },
);

const cropping2dOptions = () => ({
  /** Default 0. */
  cropping: is.anything as Kind<Sides>,
});

export interface Cropping2dOptions extends OptionsOf<typeof cropping2dOptions>, LayerOptions {}

/**
 * Cuts the borders off: [batch, height, width, channels] -> [batch, height - top - bottom, width - left - right,
 * channels]
 */
export const cropping2d = /* @__PURE__ */ defineLayer(
  "cropping2d",
  cropping2dOptions,
  (cropping?: Sides) => ({ cropping }),
  (options: Cropping2dOptions) => {
    const { cropping = 0 } = options;
    const [rows, columns] = sidesOf("cropping2d", "cropping", cropping);
    return (x) => {
      const [batch, height, width, channels] = expectRank("cropping2d", x, 4);
      const size = [batch, height - rows[0] - rows[1], width - columns[0] - columns[1], channels];
      if (size[1] < 1 || size[2] < 1) {
        throw new TilegradError(
          "E_SHAPE",
          `cropping2d: got ${showType(x)}; cropping ${JSON.stringify([rows, columns])} leaves nothing.`,
        );
      }
      return slice(x, [0, rows[0], columns[0], 0], size);
    };
  },
);

const permuteOptions = () => ({
  /** The new order of the axes, counted from 1; the batch stays first. */
  dims: is.required(is.numberList),
});

export interface PermuteOptions extends OptionsOf<typeof permuteOptions>, LayerOptions {}

/** `permute([2, 1])`: [batch, a, b] -> [batch, b, a]. */
export const permute = /* @__PURE__ */ defineLayer(
  "permute",
  permuteOptions,
  (dims: readonly number[]) => ({ dims }),
  (options: PermuteOptions) => {
    const { dims } = options;
    if ([...dims].sort((a, b) => a - b).some((d, k) => d !== k + 1)) {
      throw new TilegradError(
        "E_ARGUMENT",
        `permute: got dims ${show(dims)}; expected each of 1 to ${dims.length} once.`,
      );
    }
    return (x) => {
      if (x.shape.length !== dims.length + 1) {
        throw new TilegradError(
          "E_SHAPE",
          `permute: got ${showType(x)}; expected ${dims.length} axes after the batch.`,
        );
      }
      return transpose(x, [0, ...dims]);
    };
  },
);

const isEnds = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((n) => Number.isInteger(n) && n >= 0);

const bothEnds = (value: Ends): readonly [number, number] => (typeof value === "number" ? [value, value] : value);

function endsOf(name: string, option: string, value: Ends): readonly [number, number] {
  const ends = bothEnds(value);
  if (isEnds(ends)) return ends;
  throw new TilegradError("E_ARGUMENT", `${name}: got ${option} ${show(value)}; expected integers >= 0.`, {
    hint: "Give one number, or [before, after].",
  });
}

function sidesOf(name: string, option: string, value: Sides): readonly (readonly [number, number])[] {
  const pair = (Array.isArray(value) ? value : [value, value]) as readonly Ends[];
  const sides = pair.map(bothEnds);
  if (sides.length === 2 && sides.every(isEnds)) return sides;
  throw new TilegradError("E_ARGUMENT", `${name}: got ${option} ${show(value)}; expected integers >= 0.`, {
    hint: "Give one number, [vertical, horizontal] or [[top, bottom], [left, right]].",
  });
}
