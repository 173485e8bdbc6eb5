/** Parquet files as tables, through the optional package hyparquet, and hyparquet-compressors for what is not Snappy. */
import { open, stat } from "node:fs/promises";
import path from "node:path";
import type { ColumnMetaData, FileMetaData, SchemaTree } from "hyparquet";
import type { CsvOptions } from "../data/csv.ts";
import type { CellValue, Column, Table } from "../data/table.ts";
import { checkColumns, tableFromColumns } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { decoders } from "./decoders.ts";
import { fileError } from "./files.ts";
import type { Limits } from "./guarded.ts";
import { peerUrl } from "./peers.ts";

export type ParquetOptions = Pick<CsvOptions, "categorical" | "categoricalIfPresent" | "numeric" | "skip"> & {
  readonly signal?: AbortSignal;
  /** Columns that nobody needs: one that cannot be read is no error. */
  readonly unused?: readonly string[];
};

export const isParquet = (file: string): boolean => /\.(parquet|pq)$/i.test(file);

/** By column name: a map, since files name columns as they like; null for what nobody needs and nothing reads. */
type Cells = ReadonlyMap<string, ArrayLike<CellValue> | null>;

/** The rows of a file, a row group at a time; as `readParquet`. */
export async function* readParquetBlocks(
  file: string,
  options: ParquetOptions,
): AsyncGenerator<Table, { readonly notes: readonly string[] }> {
  for await (const cells of rowGroups(file, options)) yield tableOf(path.basename(file), cells, options);
  return { notes: [] };
}

/**
 * A file as a table. Numbers become numeric columns, dates and timestamps too (days since 1970); texts and booleans become
 * categories. The index columns that pandas adds without a name are left out.
 * @throws E_PEER without the packages; E_FILE; E_DATA for a file that is damaged, for columns of nested and other types that have
 *   no place in a table, for integers beyond 2^53 outside `categorical`, and for columns that are not there or not of the kind
 *   asked for; E_ABORTED
 */
export async function readParquet(file: string, options: ParquetOptions): Promise<Table> {
  const all = new Map<string, CellValue[] | null>();
  for await (const cells of rowGroups(file, options)) {
    for (const [column, values] of cells) {
      const known = all.get(column);
      if (!known) all.set(column, values && Array.from(values));
      else for (let row = 0; row < (values?.length ?? 0); row++) known.push(values![row]);
    }
  }
  return tableOf(path.basename(file), all, options);
}

/** pandas writes the index of rows, where it has no name, as a column. */
const PANDAS_INDEX = /^__index_level_\d+__$/;
/** A row group is held in memory, a column at a time. */
const MAX_GROUP_ROWS = 2 ** 27;
/** What hyparquet reads by itself. */
const OWN_CODECS = ["UNCOMPRESSED", "SNAPPY"];

async function* rowGroups(file: string, options: ParquetOptions): AsyncGenerator<Cells, void> {
  const name = path.basename(file);
  const url = peerUrl("hyparquet", "Reading Parquet");
  const { size } = await stat(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  /** What damaged bytes make the package do, it throws, or does not end. */
  const decode = <T>(call: string, args: readonly unknown[], bytes: number, rows = 0): Promise<T> =>
    decoders
      .call<T>(call, [path.resolve(file), url, ...args], limitsOf(name, bytes, rows, options.signal))
      .catch((error: unknown) => {
        throw error instanceof TilegradError ? error : damaged(name, error);
      });
  const footer = await decode<Footer>("openParquet", [], await footerBytes(file, size));
  const { names, columns } = wanted(name, footer, size, options);
  let start = 0;
  for (const group of footer.metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (rows === 0) continue;
    const cells = new Map<string, ArrayLike<CellValue> | null>();
    for (const column of names) {
      if (options.skip?.includes(column)) continue;
      cells.set(column, null);
      if (!columns.has(column)) continue;
      const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)?.meta_data;
      if (!chunk) throw damaged(name, new Error(`no values of column ${JSON.stringify(column)}`));
      const purpose = "Reading Parquet that is not compressed with Snappy";
      const compressors = OWN_CODECS.includes(chunk.codec) ? null : peerUrl("hyparquet-compressors", purpose);
      const args = [column, start, start + rows, compressors];
      const values = await decode<ArrayLike<CellValue>>("readParquet", args, Number(chunk.total_compressed_size), rows);
      if (values.length !== rows) throw damaged(name, new Error(`${values.length} values of ${rows}`));
      cells.set(column, values);
    }
    yield cells;
    start += rows;
  }
}

interface Footer {
  readonly metadata: FileMetaData;
  readonly columns: readonly SchemaTree[];
}

interface Wanted {
  readonly names: readonly string[];
  /** Those of them to read. */
  readonly columns: ReadonlySet<string>;
}

