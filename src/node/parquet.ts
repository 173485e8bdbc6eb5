/** Parquet files as tables, through the optional package hyparquet. */
import path from "node:path";
import type { CsvOptions } from "../data/csv.ts";
import type { CellValue, Table } from "../data/table.ts";
import { checkColumns, tableFromColumns } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import { fileError } from "./files.ts";
import { importPeer } from "./peers.ts";

export type ParquetOptions = Pick<CsvOptions, "categorical" | "categoricalIfPresent" | "numeric" | "skip"> & {
  readonly signal?: AbortSignal;
};

export const isParquet = (file: string): boolean => /\.(parquet|pq)$/i.test(file);

type Cells = Readonly<Record<string, readonly CellValue[]>>;

/** The rows of a file, a row group at a time; as `readParquet`. */
export async function* readParquetBlocks(
  file: string,
  options: ParquetOptions,
): AsyncGenerator<Table, { readonly notes: readonly string[] }> {
  for await (const cells of rowGroups(file, options)) yield tableOf(path.basename(file), cells, options);
  return { notes: [] };
}

/**
 * A file as a table. Numbers become numeric columns, dates and timestamps too (milliseconds since
 * 1970); texts and booleans become categories.
 * @throws E_PEER without the package; E_FILE; E_DATA for a file that is damaged or has nested columns, and for columns that
 *   are not there or not of the kind asked for; E_ABORTED
 */
export async function readParquet(file: string, options: ParquetOptions): Promise<Table> {
  const all: Record<string, CellValue[]> = {};
  for await (const cells of rowGroups(file, options)) {
    for (const [column, values] of Object.entries(cells)) {
      all[column] ??= [];
      for (const value of values) all[column].push(value);
    }
  }
  return tableOf(path.basename(file), all, options);
}

async function* rowGroups(file: string, options: ParquetOptions): AsyncGenerator<Cells, void> {
  const name = path.basename(file);
  const parquet = await importPeer("hyparquet", "Reading Parquet", () => import("hyparquet"));
  const buffer = await parquet.asyncBufferFromFile(file).catch((error: unknown) => {
    throw fileError(error, "read", file);
  });
  const damaged = (cause: unknown): TilegradError =>
    new TilegradError("E_DATA", `${name}: cannot read it as Parquet: ${(cause as Error).message}`, {
      hint: "Write the file again, compressed with Snappy or not at all.",
      cause,
    });
  const metadata = await parquet.parquetMetadataAsync(buffer).catch((error: unknown) => {
    throw damaged(error);
  });
  const names = parquet.parquetSchema(metadata).children.map(({ element }) => element.name);
  const { categorical = [], numeric = [], skip = [] } = options;
  checkColumns(name, [...categorical, ...numeric], names);
  if (Number(metadata.num_rows) === 0) throw new TilegradError("E_DATA", `${name}: got no rows; expected some.`);
  const columns = names.filter((column) => !skip.includes(column));
  let start = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    if (options.signal?.aborted) throw new TilegradError("E_ABORTED", `${name}: reading was aborted.`);
    const end = start + Number(rows);
    if (end === start) continue;
    const read = { file: buffer, metadata, columns, rowStart: start, rowEnd: end };
    const records = await parquet.parquetReadObjects(read).catch((error: unknown) => {
      throw damaged(error);
    });
    yield Object.fromEntries(columns.map((column) => [column, records.map((record) => record[column] as CellValue)]));
    start = end;
  }
}

function tableOf(
  name: string,
  cells: Cells,
  { categorical = [], categoricalIfPresent = [], numeric = [] }: ParquetOptions,
): Table {
  const texts = new Set([...categorical, ...categoricalIfPresent]);
  const values = Object.entries(cells).map(
    ([column, given]) => [column, texts.has(column) ? given.map(textOf) : given] as const,
  );
  const table = tableFromColumns(Object.fromEntries(values), { name });
  // A column without any value has no kind of its own.
  const found = table.columns.map((column) =>
    texts.has(column.name) && column.kind === "numeric"
      ? { name: column.name, kind: "categorical" as const, levels: [], codes: new Int32Array(table.rows).fill(-1) }
      : column,
  );
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
