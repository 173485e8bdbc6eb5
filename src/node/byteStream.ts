/** The bytes of a file from front to back, unpacked where its name ends in .gz. */
import type { ReadStream } from "node:fs";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { TilegradError } from "../errors.ts";

export interface ByteStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the file, packed or not, that have been read so far. */
  readonly bytesRead: () => number;
}

/** Tables pack to a tenth, those that say little to a hundredth; a .gz file of more is a bomb once it is large. */
const MOST_UNPACKED = 200;
const HARMLESS = 2 ** 28;

export const isGzip = (file: string): boolean => /\.gz$/i.test(file);

/**
 * Opened at the first read; errors of the file system and E_FILE for damaged bytes come then.
 * @param most bytes that a .gz file may unpack to
 */
export function openBytes(file: string, most = Number.POSITIVE_INFINITY): ByteStream {
  const stream = createReadStream(file, { highWaterMark: 2 ** 18 });
  return { bytes: isGzip(file) ? unpacked(stream, file, most) : stream, bytesRead: () => stream.bytesRead };
}

async function* unpacked(packed: ReadStream, file: string, most: number): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip();
  pipeline(packed, gunzip, () => {}); // an error of either ends the loop
  try {
    let bytes = 0;
    for await (const part of gunzip as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > most) {
        throw new TilegradError(
          "E_FILE",
          `${file}: got more than ${most} bytes when unpacked; expected no more in memory.`,
          {
            hint: "Read it in pieces: --stream (option `stream`).",
          },
        );
      }
      if (bytes > HARMLESS && bytes > MOST_UNPACKED * packed.bytesRead) {
        const got = `got ${bytes} bytes out of ${packed.bytesRead}`;
        throw new TilegradError("E_FILE", `${file}: ${got}; expected at most ${MOST_UNPACKED} times as many.`, {
          hint: "The file is made to fill the disk, or says the same all over; if it is sound, unpack it first (gunzip).",
        });
      }
      yield part;
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!code?.startsWith("Z_")) throw cause;
    throw new TilegradError("E_FILE", `${file}: got compressed data that is damaged or truncated (${message}).`, {
      hint: "Fetch or save the file again.",
      cause,
    });
  }
}
