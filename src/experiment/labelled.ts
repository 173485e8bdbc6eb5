import type { ImageSize } from "../data/pixels.ts";
import type { Table } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import type { Windowing } from "../data/windows.ts";

/** A table to learn from, with the label of every row, or of the window that ends there. */
export interface Labelled {
  readonly table: Table;
  /** Columns of the source that name the rows. */
  readonly id: readonly string[];
  readonly target: Target;
  readonly image?: ImageSize;
  readonly window?: Windowing;
  /** Rows that have an input and a label. */
  readonly rows: Uint32Array;
}
