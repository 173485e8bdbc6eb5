import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import { nearest } from "../nearest.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkObject, checkOptions, checkValue } from "../options.ts";

/** A column of numbers, f64 [rows]; NaN = missing, never infinite. */
export interface NumericColumn {
  readonly name: string;
  readonly kind: "numeric";
  readonly values: Float64Array;
  /** The numbers are dates, as days since 1970-01-01. */
  readonly date?: boolean;
}

/** A dictionary-coded column: row r holds `levels[codes[r]]`, or nothing where the code is -1. */
export interface CategoricalColumn {
  readonly name: string;
  readonly kind: "categorical";
  readonly codes: Int32Array;
  readonly levels: readonly string[];
  /** Why it has neither levels nor codes: nobody needed it, or it has more levels than are kept. */
  readonly left?: "unused" | "too many levels";
}

export type Column = NumericColumn | CategoricalColumn;

/** Columns of equal length. `name` (a file name, say) and `lines` only serve error messages. */
export interface Table {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** The 1-based physical line of each row in the text it was read from. */
  readonly lines?: Uint32Array;
  /** The cells are on disk: a look at a column reads all of it. */
  readonly onDisk?: boolean;
}

/** The column of that name. @throws E_DATA naming it and the columns there are. */
export function columnOf(table: Table, name: string): Column {
  checkTable(table);
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column) return column;
  throw missingColumns(
    table.name,
    [name],
    table.columns.map((candidate) => candidate.name),
  );
}

/** Absent columns, and columns there are, that an error names. */
const MOST_ABSENT = 5;
const MOST_LISTED = 20;

/** @throws E_DATA naming the columns that are asked for but absent, and those there are */
export function checkColumns(file: string, asked: readonly string[], columns: readonly string[]): void {
  const absent = [...new Set(asked)].filter((name) => !columns.includes(name));
  if (absent.length > 0) throw missingColumns(file, absent, columns);
}

/** @throws E_ARGUMENT */
export function checkTable(table: Table): void {
  checkFields("table", table, { columns: is.list, rows: is.number }, "a table, as readCsv and tableFromColumns give");
}

function missingColumns(file: string, absent: readonly string[], columns: readonly string[]): TilegradError {
  const all = columns.length > MOST_LISTED ? `, ... (${columns.length} in all)` : "";
  const shown = columns.slice(0, MOST_LISTED).join(", ") + all;
  const more = absent.length > MOST_ABSENT ? ` and ${absent.length - MOST_ABSENT} more` : "";
  const names = absent.slice(0, MOST_ABSENT).map((name) => JSON.stringify(name));
  const none = absent.length === 1 ? `is no column ${names[0]}` : `are no columns ${names.join(", ")}${more}`;
  const near = nearest(absent[0], columns);
  const meant = absent.length === 1 ? "" : ` with ${names[0]}`;
  return new TilegradError("E_DATA", `${file}: there ${none}; the columns are ${shown}.`, {
    hint: near ? `Did you mean ${JSON.stringify(near)}${meant}?` : "Check the spelling and the header line.",
  });
}

/** "file.csv, line 7, column "age"", or row numbers (0-based) where the table did not come from text. */
export function whereIs(table: Table, row: number, column?: string): string {
  const place = table.lines ? `line ${table.lines[row]}` : `row ${row}`;
  return `${table.name}, ${place}${column === undefined ? "" : `, column ${JSON.stringify(column)}`}`;
}

/** The cell as text, "" where it is missing. */
export function cellText(column: Column, row: number): string {
  if (column.kind === "categorical") return column.codes[row] < 0 ? "" : column.levels[column.codes[row]];
  return Number.isNaN(column.values[row]) ? "" : String(column.values[row]);
}

export function isMissing(column: Column, row: number): boolean {
  return column.kind === "numeric" ? Number.isNaN(column.values[row]) : column.codes[row] < 0;
}

/** A value of a record or array; null, undefined, "" and NaN are missing. */
export type CellValue = number | string | boolean | bigint | Date | null | undefined;

const tableOptions = {
  /** What errors call it; default "table". */
  name: is.string,
};

export interface TableOptions extends OptionsOf<typeof tableOptions> {}

/**
 * A table of named arrays of equal length: typed arrays, arrays of numbers and of dates (as days since 1970) become
 * numeric columns, arrays that hold any string or boolean categorical ones.
 * @throws E_DATA for unequal lengths, no columns, infinite numbers and values of other types.
 */
export function tableFromColumns(columns: Record<string, ArrayLike<CellValue>>, options: TableOptions = {}): Table {
  checkObject("tableFromColumns", columns, "{ column: values }");
  const { name = "table" } = checkOptions("tableFromColumns", options, tableOptions);
  const entries = Object.entries(columns);
  for (const [column, values] of entries) checkValue("tableFromColumns", column, values, is.values);
  return tableFromEntries(entries, name);
}

