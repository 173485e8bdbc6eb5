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
import { decoders } from "./decoders.ts";
import { fileError, readBytes } from "./files.ts";
import type { Limits } from "./guarded.ts";

export const IMAGE = /\.(png|jpe?g)$/i;
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

/** Pixels of a JPEG file by its bytes at most: a block of 64 takes a bit or more of the shortest scan (ITU-T T.81, F and G). */
const JPEG_PIXELS_A_BYTE = 512;
/** What an image may take: decoders manage some millions of pixels, and of bytes, a second, with 40 bytes a pixel. */
const limitsOf = (where: string, pixels: number, bytes: number): Limits => ({
  where,
  seconds: 1 + pixels / 500_000 + bytes / 500_000,
  bytes: 2 ** 27 + 40 * pixels + 8 * bytes,
});

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
    return starts(PNG) ? await decodePng(bytes, where) : await decodeJpeg(bytes, where);
  } catch (cause) {
    if (cause instanceof TilegradError) throw cause;
    throw damaged(where, `a damaged image (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
}

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array;
}

async function decodePng(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  const { needed, pixels } = await neededChunks(bytes, where);
  const png = await decoders.call<Decoded>("png", [needed], limitsOf(where, pixels, bytes.length));
  const { width, height, depth, channels } = png;
  return { width, height, channels, data: spread(png), max: 2 ** depth - 1 };
}

/** Depths below 8 come packed, several pixels to a byte and each row from a new byte on. */
function spread({ width, height, depth, data }: Decoded): ArrayLike<number> {
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
async function neededChunks(bytes: Uint8Array, where: string): Promise<{ needed: Uint8Array; pixels: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [bytes.subarray(0, PNG.length)];
  const packed: Uint8Array[] = [];
  let [pixels, limit] = [0, 0];
  for (let at = PNG.length; at < bytes.length; ) {
    const size = at + 8 <= bytes.length ? view.getUint32(at) : 0;
    const next = at + 12 + size;
    if (next > bytes.length) throw damaged(where, "a truncated PNG");
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "IHDR" && size >= 13) {
      const [width, height, depth] = [view.getUint32(at + 8), view.getUint32(at + 12), bytes[at + 16]];
      checkSize(width, height, where);
      pixels = width * height;
      const rowBytes = Math.ceil((width * depth * (PNG_CHANNELS[bytes[at + 17]] ?? 4)) / 8) + 1;
      // Adam7's seven passes have up to twice the rows, each with a filter byte and a padded end.
      limit = rowBytes * height + 4 * height + 14;
    }
    if (type === "IDAT") packed.push(bytes.subarray(at + 8, at + 8 + size));
    if (["IHDR", "PLTE", "tRNS", "IDAT", "IEND"].includes(type)) kept.push(bytes.subarray(at, next));
    at = next;
  }
  await inflate(concatBytes(packed), "deflate", { where, limit });
  return { needed: concatBytes(kept), pixels };
}

async function decodeJpeg(bytes: Uint8Array, where: string): Promise<DecodedImage> {
  const { width, height } = frameOf(bytes);
  checkSize(width, height, where);
  const pixels = width * height;
  if (pixels > JPEG_PIXELS_A_BYTE * bytes.length) {
    throw damaged(where, `a truncated or damaged image (${width} x ${height} pixels in ${bytes.length} bytes)`);
  }
  const limits = limitsOf(where, pixels, bytes.length);
  const most = { maxResolutionInMP: MAX_PIXELS / 1e6, maxMemoryUsageInMB: Math.ceil(limits.bytes / 1e6) };
  const { data } = await decoders.call<Decoded>("jpeg", [bytes, most], limits);
  return { width, height, channels: 3, data, max: 255 };
}

/** The size by the frame header (SOF0 to SOF15 but for three that are none, ITU-T T.81, B.2.2); throws where there is none. */
function frameOf(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.length; ) {
    const marker = view.getUint16(at);
    if (marker === 0xffff) {
      at++; // a fill byte
      continue;
    }
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    if (marker < 0xff01 || marker === 0xffda) break;
    at += 2 + view.getUint16(at + 2);
  }
  throw new Error("no frame header");
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
