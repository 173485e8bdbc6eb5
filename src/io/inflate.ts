/** Deflated bytes, by the DecompressionStream that browsers and Node share, never to more than is expected. */

import { TilegradError } from "../errors.ts";

/** Bytes that one deflated byte makes at most: a match is of 258 bytes and takes two bits or more (RFC 1951). */
export const MOST_INFLATED = 1032;

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
  let whole: Uint8Array<ArrayBuffer> | null = null;
  let [length, most] = [0, Number.POSITIVE_INFINITY];
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format))
    .getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!whole) {
        most = typeof limit === "number" ? limit : limit(next.value);
        whole = new Uint8Array(Math.min(most, MOST_INFLATED * (bytes.length + 1)));
      }
      if (length + next.value.length <= most) {
        whole.set(next.value, length);
        length += next.value.length;
        continue;
      }
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
  return whole?.subarray(0, length) ?? new Uint8Array(0);
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
