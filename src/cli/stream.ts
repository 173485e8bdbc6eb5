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
import { isGzip, openBytes } from "../node/byteStream.ts";
import type { StoredTable } from "../node/columnStore.ts";
import { ColumnStore } from "../node/columnStore.ts";
import { fileError } from "../node/files.ts";
import { isParquet, readParquetBlocks } from "../node/parquet.ts";
import type { RowFile, RowLabels } from "../node/rowFile.ts";
import { writeRows } from "../node/rowFile.ts";
import type { Scratch } from "../node/scratch.ts";
import { count, print, Status } from "./terminal/terminal.ts";

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

interface BlockOptions extends CsvOptions {
  readonly signal?: AbortSignal;
  readonly quiet?: boolean;
}

export interface StreamOptions extends BlockOptions {
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
    for await (const block of readBlocks(file, kinds)) store.add(block);
    if (store.late.size === 0) return store.finish();
    // What was read of them as numbers has lost its spelling.
    for (const column of store.late) {
      late.push(column);
      if (!options.quiet) print(`note: column ${JSON.stringify(column)} has texts; reading the file again.`);
    }
  }
}

/** The rows of a CSV or Parquet file, some thousands at a time. @throws E_FILE, E_DATA, E_ABORTED */
export async function* readBlocks(
  file: string,
  { quiet = false, ...options }: BlockOptions,
): AsyncGenerator<Table, void> {
  const name = path.basename(file);
  const status = new Status({ quiet });
  let notes: readonly string[] = [];
  try {
    const { size } = await stat(file);
    const csv = isParquet(file) ? null : openBytes(file);
    const blocks = csv
      ? readCsvBlocks(csv.bytes, { name, ...options, rows: PARSED_ROWS })
      : readParquetBlocks(file, options);
    let rows = 0;
    for (;;) {
      const next = await blocks.next();
      if (next.done) {
        notes = next.value.notes;
        break;
      }
      yield next.value;
      rows += next.value.rows;
      status.show((csv?.bytesRead() ?? 0) / size, `reading ${name}: ${count(rows)} rows`);
    }
  } catch (error) {
    throw fileError(error, "read", file);
  } finally {
    status.end();
  }
  if (!quiet) for (const note of notes) print(`note: ${note}`);
}

/** Where and how rows are written. */
export interface Streaming {
  readonly scratch: Scratch;
  readonly quiet: boolean;
  readonly signal: AbortSignal;
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

/**
 * The inputs of rows as a file to train from.
 * @param rows ascending
 * @throws E_FILE, E_DATA, E_ABORTED
 */
export async function streamedPart(
  name: string,
  preprocessor: Preprocessor,
  table: StoredTable,
  rows: Uint32Array,
  labels: RowLabels,
  { scratch, quiet, signal }: Streaming,
): Promise<{ readonly part: RowFile; readonly warnings: readonly string[] }> {
  const status = new Status({ quiet });
  let warnings: readonly string[] = [];
  const pieces = inputsOf(preprocessor, table, rows, (done, told) => {
    warnings = told;
    status.show(done / rows.length, `${name} rows: ${count(done)} of ${count(rows.length)}`);
  });
  try {
    const inputs = preprocessor.featureNames.length;
    const part = await writeRows(scratch, inputs, interruptibly(pieces, signal), labels);
    return { part, warnings };
  } finally {
    status.end();
  }
}

/** Lets signals have their turn. */
async function* interruptibly<T>(items: Iterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  for (const item of items) {
    yield item;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new TilegradError("E_ABORTED", "Preparing the rows was cancelled.");
  }
}

/** One source after the other. */
export function joinedSources(a: RowFile, b: RowFile): RowFile {
  const labels = joinedLabels(a, b);
  const { y, sampleWeight } = labels;
  return {
    rows: y.length,
    ...labels,
    fingerprint: `${a.fingerprint} ${b.fingerprint}`,
    async read(start, size) {
      const end = start + size;
      const parts = [
        ...(start < a.rows ? [await a.read(start, Math.min(end, a.rows) - start)] : []),
        ...(end > a.rows ? [await b.read(Math.max(0, start - a.rows), end - Math.max(start, a.rows))] : []),
      ];
      if (parts.length === 1) return parts[0];
      const [first, second] = parts;
      const x = joined(first.x, second.x);
      const weights = sampleWeight ? { sampleWeight: sampleWeight.subarray(start, end) } : {};
      return { x, y: y.subarray(start, end), ...weights };
    },
  };
}

/** Those of some rows after those of others, which have the same kinds. */
export function joinedLabels(a: RowLabels, b: RowLabels): RowLabels {
  return {
    y: joined(a.y, b.y),
    ...(a.sampleWeight && b.sampleWeight ? { sampleWeight: joined(a.sampleWeight, b.sampleWeight) } : {}),
    ...(a.amounts && b.amounts
      ? { amounts: filled(new Float64Array(a.amounts.length + b.amounts.length), a.amounts, b.amounts) }
      : {}),
  };
}

/** One list after the other. */
export const joined = (a: ArrayLike<number>, b: ArrayLike<number>): Float32Array =>
  filled(new Float32Array(a.length + b.length), a, b);

function filled<T extends Float32Array | Float64Array>(both: T, a: ArrayLike<number>, b: ArrayLike<number>): T {
  both.set(a);
  both.set(b, a.length);
  return both;
}
