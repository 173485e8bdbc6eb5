/** Tables as inputs, by what a preprocessor was fitted to. */
import { TilegradError } from "../errors.ts";
import type { Floats } from "../values.ts";
import { daysOf } from "./date.ts";
import type { CategoricalFeature, Feature, NumericFeature } from "./feature.ts";
import { numberOf, quoteCell } from "./number.ts";
import type { Preprocessor, Scaling } from "./preprocess.ts";
import { checkPreprocessor } from "./preprocess.ts";
import {
  type Column,
  cellText,
  columnOf,
  isMissing,
  type NumericColumn,
  rowList,
  type Table,
  whereIs,
} from "./table.ts";
import { gatherWindows, scaleWindows, windowEnds } from "./windows.ts";

export interface Transformed {
  /** f32 [rows, names.length], row-major; for windows [rows, length, names.length]. */
  x: Floats;
  names: readonly string[];
  /** What a user should be told: what training did not have, one sentence for categories and one for numbers. */
  warnings: string[];
}

/**
 * The given rows (default all) as inputs; for windows, those that end at these rows. Columns are found by name, in any
 * order; the target need not be there. Where a table comes in pieces, `unseen` adds up what its warnings tell.
 * @throws E_DATA for a missing column, and (with its line) a text in a numeric column or a number beyond float32.
 */
export function transform(
  preprocessor: Preprocessor,
  table: Table,
  rows?: ArrayLike<number>,
  unseen: Unseen = new Map(),
): Transformed {
  checkPreprocessor("transform", preprocessor);
  const { window, featureNames: names } = preprocessor;
  if (!window) return transformRows(preprocessor, table, rows, unseen);
  const ends = rows ? rowList(table, rows) : windowEnds(table, window.length);
  const early = ends.find((row) => row + 1 < window.length);
  if (early !== undefined) {
    throw new TilegradError("E_ARGUMENT", `${table.name}: row ${early} ends no window of ${window.length} rows.`);
  }
  const flat = transformRows(preprocessor, table, undefined, unseen);
  const x = gatherWindows(flat.x, names.length, window.length, ends);
  const moving = preprocessor.features.filter((feature) => feature.kind === "numeric" && feature.ofWindow);
  const columns = moving.map(({ name }) => names.indexOf(name));
  scaleWindows(x, names.length, window.length, columns);
  return { ...flat, x };
}

/** By column how many cells have levels that training did not have, or numbers far from all it had; and some of these. */
export type Unseen = Map<string, UnseenCells>;

interface UnseenCells {
  cells: number;
  readonly values: Set<string>;
  readonly feature: Feature;
}

function transformRows(
  preprocessor: Preprocessor,
  table: Table,
  rows: ArrayLike<number> | undefined,
  unseen: Unseen,
): Transformed {
  const list = rowList(table, rows);
  const names = preprocessor.featureNames;
  const x = new Float32Array(list.length * names.length);
  let first = 0;
  for (const feature of preprocessor.features) {
    const column = columnOf(table, feature.name);
    const out = { x, first, stride: names.length };
    if (feature.kind === "numeric") {
      writeNumeric(
        feature,
        preprocessor.scaling,
        table,
        numericColumn(table, column, list, feature.date),
        list,
        out,
        unseen,
      );
      first += feature.missingIndicator ? 2 : 1;
    } else {
      writeCategorical(feature, column, list, out, unseen);
      first += feature.levels.length + (feature.other ? 1 : 0);
    }
  }
  return { x, names, warnings: unseenWarnings(table.name, unseen) };
}

/** The column as numbers. @throws E_DATA at the first of `rows` that holds a text. */
function numericColumn(table: Table, column: Column, rows: Uint32Array, date = false): NumericColumn {
  if (column.kind === "numeric") {
    const row = (column.date ?? false) === date ? undefined : rows.find((row) => !Number.isNaN(column.values[row]));
    if (row === undefined) return column;
    const [got, expected] = date ? ["a number", "a date such as 2024-05-01"] : ["a date", "a number"];
    throw new TilegradError("E_DATA", `${whereIs(table, row, column.name)}: got ${got}; expected ${expected}.`, {
      hint: "Training had the other; bring the column into that form.",
    });
  }
  const { name, codes } = column;
  const byLevel = column.levels.map(date ? daysOf : numberOf);
  for (const row of rows) {
    if (codes[row] < 0 || !Number.isNaN(byLevel[codes[row]])) continue;
    const cell = quoteCell(column.levels[codes[row]]);
    const got = date
      ? `${cell} in a column of dates`
      : `non-numeric cell ${cell} in a column that was numeric in training`;
    const expected = date ? "a date such as 2024-05-01" : "a number";
    throw new TilegradError("E_DATA", `${whereIs(table, row, name)}: got ${got}; expected ${expected}.`, {
      hint: "Mend the cell, or leave it empty if it is missing.",
    });
  }
  return { name, kind: "numeric", values: Float64Array.from(codes, (code) => (code < 0 ? Number.NaN : byLevel[code])) };
}

/** In widths of the range that training had: a number that lies further outside is more likely a wrong one than a rare one. */
const FAR = 100;