function tableFromEntries(entries: readonly (readonly [string, ArrayLike<CellValue>])[], name: string): Table {
  if (entries.length === 0) throw new TilegradError("E_DATA", `${name}: got no columns; expected at least one.`);
  const rows = entries[0][1].length;
  for (const [column, values] of entries) {
    if (values.length === rows) continue;
    const first = JSON.stringify(entries[0][0]);
    const got = `column ${JSON.stringify(column)} has ${values.length} rows, ${first} has ${rows}`;
    throw new TilegradError("E_DATA", `${name}: ${got}; expected equal lengths.`);
  }
  return { name, rows, columns: entries.map(([column, values]) => columnFrom(name, column, values)) };
}

/**
 * A table of row objects; the columns are all keys, in the order in which they first appear.
 * @throws E_DATA as `tableFromColumns`.
 */
export function tableFromRecords(
  records: readonly Readonly<Record<string, CellValue>>[],
  options: TableOptions = {},
): Table {
  checkValue("tableFromRecords", "records", records, is.list);
  const { name = "table" } = checkOptions("tableFromRecords", options, tableOptions);
  for (const [i, record] of records.entries()) checkObject(`tableFromRecords: [${i}]`, record, "{ column: value }");
  const names = new Set<string>();
  for (const record of records) for (const key of Object.keys(record)) names.add(key);
  const columns = [...names].map((key) => [key, records.map((record) => own(record, key))] as const);
  return tableFromEntries(columns, name);
}

/** Not what every object inherits under names such as "constructor". */
const own = (record: Readonly<Record<string, CellValue>>, name: string): CellValue =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const DAY = 86_400_000;

/** The given rows, or all rows 0..n-1 without them. @throws E_ARGUMENT for a row that does not exist. */
export function rowList(table: Table, rows?: ArrayLike<number>): Uint32Array {
  checkTable(table);
  if (rows !== undefined) checkValue(table.name, "rows", rows, is.values);
  if (!rows) return Uint32Array.from({ length: table.rows }, (_, i) => i);
  for (let i = 0; i < rows.length; i++) {
    if (Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < table.rows) continue;
    const expected = `expected whole numbers from 0 to ${table.rows - 1}`;
    throw new TilegradError("E_ARGUMENT", `${table.name}: got row ${rows[i]} in a row list; ${expected}.`, {
      hint: "Row numbers count data lines from 0; check that the list was made for this file.",
    });
  }
  return Uint32Array.from(rows);
}

function columnFrom(table: string, name: string, values: ArrayLike<CellValue>): Column {
  const isText = (value: CellValue) => (typeof value === "string" ? value !== "" : typeof value === "boolean");
  if (!ArrayBuffer.isView(values) && Array.prototype.some.call(values, isText)) {
    return encodeLevels(name, values.length, (row) => {
      const value = values[row];
      return isAbsent(value) ? "" : String(value);
    });
  }
  const isDate = !ArrayBuffer.isView(values) && Array.prototype.some.call(values, (value) => value instanceof Date);
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < numbers.length; row++) {
    const value = values[row];
    numbers[row] = isAbsent(value) ? Number.NaN : Number(value);
    if (typeof value === "bigint" && !Number.isSafeInteger(numbers[row])) {
      const where = `${table}, row ${row}, column ${JSON.stringify(name)}`;
      throw new TilegradError(
        "E_DATA",
        `${where}: got ${value}; expected an integer within 2^53, as doubles hold them.`,
        {
          hint: `If these are ids or codes, read them as texts: --id ${name} or --categorical ${name} (option \`categorical\`, or strings).`,
        },
      );
    }
    const wrongType = !isAbsent(value) && Number.isNaN(numbers[row]);
    if (!wrongType && (Number.isNaN(numbers[row]) || Number.isFinite(numbers[row]))) continue;
    const where = `${table}, row ${row}, column ${JSON.stringify(name)}`;
    throw new TilegradError("E_DATA", `${where}: got ${String(value)}; expected a finite number.`, {
      hint: "Use NaN or null for a missing value.",
    });
  }
  if (isDate) return { name, kind: "numeric", values: numbers.map((value) => value / DAY), date: true };
  return { name, kind: "numeric", values: numbers };
}

function isAbsent(value: CellValue): boolean {
  return value === null || value === undefined || value === "" || Number.isNaN(value);
}

/** Dictionary-codes `textOf(0..rows-1)`, "" meaning missing; levels in order of first appearance. */
function encodeLevels(name: string, rows: number, textOf: (row: number) => string): CategoricalColumn {
  const codes = new Int32Array(rows);
  const dictionary = new Map<string, number>();
  for (let row = 0; row < rows; row++) {
    const text = textOf(row);
    if (text !== "" && !dictionary.has(text)) dictionary.set(text, dictionary.size);
    codes[row] = dictionary.get(text) ?? -1;
  }
  return { name, kind: "categorical", codes, levels: [...dictionary.keys()] };
}
