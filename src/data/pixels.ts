/** Columns that are the pixels of one image, row by row, channels innermost. */
import { TilegradError } from "../errors.ts";
import type { NumericFeature } from "./feature.ts";
import type { Column, Table } from "./table.ts";

export type ImageSize = readonly [height: number, width: number, channels: number];

/**
 * Features for pixels, in the order of the columns. All share one mean, standard deviation, minimum and maximum, so that
 * scaling keeps differences between neighbours and the dark border stays flat; a missing pixel gets the mean. Constant
 * columns stay: an image has no holes.
 * @throws E_DATA when the number of columns is not that of the image, or one is not of numbers
 */
export function fitPixels(
  table: Table,
  columns: readonly Column[],
  rows: Uint32Array,
  [height, width, channels]: ImageSize,
): NumericFeature[] {
  const size = height * width * channels;
  const image = [height, width, channels].join("x");
  if (columns.length !== size) {
    const got = `${columns.length} columns besides the target`;
    throw new TilegradError("E_DATA", `${table.name}: got ${got}; expected ${size} for an image of ${image}.`, {
      hint: "Give the image's size as HxW or HxWxC, and name columns that are no pixels as ids or excluded.",
    });
  }
  let [n, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const column of columns) {
    if (column.kind !== "numeric") {
      const where = `${table.name}, column ${JSON.stringify(column.name)}`;
      throw new TilegradError("E_DATA", `${where}: got texts; expected the pixels of an image of ${image}.`, {
        hint: "Name columns that are no pixels as ids or excluded.",
      });
    }
    for (const row of rows) {
      const value = column.values[row];
      if (Number.isNaN(value)) continue;
      n++;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  if (!(max > min)) {
    throw new TilegradError("E_DATA", `${table.name}: got pixels that are all alike; expected images.`);
  }
  const mean = sum / n;
  let squares = 0;
  for (const column of columns as readonly { readonly values: Float64Array }[]) {
    for (const row of rows) if (!Number.isNaN(column.values[row])) squares += (column.values[row] - mean) ** 2;
  }
  const std = Math.sqrt(squares / n);
  if (!Number.isFinite(std)) {
    throw new TilegradError("E_DATA", `${table.name}: pixels from ${min} to ${max} are too large to scale.`);
  }
  const shared = { kind: "numeric", mean, std, min, max, median: mean, missingIndicator: false } as const;
  return columns.map(({ name }) => ({ name, ...shared }));
}
