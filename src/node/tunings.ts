/** Tunings as files in the user's cache folder, one per device. Node only. */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseJson } from "../io/json.ts";
import type { TuningStore } from "../io/tunings.ts";
import type { Tuning } from "../policy/limits.ts";
import { fileError, publishFile, readBytes } from "./files.ts";
import { cachePath } from "./peers.ts";

const fileOf = (key: string): string => `tuning-${createHash("sha256").update(key).digest("hex").slice(0, 16)}.json`;

export const tuningFiles: TuningStore = {
  async read(key) {
    return readFile(path.join(cachePath(), fileOf(key)), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
      throw error;
    });
  },
  async write(key, text) {
    const folder = cachePath();
    await mkdir(folder, { recursive: true }).catch((error) => {
      throw fileError(error, "write", folder);
    });
    await publishFile(path.join(folder, fileOf(key)), text);
  },
};

/** What the environment says of tunings. @throws E_FILE when it names a file that is none */
export async function chosenTuning(): Promise<"stored" | "off" | Tuning> {
  const chosen = process.env["TILEGRAD_TUNING"] || "stored";
  if (chosen === "stored" || chosen === "off") return chosen;
  // The device checks what is in it.
  return parseJson(await readBytes(chosen), chosen) as unknown as Tuning;
}
