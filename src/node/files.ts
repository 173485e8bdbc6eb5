/**
 * Crash-safe files for Node: content goes into a temporary file in the same folder, is flushed, and is renamed into
 * place; then the folder is flushed. A killed process leaves the old file or the new one, never a torn one.
 */

import { randomUUID } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TilegradError } from "../errors.ts";
import { assertReplaceable, type Files, isLeftover, namedFile } from "../io/bundle.ts";
import * as is from "../kinds.ts";
import { checkObject, checkValue } from "../options.ts";
import { whileLocked } from "./lock.ts";

const REASONS: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  ENOENT: ["there is no such file or folder", "Check the path."],
  ENOTDIR: ["a part of the path is a file, not a folder", "Choose another path."],
  EISDIR: ["it is a folder, not a file", "Name a file."],
  EACCES: ["permission is denied", "Choose a path you have the right to."],
  EPERM: ["permission is denied", "Choose a path you have the right to."],
  EROFS: ["the file system is read-only", "Choose another path."],
  ENOSPC: ["the disk is full", "Free some space or choose another disk."],
  EDQUOT: ["the disk quota is used up", "Free some space or choose another disk."],
  EFBIG: ["the file is larger than is allowed here", "Raise the limit (ulimit -f) or choose another disk."],
  EMFILE: ["too many files are open", "Raise the limit (ulimit -n)."],
  ENAMETOOLONG: ["its name is too long", "Choose a shorter path."],
  ELOOP: ["its links lead in a circle", "Choose another path."],
  // Node's own, before it asks the system.
  ERR_FS_FILE_TOO_LARGE: ["it is larger than 2 GiB", "Split it; CSV and Parquet files may have any size."],
  ERR_INVALID_ARG_VALUE: ["its name holds a NUL byte", "Check the path."],
};

/** An error of the file system as E_FILE; others are given back as they are. */
export function fileError(error: unknown, action: "read" | "write", path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (error instanceof TilegradError || code === undefined) return error;
  const known = Object.hasOwn(REASONS, code);
  if (!known && !("syscall" in (error as Error))) return error;
  const [problem, hint] = known ? REASONS[code] : ["the system refused", undefined];
  return new TilegradError("E_FILE", `${path.replaceAll("\0", "\\0")}: cannot ${action} it, ${problem} (${code}).`, {
    hint,
    cause: error,
  });
}

export const fileExists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws E_FILE */
export async function assertExists(path: string): Promise<void> {
  await access(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
}

/** The bytes of a file. @throws E_FILE when it is missing, a folder, or not readable. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const buffer = await readFile(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/**
 * Finds out whether `path` can be written, before any work is done for it, by making and removing a probe file (access
 * rights alone do not tell about read-only or remote disks). Folders on the way may be missing: writing makes them.
 * @param kind what `path` is going to be.
 * @throws E_FILE when permission is denied, or a file stands where a folder should or vice versa.
 */
export async function assertWritable(path: string, kind: "file" | "folder"): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fileError(error, "write", path);
  });
  if (found !== undefined && found.isDirectory() !== (kind === "folder")) {
    const got = found.isDirectory() ? "a folder" : "a file";
    throw new TilegradError("E_FILE", `${path}: got ${got}; expected a ${kind} or nothing.`, {
      hint: "Choose another path.",
    });
  }
  // A file is renamed into place, which would put it where the device or pipe is; links such as /dev/stdout, too.
  if (kind === "file" && ((found && !found.isFile()) || /^\/(dev|proc)\//.test(resolve(path)))) {
    throw new TilegradError("E_FILE", `${path}: got a device or a pipe; expected a file or nothing.`, {
      hint: "Name a file.",
    });
  }
  let folder = found?.isDirectory() ? path : dirname(resolve(path));
  while (dirname(folder) !== folder && !(await fileExists(folder))) folder = dirname(folder);
  const probe = join(folder, `.tilegrad-probe.${randomUUID()}.tmp`);
  try {
    await (await open(probe, "wx")).close();
    await rm(probe, { force: true }); // who saves there meanwhile clears it away
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/**
 * Replaces a file by one rename, or makes it and the folders on the way; its content being there or coming piece by piece.
 * @throws E_FILE when that fails, and what the pieces throw; then the old file is still there, whole.
 */
export async function publishFile(path: string, content: Uint8Array | string | AsyncIterable<string>): Promise<void> {
  const folder = dirname(resolve(path));
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    try {
      const file = await open(temporary, "wx");
      try {
        await writeFile(file, content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await flushFolder(folder);
  } catch (error) {
    throw fileError(error, "write", path);
  }
}

/** Makes renames in a folder last through a loss of power; Windows has no such call and needs none. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Publishes files that belong together, as `encodeModel` and `encodeCheckpoint` give them: the last one, the head, names
 * the others, whose names change with their content. So the others are written beside those of the previous save, and
 * the rename of the head publishes all at once; what the previous save or a killed one left is removed after that.
 * Other files in the folder are not touched. Of several writers each waits for the one before.
 * @throws E_FILE when something cannot be written, the head there is of another tool, or another writer is at it for a minute;
 *   then the folder still holds what it held.
 */
export async function publishFolder(folder: string, files: Files): Promise<void> {
  checkValue("publish", "folder", folder, is.string);
  checkObject("publish", files, "files by name, as modelFiles gives");
  await assertWritable(folder, "folder");
  const names = Object.keys(files);
  try {
    if ((await mkdir(folder, { recursive: true })) !== undefined) await flushFolder(dirname(resolve(folder)));
    await whileLocked(folder, async () => {
      for (const head of names.slice(-1)) {
        const path = join(folder, head);
        if (await fileExists(path)) assertReplaceable(await readBytes(path), files[head], path);
      }
      for (const name of names) await publishFile(join(folder, name), files[name]);
      for (const name of await readdir(folder)) {
        if (isLeftover(name, names)) await rm(join(folder, name), { force: true });
      }
    });
  } catch (error) {
    throw fileError(error, "write", folder);
  }
}

/**
 * The files that were published last in a folder: its head (`model.json`, `checkpoint.json`) and the one it names.
 * Another process may publish meanwhile.
 * @throws E_FILE when the folder or one of the files is missing or not readable.
 */
export async function readPublished(folder: string, head: string): Promise<Files> {
  checkValue("read", "folder", folder, is.string);
  checkValue("read", "head", head, is.string);
  const content = await readBytes(join(folder, head));
  const named = namedFile(content, join(folder, head));
  try {
    return { [named]: await readBytes(join(folder, named)), [head]: content };
  } catch (error) {
    // The head may have been replaced, and what it named removed, since we read it.
    const again = await readBytes(join(folder, head));
    if (namedFile(again, join(folder, head)) !== named) return readPublished(folder, head);
    throw error;
  }
}
