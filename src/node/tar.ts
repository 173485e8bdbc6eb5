/** Unpacking of Brotli-compressed tar archives, as npm packages carry them. Node only. */
import fs from "node:fs";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { TilegradError } from "../errors.ts";

const BLOCK = 512;

/** Unpacks a ustar archive: folders, files with their modes, symbolic links. Throws `E_FILE` on anything else. */
export function untar(tar: Uint8Array, folder: string): void {
  const text = (at: number, length: number) => {
    const field = Buffer.from(tar.buffer, tar.byteOffset + at, length);
    const end = field.indexOf(0);
    return field.toString("utf8", 0, end < 0 ? length : end);
  };
  const octal = (at: number, length: number) => Number.parseInt(text(at, length).trim() || "0", 8);
  const root = path.resolve(folder);

  // Two zero blocks end an archive; the name of a member is never empty.
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const prefix = text(at + 345, 155);
    const name = prefix ? `${prefix}/${text(at, 100)}` : text(at, 100);
    const size = octal(at + 124, 12);
    const type = text(at + 156, 1);
    const target = path.resolve(root, name);
    if (target !== root && !target.startsWith(root + path.sep)) {
      throw new TilegradError("E_FILE", `archive: member "${name}" points out of the folder it is unpacked to.`);
    }
    fs.mkdirSync(type === "5" ? target : path.dirname(target), { recursive: true });
    if (type === "0" || type === "") {
      const body = tar.subarray(at + BLOCK, at + BLOCK + size);
      if (body.length !== size) throw new TilegradError("E_FILE", `archive: ends inside member "${name}".`);
      fs.writeFileSync(target, body, { mode: octal(at + 100, 8) || 0o644 });
    } else if (type === "2") {
      fs.symlinkSync(text(at + 157, 100), target);
    } else if (type !== "5") {
      throw new TilegradError(
        "E_FILE",
        `archive: member "${name}" is of type "${type}"; expected file, folder or link.`,
      );
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/**
 * Calls `fill` on a private folder and then renames that to `folder`, so that `folder` is complete whenever it exists,
 * whatever other processes do. Does nothing when it exists.
 */
export function publishFolder(folder: string, fill: (temporary: string) => void): string {
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const temporary = fs.mkdtempSync(`${folder}.`);
  try {
    fill(temporary);
    fs.renameSync(temporary, folder);
  } catch (cause) {
    fs.rmSync(temporary, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw cause; // otherwise another process was faster
  }
  return folder;
}

/** Unpacks `archive` (a `.tar.br` file) to `folder`, which appears complete or not at all; gives `folder`. */
export function unpackOnce(archive: string, folder: string): string {
  return publishFolder(folder, (temporary) => untar(brotliDecompressSync(fs.readFileSync(archive)), temporary));
}
