/** Deflated bytes, by the DecompressionStream that browsers and Node share, never to more than is expected. */

import { TilegradError } from "../errors.ts";
import { concatBytes } from "./bytes.ts";

export interface InflateOptions {
  /** What to call the bytes in errors. */
  readonly where: string;
  /** Most bytes that may come out; a function is asked when the first ones have. */
  readonly limit: number | ((head: Uint8Array) => number);
}

/**
 * @param format `gzip` and `deflate` (zlib) check their own checksum, `deflate-raw` has none
 * @throws E_FILE when the bytes are damaged or truncated, or inflate to more than the limit: those after it are not made
 */
export async function inflate(
  bytes: Uint8Array,
  format: "gzip" | "deflate" | "deflate-raw",
  { where, limit }: InflateOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let [length, most] = [0, Number.POSITIVE_INFINITY];
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format))
    .getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (parts.length === 0) most = typeof limit === "number" ? limit : limit(next.value);
      parts.push(next.value);
      length += next.value.length;
      if (length <= most) continue;
      throw new TilegradError("E_FILE", `${where}: got more than ${most} bytes when unpacked; expected no more.`, {
        hint: "The file is damaged, or made to fill the memory.",
      });
    }
  } catch (cause) {
    await reader.cancel().catch(() => {});
    if (cause instanceof TilegradError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilegradError("E_FILE", `${where}: got compressed data that is damaged or truncated (${reason}).`, {
      hint: "Fetch or save the file again.",
      cause,
    });
  }
  return concatBytes(parts);
}

let table: Uint32Array | undefined;

/** The CRC-32 of ZIP and PNG (ISO 3309: the reversed polynomial 0xedb88320). */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
