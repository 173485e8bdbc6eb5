import { TilegradError } from "../errors.ts";

/** Receives the cells of a delimited text in order; what it needs of `text` it must take before returning. */
export interface CellSink {
  /** The cell text[start, end), unquoted, of the row that begins on physical line `line` (1-based). */
  cell(text: string, start: number, end: number, line: number): void;
  /** The row that began on `line` is complete. */
  endRow(line: number): void;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;

/** Longest cell that is waited for, in characters: beyond it a quote was most likely never closed. */
const MAX_CELL = 16 * 1024 * 1024;

/**
 * Streaming tokenizer of RFC 4180 text: quoted cells with doubled quotes, line ends and delimiters inside; rows end at
 * LF, CRLF or CR; empty lines are skipped; a quote inside an unquoted cell is an ordinary character.
 */
export class Tokenizer {
  private readonly file: string;
  private readonly delimiter: number;
  private readonly sink: CellSink;
  /** An incomplete cell, and what has come since: looked at again when it is as long, so that time grows with the text. */
  private rest = "";
  private pending = "";
  private line: number;
  private rowLine: number;
  private rowStarted = false;
  private skipLf = false;

  /** @param line the number of the text's first line */
  constructor(file: string, delimiter: string, sink: CellSink, line = 1) {
    this.file = file;
    this.delimiter = delimiter.charCodeAt(0);
    this.sink = sink;
    this.line = line;
    this.rowLine = line;
  }

  /** Tokenizes the next characters; an incomplete cell waits for more. @throws E_DATA for malformed quoting. */
  push(chunk: string): void {
    const nul = chunk.indexOf("\0");
    this.pending += nul < 0 ? chunk : chunk.slice(0, nul);
    const { rest, pending } = this;
    if (pending.length >= rest.length || rest.length + pending.length > MAX_CELL || nul >= 0) this.runPending(false);
    if (nul >= 0) {
      const where = `${this.file}, line ${this.line + lineEnds(this.rest)}`;
      throw new TilegradError("E_DATA", `${where}: got a NUL character; expected text.`, {
        hint: "Binary files and UTF-16 without a byte order mark look like this: save the table as UTF-8.",
      });
    }
  }

  /** Ends the text. @throws E_DATA naming the line where a quote was opened that is not closed. */
  end(): void {
    this.runPending(true);
    if (this.rowStarted) {
      this.sink.cell("", 0, 0, this.rowLine); // the text ended right after a delimiter
      this.endRow();
    }
  }

  private runPending(last: boolean): void {
    const text = this.rest + this.pending;
    this.pending = "";
    this.run(text, last);
  }

  private run(text: string, last: boolean): void {
    const { delimiter, sink } = this;
    let at = 0;
    while (at < text.length) {
      const start = at;
      const first = text.charCodeAt(at);
      if (this.skipLf) {
        this.skipLf = false;
        if (first === LF) {
          at++;
          continue;
        }
      }
      if (first === QUOTE) {
        at = this.quoted(text, at, last);
        if (at < 0) {
          this.wait(text, start);
          return;
        }
      } else {
        let code = first;
        while (code !== delimiter && code !== LF && code !== CR && ++at < text.length) code = text.charCodeAt(at);
        if (at === text.length && !last) {
          this.wait(text, start);
          return;
        }
        if (at > start || this.rowStarted || code === delimiter) sink.cell(text, start, at, this.rowLine);
      }
      at = this.afterCell(text, at, at > start);
    }
    this.rest = "";
  }

  /** Moves past the delimiter or line end that follows a cell. */
  private afterCell(text: string, at: number, hasText: boolean): number {
    const code = at < text.length ? text.charCodeAt(at) : LF;
    if (code === this.delimiter) {
      this.rowStarted = true;
      return at + 1;
    }
    if (hasText || this.rowStarted) this.endRow();
    this.skipLf = code === CR;
    this.line++;
    this.rowLine = this.line;
    return at + 1;
  }

  private endRow(): void {
    this.rowStarted = false;
    this.sink.endRow(this.rowLine);
  }

  /** Emits the quoted cell that starts at `start`; the index after it and its trailing blanks, or -1 if it is cut. */
  private quoted(text: string, start: number, last: boolean): number {
    let close = text.indexOf('"', start + 1);
    let doubled = false;
    while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) {
      doubled = true;
      close = text.indexOf('"', close + 2);
    }
    if (close < 0 && last) throw this.unclosed();
    if (close < 0) return -1;
    let after = close + 1;
    while (text.charCodeAt(after) === SPACE) after++;
    if (after === text.length && !last) return -1;
    const content = text.slice(start + 1, close);
    const lines = lineEnds(content);
    const code = after < text.length ? text.charCodeAt(after) : LF;
    if (code !== this.delimiter && code !== LF && code !== CR) {
      const got = `${JSON.stringify(text.charAt(after))} after a closing quote`;
      // A quote that was never meant to open a cell ends at the next one, lines below.
      const place = lines === 0 ? got : `${got} on line ${this.line + lines}, of the quote that is opened here`;
      throw new TilegradError(
        "E_DATA",
        `${this.file}, line ${this.line}: got ${place}; expected a delimiter or line end.`,
        { hint: 'Write a quote inside a quoted cell twice: "".' },
      );
    }
    const cell = doubled ? content.replaceAll('""', '"') : content;
    this.sink.cell(cell, 0, cell.length, this.rowLine);
    this.line += lines;
    return after;
  }

  private wait(text: string, start: number): void {
    this.rest = text.slice(start);
    if (this.rest.length <= MAX_CELL) return;
    if (this.rest.charCodeAt(0) === QUOTE) throw this.unclosed(`is not closed within ${MAX_CELL} characters`);
    throw new TilegradError(
      "E_DATA",
      `${this.file}, line ${this.line}: a cell is longer than ${MAX_CELL} characters.`,
      { hint: "Check that the file is delimited text with line ends." },
    );
  }

  private unclosed(what = "is never closed"): TilegradError {
    return new TilegradError("E_DATA", `${this.file}, line ${this.line}: a quote opened here ${what}.`, {
      hint: "Close the quoted cell, or remove the quote.",
    });
  }
}

function lineEnds(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}
