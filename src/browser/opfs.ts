/** Saving in the browser: the origin private file system (OPFS). */

import { TilegradError } from "../errors.ts";
import type { FileStore, Files } from "../io/bundle.ts";
import { assertReplaceable, isLeftover, namedFile } from "../io/bundle.ts";
import * as is from "../kinds.ts";
import { checkObject, checkValue } from "../options.ts";

/**
 * Publishes files that belong together in a folder of the OPFS, made when missing: the last one, the head, names the
 * others (see bundle.ts). Of several tabs that write, each waits for the one before. A writable file replaces the old content only when it is closed, so a closed tab leaves the
 * previous save whole.
 * @param folder path from the root of the OPFS, such as "runs/credit".
 * @throws E_FILE when the browser has no OPFS, the quota is used up, a name on the path is a file, or the
 *   head there is of another tool.
 */
export async function writeOpfs(folder: string, files: Files): Promise<void> {
  checkValue("writeOpfs", "folder", folder, is.string);
  checkObject("writeOpfs", files, "files by name, as modelFiles gives");
  const names = Object.keys(files);
  try {
    const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
    await (locks ? locks.request(`tilegrad ${folder}`, write) : write());
  } catch (error) {
    throw opfsError(error, "write", folder);
  }

  async function write(): Promise<void> {
    const directory = await openFolder(folder, true);
    const head = names[names.length - 1];
    const old = await readEntry(directory, head).catch(() => undefined);
    if (old) assertReplaceable(old, files[head], `${folder}/${head}`);
    for (const name of names) {
      const handle = await directory.getFileHandle(name, { create: true });
      const stream = await handle.createWritable();
      await stream.write(files[name] as Uint8Array<ArrayBuffer>);
      await stream.close();
    }
    // Listed before anything is removed: what a listing gives of a folder that changes is not defined.
    const found: string[] = [];
    for await (const name of directory.keys()) found.push(name);
    for (const name of found) if (isLeftover(name, names)) await directory.removeEntry(name);
  }
}

/**
 * The files that were published last in a folder of the OPFS: `head` and the one it names.
 * @throws E_FILE when the browser has no OPFS, or the folder or a file is missing.
 */
export async function readOpfs(folder: string, head: string): Promise<Files> {
  checkValue("readOpfs", "folder", folder, is.string);
  checkValue("readOpfs", "head", head, is.string);
  try {
    const directory = await openFolder(folder, false);
    const content = await readEntry(directory, head);
    const named = namedFile(content, `${folder}/${head}`);
    return { [named]: await readEntry(directory, named), [head]: content };
  } catch (error) {
    throw opfsError(error, "read", folder);
  }
}

async function openFolder(folder: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator === "undefined" || navigator.storage?.getDirectory === undefined) {
    throw new TilegradError(
      "E_FILE",
      `${folder}: got no origin private file system; expected a browser that has one.`,
      {
        hint: "Serve the page over HTTPS or from localhost, or download the files of toBlobs().",
      },
    );
  }
  let directory = await navigator.storage.getDirectory();
  for (const part of folder.split("/").filter((name) => name !== "")) {
    directory = await directory.getDirectoryHandle(part, { create });
  }
  return directory;
}

async function readEntry(directory: FileSystemDirectoryHandle, name: string): Promise<Uint8Array> {
  const file = await (await directory.getFileHandle(name)).getFile();
  return new Uint8Array(await file.arrayBuffer());
}

function opfsError(error: unknown, action: "read" | "write", folder: string): unknown {
  if (!(error instanceof DOMException)) return error;
  return new TilegradError("E_FILE", `${folder}: cannot ${action} it in the browser's storage (${error.name}).`, {
    hint: error.name === "QuotaExceededError" ? "Free some storage of this site." : error.message,
    cause: error,
  });
}

/** The origin private file system as a place for models and checkpoints. */
export const opfs: FileStore = { publish: writeOpfs, read: readOpfs };