/** What there is to read, by a footer that may have any holes. @throws E_DATA */
function wanted(name: string, { metadata, columns: found }: Footer, size: number, options: ParquetOptions): Wanted {
  const { categorical = [], numeric = [], skip = [], unused = [] } = options;
  try {
    checkFooter(metadata, size);
    const leaves = found.filter(({ element }) => !PANDAS_INDEX.test(element.name));
    const names = leaves.map(({ element }) => element.name);
    checkColumns(name, [...categorical, ...numeric], names);
    if (Number(metadata.num_rows) === 0) throw new TilegradError("E_DATA", `${name}: got no rows; expected some.`);
    const columns = new Set<string>();
    for (const leaf of leaves) {
      const column = leaf.element.name;
      if (skip.includes(column)) continue;
      const reason = unreadable(leaf, metadata);
      if (!reason) columns.add(column);
      else if (!unused.includes(column)) {
        const where = `${name}, column ${JSON.stringify(column)}`;
        throw new TilegradError("E_DATA", `${where}: got ${reason}; expected one value a row.`, {
          hint: `Leave it out: --exclude ${column} (option \`exclude\`).`,
        });
      }
    }
    return { names, columns };
  } catch (error) {
    throw error instanceof TilegradError ? error : damaged(name, error);
  }
}

/** What reading a part may take: the package manages some millions of values, and of bytes, a second. */
const limitsOf = (where: string, bytes: number, rows: number, signal: AbortSignal | undefined): Limits => ({
  where,
  seconds: 1 + bytes / 500_000 + rows / 500_000,
  bytes: 2 ** 28 + 40 * bytes + 200 * rows,
  signal,
});

const damaged = (name: string, cause: unknown): TilegradError =>
  new TilegradError("E_DATA", `${name}: cannot read it as Parquet: ${(cause as Error).message}`, {
    hint: "Write the file again.",
    cause,
  });

/** The length of the footer by the end of the file, never more than the file has. */
async function footerBytes(file: string, size: number): Promise<number> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, Math.max(0, size - 8));
    return bytesRead < 8 ? size : Math.min(size, buffer.readUInt32LE(0));
  } catch (error) {
    throw fileError(error, "read", file);
  } finally {
    await handle.close();
  }
}

/** Holds what the footer claims against the file and against itself, before any memory is taken for it. @throws Error */
function checkFooter({ num_rows, row_groups: groups }: FileMetaData, size: number): void {
  let all = 0;
  for (const { num_rows, columns } of groups) {
    const rows = Number(num_rows);
    if (!(rows >= 0 && rows <= MAX_GROUP_ROWS)) {
      throw new Error(`a row group of ${rows} rows (at most ${MAX_GROUP_ROWS} are read)`);
    }
    all += rows;
    for (const { meta_data: chunk } of columns) {
      if (!chunk) continue;
      const column = JSON.stringify(chunk.path_in_schema.join("."));
      const first = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      const bytes = Number(chunk.total_compressed_size);
      if (!(first >= 0 && bytes >= 0 && first + bytes <= size)) {
        throw new Error(`column ${column} lies in bytes ${first} to ${first + bytes} of a file of ${size}`);
      }
      // Lists have more values than rows.
      if (chunk.path_in_schema.length === 1 && Number(chunk.num_values) !== rows) {
        throw new Error(`column ${column} has ${chunk.num_values} values for ${rows} rows`);
      }
    }
  }
  if (all !== Number(num_rows)) throw new Error(`row groups of ${all} rows in a file of ${num_rows}`);
}

/** Why a column cannot be one of a table, or null. */
function unreadable({ element, children }: SchemaTree, { row_groups: groups }: FileMetaData): string | null {
  if (children.length > 0 || element.repetition_type === "REPEATED") return "nested values";
  const type = element.converted_type ?? element.logical_type?.type;
  if (type === "INTERVAL") return "intervals";
  if (type === "JSON" || type === "BSON") return type;
  if (type === "UINT_32" && groups.some(({ columns }) => columns.some(isWrapped))) {
    return "unsigned integers of 32 bits in differences (DELTA_BINARY_PACKED), which hyparquet reads wrong from 2^31 on";
  }
  return null;

  function isWrapped({ meta_data: chunk }: { meta_data?: ColumnMetaData }): boolean {
    if (chunk?.path_in_schema[0] !== element.name || !chunk.encodings.includes("DELTA_BINARY_PACKED")) return false;
    const most = chunk.statistics?.max_value ?? chunk.statistics?.max;
    return !(typeof most === "number" && most >= 0 && most < 2 ** 31);
  }
}

function tableOf(
  name: string,
  cells: Cells,
  { categorical = [], categoricalIfPresent = [], numeric = [] }: ParquetOptions,
): Table {
  const texts = new Set([...categorical, ...categoricalIfPresent]);
  const values = [...cells].flatMap(([column, given]) =>
    given ? [[column, texts.has(column) ? Array.from(given, textOf) : given] as const] : [],
  );
  const table = tableFromColumns(Object.fromEntries(values), { name });
  const read = new Map(table.columns.map((column) => [column.name, column]));
  const found = [...cells.keys()].map((column): Column => {
    const made = read.get(column);
    const none = { name: column, kind: "categorical" as const, levels: [] };
    if (!made) return { ...none, codes: new Int32Array(0), left: "unused" };
    // A column without any value has no kind of its own.
    const isText = texts.has(column) && made.kind === "numeric";
    return isText ? { ...none, codes: new Int32Array(table.rows).fill(-1) } : made;
  });
  const wrong = found.find((column) => numeric.includes(column.name) && column.kind !== "numeric");
  if (wrong) {
    throw new TilegradError("E_DATA", `${name}, column ${JSON.stringify(wrong.name)}: got texts; expected numbers.`);
  }
  return { ...table, columns: found };
}

/** As a CSV file would have it. */
const textOf = (value: CellValue): string | null => {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  return value instanceof Date ? value.toISOString() : String(value);
};
