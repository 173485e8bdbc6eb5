import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, show } from "../options.ts";
import { ColumnBuilder } from "./columnBuilder.ts";
import { chunksOf, type Encoding, TextDecoding, type TextSource } from "./decode.ts";
import { detectDelimiter, SAMPLE } from "./delimiter.ts";
import { CellReader, numberOf } from "./number.ts";
import { type Column, checkColumns, type Table } from "./table.ts";
import { type CellSink, Tokenizer } from "./tokenize.ts";

const csvOptions = {
  /** What error messages call the text: its file name. Default "csv". */
  name: is.string,
  /** One character. Default: detected among , ; tab |. */
  delimiter: is.string,
  /** Default: by byte order mark, else UTF-8 when the bytes are, else windows-1252 (noted). */
  encoding: is.oneOf("utf-8", "utf-16le", "utf-16be", "windows-1252"),
  /** Columns that are categorical whatever their cells look like (labels, codes). */
  categorical: is.strings,
  /** As `categorical`, but columns that may be absent: ids, labels that new rows do not have yet. */
  categoricalIfPresent: is.strings,
  /** Columns that must be numeric: any other cell is an error. */
  numeric: is.strings,
  /** Columns that are not kept. */
  skip: is.strings,
};

export interface CsvOptions extends OptionsOf<typeof csvOptions> {}

const readCsvOptions = {
  ...csvOptions,
  /** Ends reading, with E_ABORTED. */
  signal: is.object as Kind<AbortSignal>,
};

export interface ReadCsvOptions extends OptionsOf<typeof readCsvOptions> {}

export interface CsvResult {
  table: Table;
  delimiter: string;
  encoding: Encoding;
  /** What a user should be told, one sentence each: a guessed encoding, decimal commas, unnamed columns. */
  notes: string[];
}

/** Odd spellings of numbers remembered over all columns, in case one proves categorical. */
const MAX_SPELLED = 1_000_000;
const MAX_SPELLED_PER_COLUMN = 10_000;
const BYTE_ORDER_MARK = "\ufeff";
/** What spreadsheets put before the header to say what separates cells. */
const SEPARATOR_LINE = /^sep=([^"\r\n])\r?\n/i;
const MOST_COLUMNS = 100_000;
const LONGEST_NAME = 10_000;
/** Unnamed columns that a note names. */
const MOST_NAMED = 5;

/**
 * Reads delimited text with a header line (RFC 4180) from a stream, into columns; never holds rows as objects.
 * @throws E_DATA for empty text, a header without rows, duplicate names, ragged rows, malformed quotes, binary files,
 *   NUL characters, undecodable bytes, and cells that do not fit their column; E_ABORTED when `signal` fires.
 */
export async function readCsv(source: TextSource, options: ReadCsvOptions = {}): Promise<CsvResult> {
  const reader = new CsvReader(checkOptions("readCsv", options, readCsvOptions));
  for await (const chunk of chunksOf(source)) {
    if (options.signal?.aborted) throw new TilegradError("E_ABORTED", `${options.name ?? "csv"}: reading was aborted.`);
    reader.push(chunk);
  }
  return reader.end();
}

/** `readCsv` of text or bytes that are already here. */
export function parseCsv(text: string | Uint8Array, options: CsvOptions = {}): CsvResult {
  const reader = new CsvReader(checkOptions("parseCsv", options, csvOptions));
  reader.push(text);
  return reader.end();
}

/**
 * `readCsv` in blocks of about `rows` rows, for files that do not fit into memory. A column whose first text comes late is
 * numeric in the blocks before it and categorical from then on, unless its kind is given.
 * @throws as `readCsv`, when it comes to the fault.
 */
export async function* readCsvBlocks(
  source: TextSource,
  options: ReadCsvOptions & { readonly rows: number },
): AsyncGenerator<Table, CsvResult> {
  const reader = new CsvReader(options);
  for await (const chunk of chunksOf(source)) {
    if (options.signal?.aborted) throw new TilegradError("E_ABORTED", `${options.name ?? "csv"}: reading was aborted.`);
    reader.push(chunk);
    if (reader.waiting >= options.rows) yield reader.take();
  }
  const rest = reader.end();
  yield rest.table;
  return rest;
}

/** Collects pushed chunks into a table. */
export class CsvReader {
  private readonly options: CsvOptions;
  private readonly file: string;
  private readonly decoding: TextDecoding;
  private tokenizer: Tokenizer | null = null;
  private rows: RowCollector | null = null;
  private sample = "";
  private delimiter: string;
  private readonly notes: string[] = [];

  /** @throws E_ARGUMENT for a delimiter that is not one character. */
  constructor(options: CsvOptions = {}) {
    this.options = options;
    this.file = options.name ?? "csv";
    this.decoding = new TextDecoding(this.file, options.encoding);
    this.delimiter = options.delimiter ?? "";
    if (options.delimiter !== undefined && !/^[^"\r\n]$/.test(options.delimiter)) {
      const got = JSON.stringify(options.delimiter);
      throw new TilegradError("E_ARGUMENT", `delimiter: got ${got}; expected one character, no quote or line end.`);
    }
  }

  /** Rows that were not taken yet. */
  get waiting(): number {
    return this.rows?.waiting ?? 0;
  }

  /** The rows since the last call, at least one, which are then forgotten. */
  take(): Table {
    return (this.rows as RowCollector).take();
  }

  /** @throws E_ARGUMENT for what is neither; E_DATA */
  push(chunk: string | Uint8Array): void {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      throw new TilegradError("E_ARGUMENT", `${this.file}: got ${show(chunk)}; expected a text or its bytes.`, {
        hint: "readCsv takes a Blob or a stream, or a list of texts or bytes.",
      });
    }
    this.pushText(typeof chunk === "string" ? chunk : this.decoding.push(chunk));
  }

  end(): CsvResult {
    this.pushText(this.decoding.push(new Uint8Array(0), true));
    if (!this.tokenizer || !this.rows) [this.tokenizer, this.rows] = this.begin(true);
    this.tokenizer.end();
    const { encoding } = this.decoding;
    if (encoding === "windows-1252" && !this.options.encoding) {
      this.notes.push("The bytes are not UTF-8 and were read as windows-1252 (Latin-1).");
    }
    return { table: this.rows.finish(), delimiter: this.delimiter, encoding, notes: this.notes };
  }

  private pushText(text: string): void {
    if (this.tokenizer) {
      this.tokenizer.push(text);
      return;
    }
    this.sample += text;
    if (this.sample.length >= SAMPLE) [this.tokenizer, this.rows] = this.begin(false);
  }

  private begin(whole: boolean): [Tokenizer, RowCollector] {
    const text = this.sample.startsWith(BYTE_ORDER_MARK) ? this.sample.slice(1) : this.sample;
    this.sample = "";
    if (looksBinary(text, this.delimiter)) {
      throw new TilegradError("E_DATA", `${this.file}: got a binary file; expected lines of text.`, {
        hint: "Save a spreadsheet as CSV; images go into a folder, whose name is given instead.",
      });
    }
    const [line = "", separator] = SEPARATOR_LINE.exec(text) ?? [];
    const cells = text.slice(line.length);
    this.delimiter ||= separator ?? detectDelimiter(cells, whole);
    const rows = new RowCollector(this.file, this.delimiter, this.options, this.notes);
    const tokenizer = new Tokenizer(this.file, this.delimiter, rows, line === "" ? 1 : 2);
    tokenizer.push(cells);
    return [tokenizer, rows];
  }
}

/** Whether it begins as images, archives and spreadsheets do: with control characters. NUL may be UTF-16: see tokenize.ts. */
const looksBinary = (text: string, delimiter: string): boolean =>
  Array.from(text.slice(0, 16)).some((character) => character < " " && !`\0\t\n\v\f\r${delimiter}`.includes(character));

/** Whether a cell has more than blanks. */
function hasText(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) > 32 && text.charCodeAt(at) !== 0xa0) return true;
  return false;
}

