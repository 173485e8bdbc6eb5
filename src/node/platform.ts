/** `#platform` in Node: WebGPU through Dawn, models in folders on disk. */
import type { FileStore } from "../io/bundle.ts";
import type { Platform } from "../platform.ts";
import { publishFolder, readPublished } from "./files.ts";
import { openGpu } from "./gpu.ts";

export { decodeImage, readImageFolder } from "./images.ts";
export { svgToPng } from "./png.ts";
export { chosenTuning, tuningFiles as tunings } from "./tunings.ts";

/** Folders on disk; a save is published by one rename. */
export const files: FileStore = { publish: publishFolder, read: readPublished };

export const findGpu: Platform["findGpu"] = async (device) => {
  const { gpu, kind, driver } = await openGpu({ device });
  return { gpu, info: { software: kind === "software", adapter: driver } };
};
