/** The bytes of a file from front to back, unpacked where its name ends in .gz. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { TilegradError } from "../errors.ts";

export interface ByteStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the file, packed or not, that have been read so far. */
  readonly bytesRead: () => number;
}

export const isGzip = (file: string): boolean => /\.gz$/i.test(file);

/** Opened at the first read; errors of the file system and E_FILE for damaged bytes come then. */
export function openBytes(file: string): ByteStream {
  const stream = createReadStream(file, { highWaterMark: 2 ** 18 });
  return { bytes: isGzip(file) ? unpacked(stream, file) : stream, bytesRead: () => stream.bytesRead };
}

async function* unpacked(packed: NodeJS.ReadableStream, file: string): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip();
  pipeline(packed, gunzip, () => {}); // an error of either ends the loop
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!code?.startsWith("Z_")) throw cause;
    throw new TilegradError("E_FILE", `${file}: got compressed data that is damaged or truncated (${message}).`, {
      hint: "Fetch or save the file again.",
      cause,
    });
  }
}
