/**
 * Rows of cells as lines whose columns are aligned, for terminals.
 * @param left columns that are flush left; the others, numbers mostly, are flush right
 */
export function textTable(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string[] {
  const widths = rows[0].map((_, j) => Math.max(...rows.map((row) => row[j].length)));
  return rows.map((row) =>
    row
      .map((cell, j) => (left.includes(j) ? cell.padEnd(widths[j]) : cell.padStart(widths[j])))
      .join("  ")
      .trimEnd(),
  );
}
