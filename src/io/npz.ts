/** NumPy's NPZ: a ZIP archive of NPY files, stored (`np.savez`) or deflated (`np.savez_compressed`). */

import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { crc32, inflate, MOST_INFLATED } from "./inflate.ts";
import type { NpyArray } from "./npy.ts";
import { decodeNpy } from "./npy.ts";

const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const END_BYTES = 22;
const MAX_COMMENT = 65_535;
/** Of all arrays together when unpacked; a ZIP64 archive would be larger anyway. */
const MAX_BYTES = 2 ** 32 - 1;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const npzOptions = () => ({
  /** Names of the arrays that are wanted, of those that are there; default: all. Others may be of any type. */
  only: is.strings,
});

export interface NpzOptions extends OptionsOf<typeof npzOptions> {}

/**
 * The arrays of an NPZ file by their names.
 * @param where what to call the file in errors
 * @throws E_FILE when it is no ZIP archive, truncated, encrypted, larger than 4 GiB when unpacked, or an entry is damaged (its CRC-32
 *   is checked), repeated, within another, of more than 1,032 times its packed bytes, of another length than it says, or no NPY array
 */
export async function decodeNpz(
  bytes: Uint8Array,
  where: string,
  options: NpzOptions = {},
): Promise<Record<string, NpyArray>> {
  checkValue("decodeNpz", "bytes", bytes, is.bytes);
  checkOptions("decodeNpz", options, npzOptions());
  const arrays: Record<string, NpyArray> = Object.create(null);
  const found = directory(bytes, where);
  const entries = found.filter(({ name }) => options.only?.includes(name.replace(/\.npy$/, "")) ?? true);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_BYTES) throw damaged(where, `got ${total} bytes when unpacked`, `at most ${MAX_BYTES}`);
  checkApart(found, where);
  for (const entry of entries) {
    const name = entry.name.replace(/\.npy$/, "");
    if (name === entry.name) throw damaged(where, `got the entry ${JSON.stringify(name)}`, "arrays named NAME.npy");
    if (name in arrays) throw damaged(where, `got ${JSON.stringify(name)} twice`, "once");
    const place = `${where}: ${entry.name}`;
    arrays[name] = decodeNpy(await content(bytes, entry, place), place);
  }
  return arrays;
}

/** The central directory, found from the end of the file (PKWARE APPNOTE 4.3.12, 4.3.16). */
function directory(bytes: Uint8Array, where: string): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  const first = Math.max(0, end - MAX_COMMENT);
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) throw damaged(where, "got no end of a ZIP archive", "an NPZ file");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: count }, () => {
    if (at + 46 > end || view.getUint32(at, true) !== ENTRY) {
      throw damaged(where, `got a directory of fewer than ${count} entries`, `${count}`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const entry: Entry = {
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    if ((view.getUint16(at + 8, true) & 1) === 1) throw damaged(where, "got an encrypted archive", "a plain one");
    if ([entry.packed, entry.size, entry.offset].includes(0xffffffff)) {
      throw damaged(where, "got a ZIP64 archive", "arrays of less than 4 GiB");
    }
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    return entry;
  });
}

/** Entries that share bytes would make much of few (CVE-2019-13232), and so would sizes beyond what deflate can do. */
function checkApart(entries: readonly Entry[], where: string): void {
  let end = 0;
  for (const { name, method, offset, packed, size } of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw damaged(where, `got ${JSON.stringify(name)} within another entry`, "each apart");
    end = offset + 30 + packed;
    const most = method === 0 ? packed : MOST_INFLATED * (packed + 1);
    if (size > most) throw damaged(`${where}: ${name}`, `got ${size} bytes packed into ${packed}`, `at most ${most}`);
  }
}

async function content(bytes: Uint8Array, entry: Entry, where: string): Promise<Uint8Array> {
  const { method, crc, packed, size, offset } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL) {
    throw damaged(where, "got no entry where the directory says", "one");
  }
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packed > bytes.length) throw damaged(where, `got ${bytes.length} bytes`, `${start + packed} or more`);
  if (method !== 0 && method !== 8) throw damaged(where, `got compression method ${method}`, "0 or 8 (deflate)");
  const body = bytes.subarray(start, start + packed);
  const plain = method === 0 ? body : await inflate(body, "deflate-raw", { where, limit: size });
  if (plain.length !== size) throw damaged(where, `got ${plain.length} bytes`, `${size} by the directory`);
  if (crc32(plain) !== crc) throw damaged(where, "got bytes that do not have the CRC-32 of the directory", "the same");
  return plain;
}

const damaged = (where: string, got: string, expected: string): TilegradError =>
  new TilegradError("E_FILE", `${where}: ${got}; expected ${expected}.`, {
    hint: "The file is truncated, damaged or not written by np.savez; save it again.",
  });