/** Rows of cells -> column builders; the first row names the columns. */
class RowCollector implements CellSink {
  private readonly file: string;
  private readonly options: CsvOptions;
  private readonly notes: string[];
  private readonly reader: CellReader;
  private header: string[] = [];
  private builders: (ColumnBuilder | null)[] | null = null;
  private field = 0;
  private rows = 0;
  /** How many of the rows so far are blank ones at the end, whether the row that is read is, and what is wrong with such a one. */
  private trailing = 0;
  private isBlank = true;
  private ragged: TilegradError | null = null;
  private taken = false;
  private lines = new Uint32Array(1024);

  constructor(file: string, delimiter: string, options: CsvOptions, notes: string[]) {
    this.file = file;
    this.options = options;
    this.notes = notes;
    this.reader = new CellReader(delimiter !== ",");
  }

  cell(text: string, start: number, end: number, line: number): void {
    if (!this.builders) {
      this.header.push(text.slice(start, end).trim());
      if (this.header.length > MOST_COLUMNS) throw this.noHeader(line, "columns", MOST_COLUMNS);
      if (end - start > LONGEST_NAME) throw this.noHeader(line, "characters in a name", LONGEST_NAME);
    } else {
      if (hasText(text, start, end)) {
        if (this.ragged) throw this.ragged;
        this.isBlank = false;
      }
      if (this.field < this.builders.length) this.builders[this.field]?.add(this.reader, text, start, end, line);
    }
    this.field++;
  }

  endRow(line: number): void {
    if (!this.builders) {
      this.builders = this.openColumns(line);
    } else if (this.field !== this.header.length) {
      this.ragged ??= this.raggedError(line);
      if (!this.isBlank) throw this.ragged;
    } else if (!this.ragged) {
      if (this.rows === this.lines.length) {
        const longer = new Uint32Array(this.rows * 2);
        longer.set(this.lines);
        this.lines = longer;
      }
      this.lines[this.rows++] = line;
      this.trailing = this.isBlank ? this.trailing + 1 : 0;
    }
    this.field = 0;
    this.isBlank = true;
  }

