/** Layers that rearrange, enlarge, pad or crop, and have no parameters. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Pair } from "../../ops/conv/window.ts";
import { pad, slice } from "../../ops/core/slice.ts";
import { reshape, transpose } from "../../ops/core/view.ts";
import { upsample2d } from "../../ops/image/upsampling.ts";
import { showType } from "../../ops/op.ts";
import { show } from "../../options.ts";
import type { Layer, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

export interface UpSampling2dOptions extends LayerOptions {
  /** Factors along height and width; default 2. */
  readonly size?: Pair;
  /** Default `nearest`. */
  readonly interpolation?: "nearest" | "bilinear";
}

/** [batch, height, width, channels] -> [batch, height * size, width * size, channels] */
export function upSampling2d(first?: Pair | UpSampling2dOptions, rest?: Omit<UpSampling2dOptions, "size">): Layer {
  const options = layerOptions<UpSampling2dOptions>("upSampling2d", ["size"], first, rest);
  const { size, interpolation } = options;
  return layer("upSampling2d", options, (x) => upsample2d(x, { size, interpolation }));
}

export interface UpSampling1dOptions extends LayerOptions {
  /** How often each step is repeated; default 2. */
  readonly size?: number;
}

/** Repeats every step: [batch, time, features] -> [batch, time * size, features] */
export function upSampling1d(first?: number | UpSampling1dOptions, rest?: Omit<UpSampling1dOptions, "size">): Layer {
  const options = layerOptions<UpSampling1dOptions>("upSampling1d", ["size"], first, rest);
  const { size = 2 } = options;
  return layer("upSampling1d", options, (x) => {
    const [batch, time, features] = sequenceShape("upSampling1d", x);
    const y = upsample2d(reshape(x, [batch, 1, time, features]), { size: [1, size] });
    return reshape(y, [batch, time * size, features]);
  });
}

/** The same on all sides, [vertical, horizontal], or [[top, bottom], [left, right]]; pixels. */
export type Sides =
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

export interface ZeroPadding2dOptions extends LayerOptions {
  /** Default 1. */
  readonly padding?: Sides;
}

/**
 * Zeros around images: [batch, height, width, channels] -> [batch, top + height + bottom, left + width + right,
 * channels]
 */
export function zeroPadding2d(
  first?: Sides | ZeroPadding2dOptions,
  rest?: Omit<ZeroPadding2dOptions, "padding">,
): Layer {
  const options = layerOptions<ZeroPadding2dOptions>("zeroPadding2d", ["padding"], first, rest);
  const { padding = 1 } = options;
  const sides = sidesOf("zeroPadding2d", "padding", padding);
  return layer("zeroPadding2d", options, (x) => {
    expectImage("zeroPadding2d", x);
    return pad(x, [[0, 0], ...sides, [0, 0]]);
  });
}

/** The same at both ends, or [before, after]; steps. */
export type Ends = number | readonly [number, number];

export interface ZeroPadding1dOptions extends LayerOptions {
  /** Default 1. */
  readonly padding?: Ends;
}

/** Zeros around sequences: [batch, time, features] -> [batch, before + time + after, features] */
export function zeroPadding1d(
  first?: Ends | ZeroPadding1dOptions,
  rest?: Omit<ZeroPadding1dOptions, "padding">,
): Layer {
  const options = layerOptions<ZeroPadding1dOptions>("zeroPadding1d", ["padding"], first, rest);
  const { padding = 1 } = options;
  const ends = endsOf("zeroPadding1d", "padding", padding);
  return layer("zeroPadding1d", options, (x) => {
    sequenceShape("zeroPadding1d", x);
    return pad(x, [[0, 0], ends, [0, 0]]);
  });
}

export interface Cropping1dOptions extends LayerOptions {
  /** Default 0. */
  readonly cropping?: Ends;
}

