/** Decoded images of any size as pixels of one size, and as a table. */

import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import type { ImageSize } from "./pixels.ts";
import type { Column, Table } from "./table.ts";

/** Rows from the top, channels innermost: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** [height, width, channels] from 0 to `max`. */
  readonly data: ArrayLike<number>;
  /** White: 255, or 65535 with 16 bits. */
  readonly max: number;
}

const DECODED = {
  width: is.positiveInteger,
  height: is.positiveInteger,
  channels: is.positiveInteger,
  data: is.values,
  max: is.positive,
} as const;

/** Most pixels of an image that is read: 64 million. */
export const MAX_PIXELS = 2 ** 26;

/** Most numbers of an image as an input, each of which is a column: 1024x1024 in grey. */
const MAX_WIDTH = 2 ** 20;
/** Most numbers of all images of a table: 16 GiB. */
const MAX_NUMBERS = 2 ** 31;

/** Numbers of an image of that size, of which there are `rows`. @throws E_ARGUMENT for a size that no table takes */
export function imageWidth(size: ImageSize, rows: number): number {
  checkValue("image", "size", size, is.numberList);
  const numbers = size[0] * size[1] * size[2];
  const whole = size.every((n) => Number.isInteger(n) && n >= 1);
  if (whole && numbers <= MAX_WIDTH && numbers * rows <= MAX_NUMBERS) return numbers;
  const expected = `at most ${MAX_WIDTH} numbers an image and ${MAX_NUMBERS} in all`;
  throw new TilegradError("E_ARGUMENT", `image: got ${size.join("x")} for ${rows} images; expected ${expected}.`, {
    hint: "Bring them to a smaller size, such as 28x28.",
  });
}

/**
 * The image as [height, width, channels] from 0 to 255: transparency over white, grey by ITU-R BT.601's weights, and resized by a
 * triangle filter as wide as the step between pixels, which is bilinear where the image grows and averages where it shrinks.
 * Proportions are not kept.
 * @throws E_ARGUMENT; E_SHAPE for an image with less or more numbers than its size says
 */
export function resizeImage(image: DecodedImage, size: ImageSize): Float32Array {
  checkFields("resizeImage", image, DECODED, "an image, as decodeImage gives");
  const expected = image.width * image.height * image.channels;
  if (image.data.length !== expected) {
    throw new TilegradError("E_SHAPE", `resizeImage: got ${image.data.length} numbers; expected ${expected}.`, {
      hint: "data is [height, width, channels].",
    });
  }
  checkValue("resizeImage", "size", size, is.numberList);
  const [height, width, channels] = size;
  for (const [name, value] of Object.entries({ height, width, channels })) {
    checkValue("resizeImage", name, value, is.positiveInteger);
  }
  let pixels = convert(image, channels);
  pixels = resample(pixels, [image.height, image.width * channels], height);
  // Columns are rows of the transposed image, whose pixels lie together.
  pixels = transpose(pixels, [height, image.width, channels]);
  pixels = resample(pixels, [image.width, height * channels], width);
  return transpose(pixels, [width, height, channels]);
}

/** To 1 or 3 channels, from 0 to 255. @throws E_ARGUMENT for another number of channels */
function convert({ width, height, channels: from, data, max }: DecodedImage, to: number): Float32Array {
  if (to !== 1 && to !== 3) {
    throw new TilegradError("E_ARGUMENT", `image: got ${to} channels; expected 1 (grey) or 3 (RGB).`);
  }
  const pixels = new Float32Array(width * height * to);
  const [colours, transparent] = [from >= 3 ? 3 : 1, from === 2 || from === 4];
  for (let i = 0; i < width * height; i++) {
    const alpha = transparent ? data[i * from + colours] / max : 1;
    const shown = (colour: number): number => 255 * (1 - alpha + (alpha * data[i * from + (colour % colours)]) / max);
    if (to === 3) for (let colour = 0; colour < 3; colour++) pixels[i * 3 + colour] = shown(colour);
    else pixels[i] = colours === 1 ? shown(0) : 0.299 * shown(0) + 0.587 * shown(1) + 0.114 * shown(2);
  }
  return pixels;
}

/** x [rows, width] -> [to, width]. */
function resample(x: Float32Array, [rows, width]: readonly [number, number], to: number): Float32Array {
  if (rows === to) return x;
  const y = new Float32Array(to * width);
  const step = rows / to;
  const reach = Math.max(1, step);
  for (let row = 0; row < to; row++) {
    const centre = (row + 0.5) * step - 0.5;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(rows - 1, Math.floor(centre + reach));
    const weights = Array.from({ length: last - first + 1 }, (_, i) => 1 - Math.abs(first + i - centre) / reach);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of weights.entries()) {
      const share = weight / total;
      for (let at = 0; at < width; at++) y[row * width + at] += share * x[(first + i) * width + at];
    }
  }
  return y;
}

/** [a, b, c] -> [b, a, c] */
function transpose(x: Float32Array, [a, b, c]: readonly [number, number, number]): Float32Array {
  const y = new Float32Array(x.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) y[(j * a + i) * c + k] = x[(i * b + j) * c + k];
    }
  }
  return y;
}

const ARRAY_ROWS = {
  /** What errors call it. */
  name: is.required(is.string),
  /** Of the table. */
  rows: is.required(is.number),
  /** Numbers of each row. */
  width: is.required(is.number),
  /** [rows, width], row-major. */
  x: is.required(is.values),
  /** Columns of text, such as `label` and `file`. */
  texts: is.object as Kind<Readonly<Record<string, readonly string[]>>>,
};

/** Rows of numbers, with what is known of each. */
export interface ArrayRows extends OptionsOf<typeof ARRAY_ROWS> {}

/** A table with a column per number, p0, p1, ..., and the columns of text. @throws E_ARGUMENT */
export function tableFromArray(array: ArrayRows): Table {
  checkOptions("tableFromArray", array, ARRAY_ROWS);
  const { name, rows, width, x, texts = {} } = array;
  const pixels = Array.from({ length: width }, (_, column): Column => {
    const values = Float64Array.from({ length: rows }, (_, row) => x[row * width + column]);
    return { name: `p${column}`, kind: "numeric", values };
  });
  const named = Object.entries(texts).map(([column, cells]): Column => {
    const levels = [...new Set(cells)];
    const codes = new Map(levels.map((level, code) => [level, code]));
    return {
      name: column,
      kind: "categorical",
      levels,
      codes: Int32Array.from(cells, (cell) => codes.get(cell) ?? -1),
    };
  });
  return { name, rows, columns: [...pixels, ...named] };
}
