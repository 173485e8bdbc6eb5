/** The options `sampleWeight` and `amount`: columns of numbers that say something of each row and are no inputs. */
import type { Table } from "../data/table.ts";
import { columnOf, whereIs } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import type { ColumnOptions } from "./options.ts";

/** The names of those columns. */
export type RowColumns = Pick<ColumnOptions, "sampleWeight" | "amount">;

type Kind = keyof RowColumns;

const KINDS: Readonly<Record<Kind, { readonly called: string; readonly hint: string }>> = {
  sampleWeight: {
    called: "weight",
    hint: "Give every row a weight; 0 leaves a row out.",
  },
  amount: {
    called: "amount",
    hint: "Give every row an amount, in the unit of the other costs; 0 costs nothing.",
  },
};

const kinds = Object.keys(KINDS) as Kind[];

/** Their names, where they are named. */
export const rowColumnNames = (columns: RowColumns): string[] => kinds.flatMap((kind) => columns[kind] ?? []);

/** Those that a table has. */
export const columnsIn = (table: Table, columns: RowColumns): RowColumns =>
  Object.fromEntries(
    kinds.flatMap((kind) => (table.columns.some(({ name }) => name === columns[kind]) ? [[kind, columns[kind]]] : [])),
  );

/** Numbers of rows: f64 [rows], finite and at least 0. @throws E_DATA for texts, missing cells and other numbers */
export function rowNumbers(table: Table, kind: Kind, name: string, rows: Uint32Array): Float64Array {
  const { called, hint } = KINDS[kind];
  const column = columnOf(table, name);
  if (column.kind !== "numeric") {
    throw new TilegradError(
      "E_DATA",
      `${table.name}: \`${kind}\`: column ${JSON.stringify(name)} has texts; expected numbers >= 0.`,
      { hint: `Name the column of each row's ${called}.` },
    );
  }
  const { values } = column;
  return Float64Array.from(rows, (row) => {
    const value = values[row];
    if (value >= 0 && value < Infinity) return value;
    const got = Number.isNaN(value) ? `the ${called} is missing` : `the ${called} is ${value}`;
    throw new TilegradError("E_DATA", `${whereIs(table, row, name)}: ${got}; expected a number >= 0.`, { hint });
  });
}
