import { TilegradError } from "../errors.ts";
import { concatBytes } from "../io/bytes.ts";
import { show } from "../options.ts";

/** Anything text can be read from: whole or in pieces, as characters or bytes. */
export type TextSource =
  | string
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>;

/** The text encodings that are read; windows-1252 includes Latin-1's printable characters. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** Files that people pass for text, by their first bytes. */
const BINARY: readonly { magic: readonly number[]; what: string }[] = [
  { magic: [0x50, 0x4b, 0x03, 0x04], what: "a ZIP archive or an Excel workbook" },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], what: "an Excel 97-2003 workbook" },
  { magic: [0x50, 0x41, 0x52, 0x31], what: "a Parquet file" },
  { magic: [0x1f, 0x8b], what: "a gzip file" },
];

/**
 * Bytes in chunks -> text in chunks. A byte order mark decides the encoding; without one the first character beyond
 * ASCII does: valid UTF-8 makes the file UTF-8 (and a later invalid byte an error), anything else windows-1252.
 * How the bytes are cut into chunks never matters.
 */
export class TextDecoding {
  private readonly file: string;
  private decoder = new TextDecoder();
  private settled = false;
  private started = false;
  private held = new Uint8Array(0);
  private offset = 0;
  encoding: Encoding = "utf-8";

  constructor(file: string, encoding?: Encoding) {
    this.file = file;
    if (encoding) this.settle(encoding);
  }

  /** The text of the next bytes; `last` ends the text. @throws E_DATA for binary files and bytes that are not text. */
  push(chunk: Uint8Array, last = false): string {
    const bytes = this.held.length > 0 ? concatBytes([this.held, chunk]) : chunk;
    const ready = this.inspect(bytes, last);
    this.held = bytes.slice(ready);
    const from = this.offset;
    this.offset += ready;
    try {
      return this.decoder.decode(bytes.subarray(0, ready), { stream: !last });
    } catch (cause) {
      const where = `bytes ${from} to ${this.offset}`;
      throw new TilegradError("E_DATA", `${this.file}: ${where} are not all valid ${this.encoding}.`, {
        hint: "Save the file as UTF-8, or name its encoding: utf-8, utf-16le, utf-16be or windows-1252 (Latin-1).",
        cause,
      });
    }
  }

  /** Settles the encoding if these bytes can; how many of them may be decoded now (a cut character waits). */
  private inspect(bytes: Uint8Array, last: boolean): number {
    if (!this.started) {
      if (bytes.length < 4 && !last) return 0;
      this.started = true;
      this.inspectStart(bytes);
    }
    if (this.settled) return bytes.length;
    let at = 0;
    while (at < bytes.length && bytes[at] < 0x80) at++;
    if (at === bytes.length) return at;
    const length = bytes[at] >= 0xf0 ? 4 : bytes[at] >= 0xe0 ? 3 : 2;
    if (at + length > bytes.length && !last) return at;
    this.settle(isUtf8(bytes.subarray(at, at + length)) ? "utf-8" : "windows-1252");
    return bytes.length;
  }

  private inspectStart(bytes: Uint8Array): void {
    const binary = BINARY.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte));
    if (binary) {
      throw new TilegradError("E_DATA", `${this.file}: got ${binary.what}; expected delimited text (CSV).`, {
        hint: "Export the table as CSV in UTF-8 and pass that file.",
      });
    }
    if (this.settled) return;
    if (bytes[0] === 0xff && bytes[1] === 0xfe) this.settle("utf-16le");
    else if (bytes[0] === 0xfe && bytes[1] === 0xff) this.settle("utf-16be");
    else if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.settle("utf-8");
  }

  private settle(encoding: Encoding): void {
    this.encoding = encoding;
    this.decoder = new TextDecoder(encoding, { fatal: true });
    this.settled = true;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The source as a sequence of chunks, whatever it is. */
export async function* chunksOf(source: TextSource): AsyncGenerator<string | Uint8Array> {
  if (typeof source === "string" || source instanceof Uint8Array) {
    yield source;
  } else if (typeof Blob !== "undefined" && source instanceof Blob) {
    yield* chunksOf(source.stream());
  } else if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    const reader = source.getReader(); // not every browser iterates over streams
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      await reader.cancel();
    }
  } else {
    if (!(Symbol.asyncIterator in Object(source) || Symbol.iterator in Object(source))) {
      const expected = "a text, its bytes, a Blob, or a stream or list of texts or bytes";
      throw new TilegradError("E_ARGUMENT", `readCsv: got ${show(source)}; expected ${expected}.`);
    }
    yield* source as AsyncIterable<string | Uint8Array>;
  }
}
