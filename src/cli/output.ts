/** The folder a model goes into: checked before any work is done for it. */
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { TilegradError } from "../errors.ts";
import { parsePlainJson } from "../io/json.ts";
import { assertWritable, fileError, readBytes } from "../node/files.ts";

/** Files of a model folder that a broken-off save may leave without its head. */
const OWN = /^\.?(weights-[0-9a-f]{16}\.safetensors|model\.json)(\.\d+\.tmp)?$|^checkpoint$/;

const isModel = async (file: string): Promise<boolean> => {
  try {
    const head = parsePlainJson(await readBytes(file), file) as { format?: unknown } | null;
    return head?.format === "tilegrad-model";
  } catch {
    return false;
  }
};

/**
 * A new folder, an empty one, or one that holds a model, which will be replaced.
 * @returns whether it holds a model
 * @throws E_FILE when it cannot be written, or holds anything else.
 */
export async function assertModelFolder(folder: string): Promise<boolean> {
  await assertWritable(folder, "folder");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fileError(error, "write", folder);
  });
  if (await isModel(path.join(folder, "model.json"))) return true;
  const foreign = names.find((name) => name === "model.json" || !OWN.test(name));
  if (foreign === undefined) return false;
  throw new TilegradError("E_FILE", `${folder}: the folder holds ${JSON.stringify(foreign)} and no tilegrad model.`, {
    hint: "Choose a new folder; only a folder that holds a model is replaced.",
  });
}

/** Makes the folder, for what goes into it before the model does. @throws E_FILE */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, "write", folder);
  });
}
