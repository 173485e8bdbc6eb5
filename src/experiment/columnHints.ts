/** What columns of texts seem to be, though they are read as categories. */
import type { ColumnDescription, TableDescription } from "../data/describe.ts";

/** Texts of which this share of the rows has its own name the rows. */
const MOSTLY_DIFFERENT = 0.95;
/** Of fewer, all may differ by chance. */
const FEWEST_ROWS = 20;
/** 27/5/2024, 27.05.2024, 2024/05/27, 5/27/24. */
const DATE = /^(\d{4}([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3\d{4}|\d{1,2}\/\d{1,2}\/\d\d)(?!\d)/;

/**
 * @param inputs columns that are learned from
 * @param dropped those that would be if they had fewer levels
 */
export function columnHints(
  { columns, rows }: TableDescription,
  inputs: readonly string[],
  dropped: readonly string[] = [],
): string[] {
  return columns.flatMap((column) => {
    const isInput = inputs.includes(column.name);
    if (column.kind !== "categorical" || !(isInput || dropped.includes(column.name))) return [];
    const { name, top = [] } = column;
    if (top.length > 0 && top.every(({ level }) => DATE.test(level))) {
      return `${name} holds dates such as ${top[0].level}, read as categories: dates are read as YYYY-MM-DD, in every cell.`;
    }
    if (!isInput || !namesRows(column, rows)) return [];
    return `${name} looks like an id (nearly every row has its own): --id ${name} leaves it out of the inputs.`;
  });
}

function namesRows({ distinct, missing }: ColumnDescription, rows: number): boolean {
  const present = rows - missing;
  return present >= FEWEST_ROWS && distinct >= MOSTLY_DIFFERENT * present;
}
