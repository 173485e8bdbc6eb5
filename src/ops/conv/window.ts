/** Windows that slide over images: what convolution and pooling share. Images are NHWC. */
import { TilegradError } from "../../errors.ts";
import type { Attrs, TensorType } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";

/** One number for both axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

/**
 * `valid`: none. `same`: zeros so that output = ceil(input / stride), the odd one at the bottom and right (TensorFlow's
 * and ONNX's SAME_UPPER). Or [[top, bottom], [left, right]].
 */
export type Padding = "valid" | "same" | readonly [readonly [number, number], readonly [number, number]];

export const WINDOW_OPTIONS = {
  /** Default 1. */
  strides: is.numbers as Kind<Pair>,
  /** Default `valid`. */
  padding: is.anything as Kind<Padding>,
  /** Distance between neighbouring taps; 1, the default, is dense. */
  dilation: is.numbers as Kind<Pair>,
};

export interface WindowOptions extends OptionsOf<typeof WINDOW_OPTIONS> {}

/** The part of an op's attributes that describes its window, fully resolved. */
export interface WindowAttrs extends Attrs {
  readonly strides: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
}

/** A pair of positive integers. Throws `E_ARGUMENT`. */
export function pairOf(op: string, name: string, value: Pair): readonly [number, number] {
  const pair = typeof value === "number" ? ([value, value] as const) : value;
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `${op}: got ${name} ${JSON.stringify(value)}; expected one or two integers >= 1.`,
    );
  }
  return pair;
}

/** Options -> attributes, for an image of `size` [height, width] and a window of `window` taps. Throws `E_ARGUMENT`. */
export function resolveWindow(
  op: string,
  size: readonly number[],
  window: readonly number[],
  { strides = 1, padding = "valid", dilation = 1 }: WindowOptions,
): WindowAttrs {
  const step = pairOf(op, "strides", strides);
  const spread = pairOf(op, "dilation", dilation);
  const around = (axis: 0 | 1): readonly [number, number] => {
    if (padding === "valid") return [0, 0];
    if (padding !== "same") return padding[axis];
    const outputs = Math.ceil(size[axis] / step[axis]);
    const total = Math.max((outputs - 1) * step[axis] + extent(window[axis], spread[axis]) - size[axis], 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const known = padding === "valid" || padding === "same" || (Array.isArray(padding) && padding.length === 2);
  const resolved = known ? ([around(0), around(1)] as const) : null;
  if (!resolved?.every((p) => Array.isArray(p) && p.length === 2 && p.every((n) => Number.isInteger(n) && n >= 0))) {
    throw new TilegradError("E_ARGUMENT", `${op}: got padding ${JSON.stringify(padding)}.`, {
      hint: 'Use "valid", "same" or [[top, bottom], [left, right]] with integers >= 0.',
    });
  }
  return { strides: step, dilation: spread, padding: resolved };
}

/** Pixels that `taps` taps span. */
const extent = (taps: number, dilation: number): number => (taps - 1) * dilation + 1;

/** Positions of the window along an axis; below 1 when it does not fit. */
export function positions(
  size: number,
  taps: number,
  axis: 0 | 1,
  { strides, dilation, padding }: WindowAttrs,
): number {
  const room = size + padding[axis][0] + padding[axis][1] - extent(taps, dilation[axis]);
  return Math.floor(room / strides[axis]) + 1;
}

/** An image, the window's taps and its positions, as numbers. */
export interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly tapsY: number;
  readonly tapsX: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

export function geometryOf(x: TensorType, [tapsY, tapsX]: readonly number[], attrs: WindowAttrs): Geometry {
  const [batch, height, width, channels] = x.shape;
  const outHeight = positions(height, tapsY, 0, attrs);
  const outWidth = positions(width, tapsX, 1, attrs);
  return { batch, height, width, channels, tapsY, tapsX, outHeight, outWidth };
}

/**
 * Every real pixel under every window: `at` and `out` number pixels of the image and of the positions (over batch,
 * height and width), `tap` the window's cell. In the order of positions, then cells.
 */
export function eachTap(g: Geometry, attrs: WindowAttrs, visit: (at: number, tap: number, out: number) => void): void {
  const [strideY, strideX] = attrs.strides;
  const [dilationY, dilationX] = attrs.dilation;
  const [[top], [left]] = attrs.padding;
  let out = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++, out++) {
        for (let ky = 0; ky < g.tapsY; ky++) {
          const y = oy * strideY - top + ky * dilationY;
          if (y < 0 || y >= g.height) continue;
          for (let kx = 0; kx < g.tapsX; kx++) {
            const x = ox * strideX - left + kx * dilationX;
            if (x < 0 || x >= g.width) continue;
            visit((n * g.height + y) * g.width + x, ky * g.tapsX + kx, out);
          }
        }
      }
    }
  }
}