  finish(): Table {
    if (!this.builders) {
      throw new TilegradError("E_DATA", `${this.file}: the file is empty; expected a header line and data lines.`);
    }
    if (this.waiting === 0 && !this.taken) {
      const got = `a header of ${this.header.length} columns and no data lines`;
      throw new TilegradError("E_DATA", `${this.file}: got ${got}; expected at least one data line.`);
    }
    if (this.trailing > 0 || this.ragged)
      this.notes.push("Lines without a value at the end of the file were left out.");
    const builders = this.builders.filter((builder) => builder !== null);
    const spellings = new Map<string, string[]>();
    for (const builder of builders) {
      for (const spelling of builder.spellings) {
        spellings.set(spelling, [...(spellings.get(spelling) ?? []), builder.name]);
      }
    }
    for (const [spelling, names] of spellings) this.notes.push(`${spelling} were read in: ${names.join(", ")}.`);
    for (const { meantNumeric } of builders) if (meantNumeric) this.notes.push(meantNumeric);
    return this.table((builder) => builder.finish(this.waiting));
  }

  /** Rows that were not taken yet, but for blank ones that may be the last. */
  get waiting(): number {
    return this.rows - this.trailing;
  }

  take(): Table {
    const { waiting, rows } = this;
    const table = this.table((builder) => builder.take(waiting));
    this.lines.copyWithin(0, waiting, rows);
    this.rows = this.trailing;
    this.taken = true;
    return table;
  }

  private table(columnOf: (builder: ColumnBuilder) => Column): Table {
    const columns = (this.builders ?? []).flatMap((builder) => (builder ? [columnOf(builder)] : []));
    return { name: this.file, rows: this.waiting, columns, lines: this.lines.slice(0, this.waiting) };
  }

  private openColumns(line: number): (ColumnBuilder | null)[] {
    const { file, options } = this;
    const names = this.header;
    const unnamed = names.flatMap((name, i) => (name === "" ? [i] : []));
    for (const i of unnamed) names[i] = `column_${i + 1}`;
    if (unnamed.length === 1 && unnamed[0] === 0) {
      // As pandas calls the index of rows that it, or R, has written.
      names[0] = names.includes("Unnamed: 0") ? "Unnamed: 0.1" : "Unnamed: 0";
      this.notes.push("Column 1 has no name in the header, as the index of rows that pandas writes: it is no input.");
    } else if (unnamed.length === 1) {
      this.notes.push(`Column ${unnamed[0] + 1} has no name in the header; it is called ${names[unnamed[0]]}.`);
    } else if (unnamed.length > 1) {
      const some = unnamed.slice(0, MOST_NAMED).map((i) => names[i]);
      const called = [...some, ...(unnamed.length > MOST_NAMED ? ["..."] : [])].join(", ");
      this.notes.push(`${unnamed.length} columns have no name in the header; they are called ${called}.`);
    }
    const seen = new Set<string>();
    const duplicate = names.find((name) => seen.size === seen.add(name).size);
    if (duplicate !== undefined) {
      const where = `${file}, line ${line}`;
      throw new TilegradError(
        "E_DATA",
        `${where}: two columns are named ${JSON.stringify(duplicate)}; expected unique names.`,
        { hint: "Rename one of them in the header line." },
      );
    }
    if (names.every((name) => !Number.isNaN(numberOf(name)))) {
      this.notes.push("The first line holds only numbers; it was read as the column names.");
    }
    const { categorical = [], categoricalIfPresent = [], numeric = [], skip = [] } = options;
    checkColumns(file, [...categorical, ...numeric, ...skip], names);
    const maxSpelled = Math.min(MAX_SPELLED_PER_COLUMN, Math.ceil(MAX_SPELLED / names.length));
    return names.map((name) => {
      if (skip.includes(name)) return null;
      const isCategorical = categorical.includes(name) || categoricalIfPresent.includes(name);
      const forced = isCategorical ? "categorical" : numeric.includes(name) ? "numeric" : undefined;
      return new ColumnBuilder(name, { file, forced, maxSpelled });
    });
  }

  private noHeader(line: number, what: string, most: number): TilegradError {
    return new TilegradError(
      "E_DATA",
      `${this.file}, line ${line}: got more than ${most} ${what}; expected at most ${most}.`,
      { hint: "Check that the first line names the columns, and the lines end where rows do." },
    );
  }

  private raggedError(line: number): TilegradError {
    const got = `${this.field} field${this.field === 1 ? "" : "s"}`;
    return new TilegradError("E_DATA", `${this.file}, line ${line}: got ${got}; expected ${this.header.length}.`, {
      hint: "Every line needs as many fields as the header; quote cells that contain the delimiter or a line end.",
    });
  }
}
