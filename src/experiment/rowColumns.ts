/** `--sample-weight` and `--amount`: columns of numbers that say something of each row and are no inputs. */
import type { Table } from "../data/table.ts";
import { columnOf, whereIs } from "../data/table.ts";
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";

/** The names of those columns. */
export interface RowColumns {
  /** How much each row counts, in the loss and in every metric. */
  readonly sampleWeight?: string;
  /** What a cost of `amount` is for each row, such as a payment's size. */
  readonly amount?: string;
}

type Kind = keyof RowColumns;

const KINDS: Readonly<Record<Kind, { readonly option: string; readonly called: string; readonly hint: string }>> = {
  sampleWeight: {
    option: "--sample-weight",
    called: "weight",
    hint: "Give every row a weight; 0 leaves a row out.",
  },
  amount: {
    option: "--amount",
    called: "amount",
    hint: "Give every row an amount, in the unit of the other costs; 0 costs nothing.",
  },
};

const kinds = Object.keys(KINDS) as Kind[];

/** Their names, where they are named. */
export const rowColumnNames = (columns: RowColumns): string[] => kinds.flatMap((kind) => columns[kind] ?? []);

/** Those in a saved model's settings. */
export function savedRowColumns(settings: Json | undefined): RowColumns {
  const saved = (typeof settings === "object" ? settings : null) as { readonly [name: string]: Json } | null;
  return Object.fromEntries(kinds.flatMap((kind) => (typeof saved?.[kind] === "string" ? [[kind, saved[kind]]] : [])));
}

/** Those that a table has. */
export const columnsIn = (table: Table, columns: RowColumns): RowColumns =>
  Object.fromEntries(Object.entries(columns).filter(([, named]) => table.columns.some(({ name }) => name === named)));

/** Numbers of rows: f64 [rows], finite and at least 0. @throws E_DATA for texts, missing cells and other numbers */
export function rowNumbers(table: Table, kind: Kind, name: string, rows: Uint32Array): Float64Array {
  const { option, called, hint } = KINDS[kind];
  const column = columnOf(table, name);
  if (column.kind !== "numeric") {
    throw new TilegradError(
      "E_DATA",
      `${table.name}: ${option}: column ${JSON.stringify(name)} has texts; expected numbers >= 0.`,
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
