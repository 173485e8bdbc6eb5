/** Images in the browser, which decodes PNG, JPEG and whatever else it knows. */
import type { DecodedImage } from "../data/images.ts";
import { imageWidth, MAX_PIXELS, resizeImage, tableFromArray } from "../data/images.ts";
import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import type { OptionKinds } from "../options.ts";
import { checkOptions, show } from "../options.ts";

/**
 * The pixels of an image, for `resizeImage`.
 * @param image a File of an input or a directory, or the Blob of a response
 * @param where what to call it in errors
 * @throws E_FILE for what the browser cannot decode, or an image of more than 64 million pixels
 */
export async function decodeImage(image: Blob, where = "image"): Promise<DecodedImage> {
  const bitmap = await createImageBitmap(image).catch((cause: unknown) => {
    throw new TilegradError("E_FILE", `${where}: got bytes that the browser cannot decode; expected an image.`, {
      hint: "Save the image again as PNG or JPEG.",
      cause,
    });
  });
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS) {
      const got = `an image of ${width} x ${height} pixels`;
      throw new TilegradError("E_FILE", `${where}: got ${got}; expected at most ${MAX_PIXELS} pixels.`);
    }
    const context = new OffscreenCanvas(width, height).getContext("2d");
    if (!context) throw new TilegradError("E_FILE", `${where}: the browser has no 2D canvas to decode images with.`);
    context.drawImage(bitmap, 0, 0);
    return { width, height, channels: 4, data: context.getImageData(0, 0, width, height).data, max: 255 };
  } finally {
    bitmap.close();
  }
}

export interface ImageFilesOptions {
  /** [height, width, channels] that all images are brought to. */
  readonly size: ImageSize;
  /** Default: the folder that a file lies in, by its `webkitRelativePath`. */
  readonly labelOf?: (file: File) => string;
  /** What to call the table. */
  readonly name?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, all: number) => void;
}

const IMAGE_FILES_OPTIONS = {
  size: "any",
  labelOf: "function",
  name: "string",
  signal: "object",
  onProgress: "function",
} as const satisfies OptionKinds<ImageFilesOptions>;

/**
 * The images among the files of an `<input type="file" webkitdirectory multiple>`, in the order of their paths: a table of pixels p0, p1,
 * ... from 0 to 255, `file` (the path) and `label`, as `readImageFolder` makes in Node. Files of other kinds are left out.
 * @throws E_FILE when no file is an image, or one is damaged or has no label; E_ARGUMENT for a size of which no table can be made;
 *   E_ABORTED
 */
export async function readImageFiles(files: Iterable<File>, options: ImageFilesOptions): Promise<Table> {
  checkOptions("readImageFiles", options, IMAGE_FILES_OPTIONS);
  if (typeof Object(files)[Symbol.iterator] !== "function" || typeof files === "string") {
    throw new TilegradError("E_ARGUMENT", `readImageFiles: got ${show(files)}; expected a list of files.`);
  }
  const { size, labelOf = folderOf, name = "images", signal, onProgress } = options;
  const images = [...files].filter(({ type }) => type.startsWith("image/"));
  const byPath = images.map((file) => ({ file, path: pathOf(file) })).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (images.length === 0) {
    throw new TilegradError("E_FILE", `${name}: got no image among the files; expected PNG, JPEG or the like.`, {
      hint: 'Such as the files of an <input type="file" webkitdirectory multiple>.',
    });
  }
  const width = imageWidth(size, images.length);
  const label = byPath.map(({ file, path }) => {
    const found = labelOf(file);
    if (found !== "") return found;
    throw new TilegradError("E_FILE", `${name}: got ${path} in no folder; expected a folder for each label.`, {
      hint: "Choose a folder whose subfolders are the labels, or pass `labelOf`.",
    });
  });
  const x = new Float32Array(images.length * width);
  for (const [i, { file, path }] of byPath.entries()) {
    if (signal?.aborted) throw new TilegradError("E_ABORTED", `${name}: reading was aborted.`);
    x.set(resizeImage(await decodeImage(file, path), size), i * width);
    onProgress?.(i + 1, images.length);
  }
  const texts = { file: byPath.map(({ path }) => path), label };
  return tableFromArray({ name, rows: images.length, width, x, texts });
}

const pathOf = (file: File): string => file.webkitRelativePath || file.name;

const folderOf = (file: File): string => pathOf(file).split("/").at(-2) ?? "";
