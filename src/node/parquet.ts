/** Parquet files as tables, through the optional package hyparquet, and hyparquet-compressors for what is not Snappy. */
import path from "node:path";
import type { ColumnMetaData, FileMetaData, SchemaTree } from "hyparquet";
import type { CsvOptions } from "../data/csv.ts";
import type { CellValue, Column, Table } from "../data/table.ts";
import { checkColumns, tableFromColumns } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { fileError } from "./files.ts";
import { importPeer } from "./peers.ts";

export type ParquetOptions = Pick<CsvOptions, "categorical" | "categoricalIfPresent" | "numeric" | "skip"> & {
  readonly signal?: AbortSignal;
  /** Columns that nobody needs: one that cannot be read is no error. */
  readonly unused?: readonly string[];
};

export const isParquet = (file: string): boolean => /\.(parquet|pq)$/i.test(file);

/** By column name: a map, since files name columns as they like; null for what nobody needs and nothing reads. */
type Cells = ReadonlyMap<string, readonly CellValue[] | null>;

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
      if (!known) all.set(column, values && [...values]);
      else for (const value of values ?? []) known.push(value);
    }
  }
  return tableOf(path.basename(file), all, options);
}

/** pandas writes the index of rows, where it has no name, as a column. */
const PANDAS_INDEX = /^__index_level_\d+__$/;
/** What hyparquet reads by itself. */
const OWN_CODECS = ["UNCOMPRESSED", "SNAPPY"];

async function* rowGroups(file: string, options: ParquetOptions): AsyncGenerator<Cells, void> {
  const name = path.basename(file);
  const parquet = await importPeer("hyparquet", "Reading Parquet", () => import("hyparquet"));
  const buffer = await parquet.asyncBufferFromFile(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  const damaged = (cause: unknown): TilegradError =>
    new TilegradError("E_DATA", `${name}: cannot read it as Parquet: ${(cause as Error).message}`, {
      hint: "Write the file again.",
      cause,
    });
  const metadata = await parquet.parquetMetadataAsync(buffer).catch((error: unknown) => {
    throw damaged(error);
  });
  const leaves = parquet.parquetSchema(metadata).children.filter(({ element }) => !PANDAS_INDEX.test(element.name));
  const names = leaves.map(({ element }) => element.name);
  const { categorical = [], numeric = [], skip = [], unused = [] } = options;
  checkColumns(name, [...categorical, ...numeric], names);
  if (Number(metadata.num_rows) === 0) throw new TilegradError("E_DATA", `${name}: got no rows; expected some.`);
  const columns: string[] = [];
  for (const leaf of leaves) {
    const column = leaf.element.name;
    if (skip.includes(column)) continue;
    const reason = unreadable(leaf, metadata);
    if (!reason) columns.push(column);
    else if (!unused.includes(column)) {
      throw new TilegradError(
        "E_DATA",
        `${name}, column ${JSON.stringify(column)}: got ${reason}; expected one value a row.`,
        {
          hint: `Leave it out: --exclude ${column} (option \`exclude\`).`,
        },
      );
    }
  }
  const packed = metadata.row_groups
    .flatMap((group) => group.columns)
    .some(
      ({ meta_data: chunk }) => chunk && columns.includes(chunk.path_in_schema[0]) && !OWN_CODECS.includes(chunk.codec),
    );
  const purpose = "Reading Parquet that is not compressed with Snappy";
  const compressors = packed
    ? (await importPeer("hyparquet-compressors", purpose, () => import("hyparquet-compressors"))).compressors
    : {};
  let start = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    if (options.signal?.aborted) throw new TilegradError("E_ABORTED", `${name}: reading was aborted.`);
    const end = start + Number(rows);
    if (end === start) continue;
    const cells = new Map<string, CellValue[] | null>(
      names.map((column) => [column, columns.includes(column) ? [] : null]),
    );
    for (const column of skip) cells.delete(column);
    const onChunk = ({ columnName, columnData }: { columnName: string; columnData: ArrayLike<unknown> }): void => {
      const column = cells.get(columnName);
      for (let i = 0; i < columnData.length; i++) column?.push(columnData[i] as CellValue);
    };
    if (columns.length > 0) {
      const read = { file: buffer, metadata, columns, compressors, rowStart: start, rowEnd: end, onChunk };
      await parquet.parquetRead(read).catch((error: unknown) => {
        throw damaged(error);
      });
    }
    yield cells;
    start = end;
  }
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
    given ? [[column, texts.has(column) ? given.map(textOf) : given] as const] : [],
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
