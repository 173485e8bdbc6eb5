/** PNG and JPEG files, and folders of them, one subfolder for each label. */

import { readdir } from "node:fs/promises";
import path from "node:path";
import type { ImageFolderOptions } from "../data/imageFolder.ts";
import { tableOfImages } from "../data/imageFolder.ts";
import type { DecodedImage } from "../data/images.ts";
import { MAX_PIXELS } from "../data/images.ts";
import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { concatBytes } from "../io/bytes.ts";
import { inflate } from "../io/inflate.ts";
import * as is from "../kinds.ts";
import { checkValue, show } from "../options.ts";
import { fileError, readBytes } from "./files.ts";

export const IMAGE = /\.(png|jpe?g)$/i;
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

/** Channels by PNG's colour type. */
const PNG_CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * The pixels of an image, for `resizeImage`. In Node a PNG (any depth, palette, interlaced) or JPEG (baseline, progressive; EXIF's
 * orientation is not looked at); in a browser whatever it knows.
 * @param where what to call it in errors
 * @throws E_FILE for what is none, damaged (PNG's CRCs are checked), truncated, or of more than 64 million pixels
 */
export async function decodeImage(image: Uint8Array | Blob, where = "image"): Promise<DecodedImage> {
  const bytes = image instanceof Blob ? new Uint8Array(await image.arrayBuffer()) : image;
  checkValue("decodeImage", "image", bytes, is.bytes);
  const starts = (magic: readonly number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (!starts(PNG) && !starts(JPEG)) throw damaged(where, "bytes that are neither PNG nor JPEG");
  try {
    return starts(PNG) ? await decodePng(bytes, where) : await decodeJpeg(bytes);
  } catch (cause) {
    if (cause instanceof TilegradError) throw cause;
    throw damaged(where, `a damaged image (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
}

async function decodePng(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  const { decode, convertIndexedToRgb } = await import("fast-png");
  const png = decode(await neededChunks(bytes, where), { checkCrc: true });
  const { width, height, depth, palette } = png;
  if (palette) {
    return { width, height, channels: palette[0].length, data: convertIndexedToRgb(png), max: 255 };
  }
  return { width, height, channels: png.channels, data: spread(png), max: 2 ** depth - 1 };
}

/** Depths below 8 come packed, several pixels to a byte and each row from a new byte on. */
function spread({
  width,
  height,
  depth,
  data,
}: {
  width: number;
  height: number;
  depth: number;
  data: ArrayLike<number>;
}) {
  if (depth >= 8) return data;
  const stride = Math.ceil((width * depth) / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const [row, bit] = [Math.floor(i / width), (i % width) * depth];
    return (data[row * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/**
 * The file without the chunks that pixels do not need (profiles and texts are compressed, too), once its header is found
 * sensible and its pixels are known to inflate to no more than the header says.
 */
async function neededChunks(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [bytes.subarray(0, PNG.length)];
  const pixels: Uint8Array[] = [];
  let limit = 0;
  for (let at = PNG.length; at < bytes.length; ) {
    const size = at + 8 <= bytes.length ? view.getUint32(at) : 0;
    const next = at + 12 + size;
    if (next > bytes.length) throw damaged(where, "a truncated PNG");
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "IHDR" && size >= 13) {
      const [width, height, depth] = [view.getUint32(at + 8), view.getUint32(at + 12), bytes[at + 16]];
      checkSize(width, height, where);
      const rowBytes = Math.ceil((width * depth * (PNG_CHANNELS[bytes[at + 17]] ?? 4)) / 8) + 1;
      // Adam7's seven passes have up to twice the rows, each with a filter byte and a padded end.
      limit = rowBytes * height + 4 * height + 14;
    }
    if (type === "IDAT") pixels.push(bytes.subarray(at + 8, at + 8 + size));
    if (["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].includes(type)) kept.push(bytes.subarray(at, next));
    at = next;
  }
  await inflate(concatBytes(pixels), "deflate", { where, limit });
  return concatBytes(kept);
}

async function decodeJpeg(bytes: Uint8Array): Promise<DecodedImage> {
  const { decode } = (await import("jpeg-js")).default; // CommonJS
  const { width, height, data } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  return { width, height, channels: 3, data, max: 255 };
}

function checkSize(width: number, height: number, where: string): void {
  if (width >= 1 && height >= 1 && width * height <= MAX_PIXELS) return;
  throw damaged(where, `an image of ${width} x ${height} pixels (at most ${MAX_PIXELS} are read)`);
}

const damaged = (where: string, got: string, cause?: unknown): TilegradError =>
  new TilegradError("E_FILE", `${where}: got ${got}; expected a PNG or JPEG image.`, {
    hint: "Save the image again, or take it out of the folder.",
    cause,
  });

/**
 * All PNG and JPEG files of a folder, resized to [height, width, channels], in the order of their paths: a table of pixels p0, p1, ...
 * from 0 to 255, `file` (the path in the folder) and, where images lie in subfolders, `label`, the subfolder's name.
 * Files of other kinds are left out.
 * @param folder a path in Node; in a browser the files of an `<input type="file" webkitdirectory multiple>`
 * @throws E_FILE for a folder that cannot be read, without images, with images both in subfolders and beside them, or an image
 *   that is damaged; E_ARGUMENT for a size of which no table can be made; E_ABORTED
 */
export async function readImageFolder(
  folder: string | Iterable<File>,
  size: ImageSize,
  options: ImageFolderOptions = {},
): Promise<Table> {
  if (typeof folder !== "string") {
    throw new TilegradError("E_ARGUMENT", `readImageFolder: got ${show(folder)}; expected a path in Node.`);
  }
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw fileError(error, "read", folder);
  });
  const files = found
    .filter((entry) => entry.isFile() && IMAGE.test(entry.name) && !entry.name.startsWith("."))
    .map((entry) => path.join(entry.parentPath, entry.name));
  const images = files.map((file) => ({
    path: path.relative(folder, file).replaceAll(path.sep, "/"),
    decode: async () => decodeImage(await readBytes(file), file),
  }));
  return tableOfImages({ name: path.basename(path.resolve(folder)), where: folder, images }, size, options);
}
