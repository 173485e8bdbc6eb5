/** What a command writes: checked before any work is done for it. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { TilegradError } from "../../errors.ts";
import { parsePlainJson } from "../../io/json.ts";
import { CHECKPOINT_FILE, checkpointFolder, refitFolder } from "../../node/checkpoints.ts";
import { assertWritable, fileError, readBytes } from "../../node/files.ts";

/** Files of a model folder, what a broken-off save may leave without its head, and what writers keep while they are at it. */
const MODEL_FILE = /^\.tilegrad-|^\.?(weights-[0-9a-f]{16}\.safetensors|model\.json)(\.[0-9a-f-]+\.tmp)?$/;
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
  const foreign = names.find(
    (name) => name === "model.json" || !(MODEL_FILE.test(name) || name === path.basename(checkpointFolder(folder))),
  );
  if (foreign === undefined) return false;
  throw new TilegradError("E_FILE", `${folder}: the folder holds ${JSON.stringify(foreign)} and no tilegrad model.`, {
    hint: "Choose a new folder; only a folder that holds a model is replaced.",
  });
}

/** Files that a command reads or keeps, by what they are to it: no other output may replace them. */
export type Taken = Readonly<Record<string, readonly string[]>>;

/** The files of a model's folder, those that it will have included. */
export async function filesOfModel(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const [part, head, own] of [
    [folder, "model.json", MODEL_FILE],
    [checkpointFolder(folder), "checkpoint.json", CHECKPOINT_FILE],
    [refitFolder(folder), "checkpoint.json", CHECKPOINT_FILE],
  ] as const) {
    const names = await readdir(part).catch(() => []);
    files.push(...[head, ...names.filter((name) => own.test(name))].map((name) => path.join(part, name)));
  }
  return files;
}

/** @throws E_FILE when the file cannot be written, E_ARGUMENT when it is one of those that are taken, by whatever path */
export async function assertOutput(option: string, file: string, taken: Taken): Promise<void> {
  const output = await identityOf(file);
  for (const [what, files] of Object.entries(taken)) {
    for (const kept of files) {
      if ((await identityOf(kept)) !== output) continue;
      throw new TilegradError("E_ARGUMENT", `${option}: ${file} is ${what}, and would be replaced.`, {
        hint: "Choose another name.",
      });
    }
  }
  await assertWritable(file, "file");
}

/** Equal for all paths to one file, links too; of what is yet to be made, by the folder that it will lie in. */
async function identityOf(file: string): Promise<string> {
  const full = path.resolve(file);
  const found = await stat(full, { bigint: true }).catch(() => null);
  if (found) return `${found.dev}:${found.ino}`;
  const folder = path.dirname(full);
  return folder === full ? full : path.join(await identityOf(folder), path.basename(full));
}
