/** `--sample-weight`: a column that says how much each row counts, in the loss and in every metric. */
import type { Table } from "../data/table.ts";
import { columnOf, whereIs } from "../data/table.ts";
import { TilegradError } from "../errors.ts";

/** Weights of rows: f32 [rows], at least 0. @throws E_DATA for texts, missing cells and negative numbers */
export function sampleWeightOf(table: Table, name: string, rows: Uint32Array): Float32Array {
  const column = columnOf(table, name);
  if (column.kind !== "numeric") {
    throw new TilegradError(
      "E_DATA",
      `${table.name}: --sample-weight: column ${JSON.stringify(name)} has texts; expected numbers >= 0.`,
      { hint: "Name the column that says how much each row counts." },
    );
  }
  const { values } = column;
  return Float32Array.from(rows, (row) => {
    const weight = values[row];
    if (weight >= 0) return weight;
    const got = Number.isNaN(weight) ? "the weight is missing" : `the weight is ${weight}`;
    throw new TilegradError("E_DATA", `${whereIs(table, row, name)}: ${got}; expected a number >= 0.`, {
      hint: "Give every row a weight; 0 leaves a row out.",
    });
  });
}
