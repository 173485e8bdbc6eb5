/** Files that do not fit into memory: read in blocks, into columns on disk, then turned into rows on disk to train from. */
import { stat } from "node:fs/promises";
import path from "node:path";
import type { CsvOptions } from "../data/csv.ts";
import { readCsvBlocks } from "../data/csv.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import type { Unseen } from "../data/transform.ts";
import { transform } from "../data/transform.ts";
import { TilegradError } from "../errors.ts";
import type { ExampleStore, Labels } from "../experiment/rows.ts";
import { isGzip, openBytes } from "./byteStream.ts";
import type { StoredTable } from "./columnStore.ts";
import { ColumnStore } from "./columnStore.ts";
import { fileError } from "./files.ts";
import { isParquet, readParquetBlocks } from "./parquet.ts";
import { writeRows } from "./rowFile.ts";
import { Scratch } from "./scratch.ts";

/** Files from this size on are streamed unless the user says otherwise: in memory they would take about five times as much. */
const LARGE_FILE = 64 * 2 ** 20;
/** Bytes of a table to one of its gzip file, roughly. */
const UNPACKED = 4;
/** Rows that are parsed, and turned into inputs, at once. */
const PARSED_ROWS = 16_384;
const PIECE_ROWS = 8192;

/** Whether a file is to be streamed. */
export async function isLarge(file: string): Promise<boolean> {
  const found = await stat(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  return found.isFile() && found.size * (isGzip(file) ? UNPACKED : 1) >= LARGE_FILE;
}

/** What reading lets others know, and how they stop it. */
export interface Reading {
  readonly signal?: AbortSignal | undefined;
  /** What a user should know of a file. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** How far it is, in [0, 1], and in words; null once it has ended. */
  readonly onProgress?: ((share: number | null, text: string) => void) | undefined;
}

type BlockOptions = CsvOptions & Reading;

const count = (n: number): string => n.toLocaleString("en-US");

export interface StreamOptions extends CsvOptions, Reading {
  readonly scratch: Scratch;
  /** Columns of which the name is enough. */
  readonly unused?: readonly string[];
}

/** A CSV or Parquet file as columns on disk. @throws E_FILE, E_DATA, E_ABORTED */
export async function storeTable(file: string, options: StreamOptions): Promise<StoredTable> {
  const { scratch, unused = [], categoricalIfPresent = [], ...rest } = options;
  const late: string[] = [];
  for (;;) {
    const store = new ColumnStore(scratch, unused);
    const kinds = { ...rest, categoricalIfPresent: [...categoricalIfPresent, ...late] };
    // To the end even where a column's first text came late: whether so few are mistakes is known only then.
    for await (const block of readBlocks(file, kinds, unused)) store.add(block);
    if (store.late.size === 0) return store.finish();
    // What was read of them as numbers has lost its spelling.
    for (const column of store.late) {
      late.push(column);
      options.onNote?.(`column ${JSON.stringify(column)} has texts; reading the file again.`);
    }
  }
}

/** The rows of a CSV or Parquet file, some thousands at a time; of `unused` columns nobody needs the cells. @throws E_FILE, E_DATA, E_ABORTED */
export async function* readBlocks(
  file: string,
  { onNote, onProgress, ...options }: BlockOptions,
  unused: readonly string[] = [],
): AsyncGenerator<Table, void> {
  const name = path.basename(file);
  let notes: readonly string[] = [];
  try {
    const { size } = await stat(file);
    const csv = isParquet(file) ? null : openBytes(file);
    const blocks = csv
      ? readCsvBlocks(csv.bytes, { name, ...options, rows: PARSED_ROWS })
      : readParquetBlocks(file, { ...options, unused });
    let rows = 0;
    for (;;) {
      const next = await blocks.next();
      if (next.done) {
        notes = next.value.notes;
        break;
      }
      yield next.value;
      rows += next.value.rows;
      onProgress?.((csv?.bytesRead() ?? 0) / size, `reading ${name}: ${count(rows)} rows`);
    }
  } catch (error) {
    throw fileError(error, "read", file);
  } finally {
    onProgress?.(null, "");
  }
  for (const note of notes) onNote?.(note);
}

/** The inputs of some rows of columns on disk, piece by piece, in the order of the file. */
function* inputsOf(
  preprocessor: Preprocessor,
  table: StoredTable,
  rows: Uint32Array,
  seen: (done: number, warnings: readonly string[]) => void,
): Generator<Float32Array, void> {
  const unseen: Unseen = new Map();
  for (let at = 0; at < rows.length; at += PIECE_ROWS) {
    const piece = rows.subarray(at, at + PIECE_ROWS);
    const start = piece[0];
    const slice = table.slice(start, piece[piece.length - 1] + 1);
    const { x, warnings } = transform(
      preprocessor,
      slice,
      piece.map((row) => row - start),
      unseen,
    );
    yield x;
    seen(at + piece.length, warnings);
  }
}

/** Examples as temporary files to train from. */
export class FileExamples implements ExampleStore {
  private readonly scratch: Scratch;
  private readonly reading: Reading;

  constructor(scratch: Scratch, reading: Reading = {}) {
    this.scratch = scratch;
    this.reading = reading;
  }

  async keep(name: string, preprocessor: Preprocessor, table: Table, rows: Uint32Array, labels: Labels) {
    const { signal, onProgress } = this.reading;
    let warnings: readonly string[] = [];
    const pieces = inputsOf(preprocessor, table as StoredTable, rows, (done, told) => {
      warnings = told;
      onProgress?.(done / rows.length, `${name} rows: ${count(done)} of ${count(rows.length)}`);
    });
    try {
      const inputs = preprocessor.featureNames.length;
      const written = await writeRows(this.scratch, inputs, interruptibly(pieces, signal), labels);
      return { examples: { ...labels, ...written }, warnings };
    } finally {
      onProgress?.(null, "");
    }
  }

  another(): FileExamples {
    return new FileExamples(new Scratch(), { signal: this.reading.signal });
  }

  dispose(): void {
    this.scratch.dispose();
  }
}

/** Lets signals have their turn. */
async function* interruptibly<T>(items: Iterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T, void> {
  for (const item of items) {
    yield item;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) throw new TilegradError("E_ABORTED", "Preparing the rows was cancelled.");
  }
}
