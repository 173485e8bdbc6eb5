/** Images in the browser, which decodes PNG, JPEG and whatever else it knows. */
import type { DecodedImage } from "../data/images.ts";
import { MAX_PIXELS } from "../data/images.ts";
import { TilegradError } from "../errors.ts";

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
