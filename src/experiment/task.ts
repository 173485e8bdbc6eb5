/** What is to be learned from a table: its target, and the rows that have an input and a label. */
import type { Preprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { rowList } from "../data/table.ts";
import { chooseTarget } from "../data/target.ts";
import { labelWindows, risingColumn, UP, windowEnds } from "../data/windows.ts";
import { TilegradError } from "../errors.ts";
import type { TaskOptions } from "./options.ts";
import type { Task } from "./rows.ts";

const LENGTH = "Say how many rows an input is, such as `window: 32`.";

/** @throws E_ARGUMENT for options of inputs that do not go together */
export function checkTask({ target, image, window, horizon }: TaskOptions): void {
  if (window !== undefined && image) {
    const hint = "An input is an image or rows of a time series; leave one out.";
    throw new TilegradError("E_ARGUMENT", "`image` and `window`: got both; expected one of them.", { hint });
  }
  if (window !== undefined) return;
  if (horizon !== undefined) {
    throw new TilegradError("E_ARGUMENT", "`horizon`: there is no `window`.", { hint: LENGTH });
  }
  if (risingColumn(target) !== null) {
    throw new TilegradError("E_ARGUMENT", `\`target: ${target}\`: needs \`window\`.`, { hint: LENGTH });
  }
}

/** @throws E_ARGUMENT, E_DATA */
export function taskOf(given: Table, options: TaskOptions): Task {
  checkTask(options);
  const { target: name, image, window: length, horizon = 1 } = options;
  const window = length === undefined ? undefined : { length, horizon };
  const table = window ? labelWindows(given, name, window.horizon) : given;
  const rows = window ? windowEnds(table, window.length, name) : rowList(table);
  const positive = options.positive ?? (risingColumn(name) === null ? undefined : UP[0]);
  const target = chooseTarget(table, { target: name, ...(positive === undefined ? {} : { positive }) }, rows);
  return { table, target, rows, ...(image ? { image } : {}), ...(window ? { window } : {}) };
}

/** Rows of a table that have an input and a label, which windows get from `labelWindows`. */
export const rowsWithLabels = (
  { window, target }: Pick<Preprocessor, "window" | "target">,
  table: Table,
): Uint32Array => (window ? windowEnds(table, window.length, target.name) : rowList(table));

/** Another table for a fitted preprocessor, with its rows that have an input and a label. */
export function labelledRows(preprocessor: Preprocessor, given: Table): { table: Table; rows: Uint32Array } {
  const { window, target } = preprocessor;
  const table = window ? labelWindows(given, target.name, window.horizon) : given;
  return { table, rows: rowsWithLabels(preprocessor, table) };
}
