/** Saved files as what a browser can download. */
import { checkObject } from "../options.ts";
import type { Files } from "./bundle.ts";

/** One Blob per file, under the same names. */
export function toBlobs(files: Files): Record<string, Blob> {
  checkObject("toBlobs", files, "files by name, as modelFiles gives");
  const blobs: Record<string, Blob> = {};
  for (const name of Object.keys(files)) {
    const type = name.endsWith(".json") ? "application/json" : "application/octet-stream";
    blobs[name] = new Blob([files[name] as Uint8Array<ArrayBuffer>], { type });
  }
  return blobs;
}
