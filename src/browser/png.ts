/** SVG to PNG by the browser. */

import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import { checkValue } from "../options.ts";

/** Twice the size, so that text stays sharp. @throws E_ARGUMENT for what is no SVG, E_FILE without a canvas */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  checkValue("svgToPng", "svg", svg, is.string);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode().catch((cause: unknown) => {
    throw new TilegradError("E_ARGUMENT", "svgToPng: got a text that the browser cannot draw; expected an SVG.", {
      cause,
    });
  });
  const canvas = new OffscreenCanvas(2 * image.width, 2 * image.height);
  const context = canvas.getContext("2d");
  if (!context) throw new TilegradError("E_FILE", "svgToPng: the browser has no 2D canvas to draw with.");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}
