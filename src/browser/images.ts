/** Images in the browser, which decodes PNG, JPEG and whatever else it knows. */
import type { ImageFolderOptions } from "../data/imageFolder.ts";
import { tableOfImages } from "../data/imageFolder.ts";
import type { DecodedImage } from "../data/images.ts";
import { MAX_PIXELS } from "../data/images.ts";
import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { show } from "../options.ts";

/**
 * The pixels of an image, for `resizeImage`: a File of an input or a directory, the Blob of a response, or bytes.
 * @param where what to call it in errors
 * @throws E_FILE for what the browser cannot decode, or an image of more than 64 million pixels
 */
export async function decodeImage(image: Uint8Array | Blob, where = "image"): Promise<DecodedImage> {
  const blob = image instanceof Blob ? image : new Blob([image as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob).catch((cause: unknown) => {
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

/** The images of a folder that a user chose: see `readImageFolder` of Node. @throws E_FILE, E_ARGUMENT, E_ABORTED */
export async function readImageFolder(
  folder: string | Iterable<File>,
  size: ImageSize,
  options: ImageFolderOptions = {},
): Promise<Table> {
  if (typeof Object(folder)[Symbol.iterator] !== "function" || typeof folder === "string") {
    throw new TilegradError("E_ARGUMENT", `readImageFolder: got ${show(folder)}; expected a list of files.`, {
      hint: 'Such as the files of an <input type="file" webkitdirectory multiple>.',
    });
  }
  const files = [...folder].filter(({ type }) => type.startsWith("image/"));
  const images = files.map((file) => ({ path: pathIn(file), decode: () => decodeImage(file, pathIn(file)) }));
  const name = files[0]?.webkitRelativePath?.split("/")[0] || "images";
  return tableOfImages({ name, where: name, images }, size, options);
}

/** The path in the chosen folder, whose name the browser puts first. */
const pathIn = ({ webkitRelativePath, name }: File): string =>
  webkitRelativePath ? webkitRelativePath.slice(webkitRelativePath.indexOf("/") + 1) : name;
