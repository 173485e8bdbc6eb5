/** A folder of images, one subfolder for each label, as a table; how files are found and decoded, the platform knows. */

import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import type { DecodedImage } from "./images.ts";
import { imageWidth, resizeImage, tableFromArray } from "./images.ts";
import type { ImageSize } from "./pixels.ts";
import type { Table } from "./table.ts";

const IMAGE_FOLDER_OPTIONS = {
  /** The label of an image by its path in the folder; default: the subfolder that it lies in. */
  labelOf: is.callable as Kind<(path: string) => string>,
  /** Refuses images without labels before any is decoded. Default false. */
  labelled: is.boolean,
  /** Ends reading, with E_ABORTED. */
  signal: is.object as Kind<AbortSignal>,
  /** Hears how many of all images have been read. */
  onProgress: is.callable as Kind<(done: number, all: number) => void>,
};

export interface ImageFolderOptions extends OptionsOf<typeof IMAGE_FOLDER_OPTIONS> {}

/** An image that was found. */
export interface FoundImage {
  /** In the folder, parts divided by "/". */
  readonly path: string;
  readonly decode: () => Promise<DecodedImage>;
}

/** What a platform found. */
export interface FoundFolder {
  /** What to call the table. */
  readonly name: string;
  /** What to call the folder in errors. */
  readonly where: string;
  readonly images: readonly FoundImage[];
}

/** The images of a folder as a table: see `readImageFolder` of the platforms. */
export async function tableOfImages(
  { name, where, images: found }: FoundFolder,
  size: ImageSize,
  options: ImageFolderOptions,
): Promise<Table> {
  const {
    labelOf,
    labelled = false,
    signal,
    onProgress,
  } = checkOptions("readImageFolder", options, IMAGE_FOLDER_OPTIONS);
  const images = [...found].sort((a, b) => (a.path < b.path ? -1 : 1));
  const files = images.map(({ path }) => path);
  checkFolder(where, files, labelled, labelOf !== undefined);
  const labels = files.map(labelOf ?? ((path) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "")));
  const width = imageWidth(size, files.length);
  const x = new Float32Array(files.length * width);
  for (const [i, { decode }] of images.entries()) {
    if (signal?.aborted) throw new TilegradError("E_ABORTED", `${where}: reading was aborted.`);
    x.set(resizeImage(await decode(), size), i * width);
    onProgress?.(i + 1, files.length);
  }
  const texts = { file: files, ...(labels.includes("") ? {} : { label: labels }) };
  return tableFromArray({ name, rows: files.length, width, x, texts });
}

function checkFolder(where: string, files: readonly string[], labelled: boolean, named: boolean): void {
  const beside = files.find((file) => !file.includes("/"));
  const flat = files.every((file) => !file.includes("/"));
  if (files.length > 0 && (named || beside === undefined || (flat && !labelled))) return;
  const mixed = `images in subfolders and ${JSON.stringify(beside)} beside them`;
  const got = files.length === 0 ? "no PNG or JPEG file" : flat ? "images without labels" : mixed;
  throw new TilegradError("E_FILE", `${where}: got ${got}; expected a subfolder of images for each label.`, {
    hint: "Such as cats/1.png and dogs/2.jpg; images without labels, to predict, lie in the folder itself.",
  });
}