interface Output {
  readonly x: Float32Array;
  readonly first: number;
  readonly stride: number;
}

function writeNumeric(
  feature: NumericFeature,
  scaling: Scaling,
  table: Table,
  column: NumericColumn,
  rows: Uint32Array,
  { x, first, stride }: Output,
  unseen: Unseen,
): void {
  const [shift, divisor] = scalingOf(feature, scaling);
  const far = feature.date || feature.ofWindow ? Infinity : FAR * (feature.max - feature.min); // new rows have new dates
  for (let i = 0; i < rows.length; i++) {
    const value = column.values[rows[i]];
    const missing = Number.isNaN(value);
    const at = i * stride + first;
    const replaced = feature.ofWindow ? Number.NaN : feature.median; // a window has a mean of its own
    x[at] = ((missing ? replaced : value) - shift) / divisor;
    if (feature.missingIndicator) x[at + 1] = missing ? 1 : 0;
    if (value - feature.max > far || feature.min - value > far) note(unseen, feature, String(value));
    if (Number.isFinite(x[at]) || (missing && feature.ofWindow)) continue;
    const got = `${value}, which is beyond float32 after scaling`;
    throw new TilegradError(
      "E_DATA",
      `${whereIs(table, rows[i], feature.name)}: got ${got}; expected a finite input.`,
      { hint: `Check the cell; training had values from ${feature.min} to ${feature.max}.` },
    );
  }
}

function scalingOf(feature: NumericFeature, scaling: Scaling): [shift: number, divisor: number] {
  switch (scaling) {
    case "standard":
      return [feature.mean, feature.std || 1];
    case "minmax":
      return [feature.min, feature.max - feature.min || 1];
    case "none":
      return [0, 1];
    default:
      return scaling satisfies never;
  }
}

/** Writes the one-hot inputs, and adds the levels that training did not have to `unseen`. */
function writeCategorical(
  feature: CategoricalFeature,
  column: Column,
  rows: Uint32Array,
  { x, first, stride }: Output,
  unseen: Unseen,
): void {
  const position = new Map(feature.levels.map((level, i) => [level, i]));
  for (let i = 0; i < rows.length; i++) {
    if (isMissing(column, rows[i])) continue;
    const level = cellText(column, rows[i]);
    const at = position.get(level);
    if (at !== undefined) x[i * stride + first + at] = 1;
    else if (feature.other) x[i * stride + first + feature.levels.length] = 1;
    else note(unseen, feature, quoteCell(level));
  }
}

/** Values that a warning names. */
const NAMED_VALUES = 3;

function note(unseen: Unseen, feature: Feature, value: string): void {
  const found = unseen.get(feature.name) ?? { cells: 0, values: new Set(), feature };
  unseen.set(feature.name, found);
  found.cells++;
  if (found.values.size <= NAMED_VALUES) found.values.add(value);
}

/** @param of whose cells they are @param counted whether each was seen once, so that their number says something */
export function unseenWarnings(of: string, unseen: Unseen, counted = true): string[] {
  const kinds = { categorical: "that training did not have", numeric: "far outside the values of training" } as const;
  return (["categorical", "numeric"] as const).flatMap((kind) => {
    const found = [...unseen.values()].filter(({ feature }) => feature.kind === kind);
    if (found.length === 0) return [];
    const cells = counted ? found.reduce((sum, each) => sum + each.cells, 0) : Infinity;
    const [noun, category] = cells === 1 ? ["cell", "a category"] : ["cells", "categories"];
    const what = kind === "categorical" ? `${cells === 1 ? "has" : "have"} ${category}` : cells === 1 ? "is" : "are";
    const where = found.length === 1 ? `column ${JSON.stringify(found[0].feature.name)}` : `${found.length} columns`;
    const named = found.slice(0, NAMED_COLUMNS).map((each) => valuesOf(each, found.length > 1));
    const shown = [...named, ...(found.length > NAMED_COLUMNS ? ["..."] : [])].join("; ");
    const read = kind === "categorical" ? "; read as none" : "";
    return `${of}: ${where}: ${counted ? cells : "some"} ${noun} ${what} ${kinds[kind]} (${shown})${read}.`;
  });
}

/** Columns that a warning names, where there are several. */
const NAMED_COLUMNS = 5;

/** Some of the values, and of numbers what training had. */
function valuesOf({ values, feature }: UnseenCells, named: boolean): string {
  const more = values.size > NAMED_VALUES ? ", ..." : "";
  const shown = [...values].slice(0, NAMED_VALUES).join(", ") + more;
  const had = feature.kind === "numeric" ? `; training had ${feature.min} to ${feature.max}` : "";
  return `${named ? `${feature.name}: ` : ""}${shown}${had}`;
}

/** What was unseen in one table or another. */
export function joinedUnseen(all: Iterable<Unseen>): Unseen {
  const joined: Unseen = new Map();
  for (const [name, { cells, values, feature }] of [...all].flatMap((unseen) => [...unseen])) {
    const found = joined.get(name) ?? { cells: 0, values: new Set(), feature };
    found.cells += cells;
    for (const value of values) found.values.add(value);
    joined.set(name, found);
  }
  return joined;
}