/** Cuts steps off: [batch, time, features] -> [batch, time - before - after, features] */
export function cropping1d(first?: Ends | Cropping1dOptions, rest?: Omit<Cropping1dOptions, "cropping">): Layer {
  const options = layerOptions<Cropping1dOptions>("cropping1d", ["cropping"], first, rest);
  const { cropping = 0 } = options;
  const [before, after] = endsOf("cropping1d", "cropping", cropping);
  return layer("cropping1d", options, (x) => {
    const [batch, time, features] = sequenceShape("cropping1d", x);
    const left = time - before - after;
    if (left < 1) {
      throw new TilegradError(
        "E_SHAPE",
        `cropping1d: got ${showType(x)}; cropping ${JSON.stringify([before, after])} leaves nothing.`,
      );
    }
    return slice(x, [0, before, 0], [batch, left, features]);
  });
}

export interface Cropping2dOptions extends LayerOptions {
  /** Default 0. */
  readonly cropping?: Sides;
}

/**
 * Cuts the borders off: [batch, height, width, channels] -> [batch, height - top - bottom, width - left - right,
 * channels]
 */
export function cropping2d(first?: Sides | Cropping2dOptions, rest?: Omit<Cropping2dOptions, "cropping">): Layer {
  const options = layerOptions<Cropping2dOptions>("cropping2d", ["cropping"], first, rest);
  const { cropping = 0 } = options;
  const [rows, columns] = sidesOf("cropping2d", "cropping", cropping);
  return layer("cropping2d", options, (x) => {
    expectImage("cropping2d", x);
    const [batch, height, width, channels] = x.shape;
    const size = [batch, height - rows[0] - rows[1], width - columns[0] - columns[1], channels];
    if (size[1] < 1 || size[2] < 1) {
      throw new TilegradError(
        "E_SHAPE",
        `cropping2d: got ${showType(x)}; cropping ${JSON.stringify([rows, columns])} leaves nothing.`,
      );
    }
    return slice(x, [0, rows[0], columns[0], 0], size);
  });
}

export interface PermuteOptions extends LayerOptions {
  /** The new order of the axes, counted from 1; the batch stays first. */
  readonly dims: readonly number[];
}

/** `permute([2, 1])`: [batch, a, b] -> [batch, b, a]. */
export function permute(first: readonly number[] | PermuteOptions, rest?: Omit<PermuteOptions, "dims">): Layer {
  const options = layerOptions<PermuteOptions>("permute", ["dims"], first, rest);
  const { dims } = options;
  if ([...dims].sort((a, b) => a - b).some((d, k) => d !== k + 1)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `permute: got dims ${show(dims)}; expected each of 1 to ${dims.length} once.`,
    );
  }
  return layer("permute", options, (x) => {
    if (x.shape.length !== dims.length + 1) {
      throw new TilegradError("E_SHAPE", `permute: got ${showType(x)}; expected ${dims.length} axes after the batch.`);
    }
    return transpose(x, [0, ...dims]);
  });
}

function endsOf(name: string, option: string, value: Ends): readonly [number, number] {
  const ends = typeof value === "number" ? ([value, value] as const) : value;
  if (ends.length === 2 && ends.every((n) => Number.isInteger(n) && n >= 0)) return ends;
  throw new TilegradError("E_ARGUMENT", `${name}: got ${option} ${show(value)}; expected integers >= 0.`, {
    hint: "Give one number, or [before, after].",
  });
}

function sequenceShape(type: string, x: Tensor): readonly number[] {
  if (x.shape.length === 3) return x.shape;
  throw new TilegradError("E_SHAPE", `${type}: got ${showType(x)}; expected a sequence [batch, time, features].`);
}

function sidesOf(name: string, option: string, value: Sides): readonly (readonly [number, number])[] {
  const pair = (Array.isArray(value) ? value : [value, value]) as readonly Ends[];
  const sides = pair.map((side) => (typeof side === "number" ? ([side, side] as const) : side));
  const fits =
    sides.length === 2 &&
    sides.every((s) => Array.isArray(s) && s.length === 2 && s.every((n) => Number.isInteger(n) && n >= 0));
  if (!fits) {
    throw new TilegradError("E_ARGUMENT", `${name}: got ${option} ${show(value)}; expected integers >= 0.`, {
      hint: "Give one number, [vertical, horizontal] or [[top, bottom], [left, right]].",
    });
  }
  return sides;
}

function expectImage(type: string, x: Tensor): void {
  if (x.shape.length !== 4) {
    throw new TilegradError(
      "E_SHAPE",
      `${type}: got ${showType(x)}; expected an image [batch, height, width, channels].`,
    );
  }
}
