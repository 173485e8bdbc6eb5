import { TilegradError } from "../errors.ts";
import { daysOf } from "./date.ts";
import type { CategoricalFeature, Feature, NumericFeature } from "./feature.ts";
import { numberOf, quoteCell } from "./number.ts";
import { fitPixels, type ImageSize } from "./pixels.ts";
import {
  type CategoricalColumn,
  type Column,
  cellText,
  columnOf,
  isMissing,
  type NumericColumn,
  rowList,
  type Table,
  whereIs,
} from "./table.ts";
import { chooseTarget, type Target } from "./target.ts";
import { gatherWindows, type Windowing, windowEnds } from "./windows.ts";

export type Scaling = "standard" | "minmax" | "none";

export type DropReason = "constant" | "all missing" | "id" | "excluded" | "too many levels" | "not numeric";

/** What was fitted on the training rows: plain JSON, enough to turn any table with these columns into inputs. */
export interface Preprocessor {
  readonly version: 1;
  readonly scaling: Scaling;
  readonly features: readonly Feature[];
  readonly dropped: readonly { readonly name: string; readonly reason: DropReason }[];
  readonly target: Target;
  /** The names of the inputs, in the order of `transform`'s columns. */
  readonly featureNames: readonly string[];
  /** The features are the pixels of an image. */
  readonly image?: ImageSize;
  /** An input is the features of several rows. */
  readonly window?: Windowing;
}

/** The shape of one input: [features], [height, width, channels] or [length, features]. */
export function inputShapeOf({ featureNames: names, image, window }: Preprocessor): readonly number[] {
  return image ?? (window ? [window.length, names.length] : [names.length]);
}

export interface PreprocessOptions {
  /** The label column, or a choice made before (by `chooseTarget`, on all rows, to split by it). */
  target: string | Target;
  /** The label that means "yes"; default the rarer of two. Only with a column name as `target`. */
  positive?: string | number;
  /** Columns that are not inputs. */
  exclude?: readonly string[];
  /** Columns that name the rows: no inputs either. */
  id?: readonly string[];
  /** Most levels of a categorical column that get an input of their own; >= 1, default 50. */
  maxLevels?: number;
  /** standard: (x - mean) / std; minmax: (x - min) / (max - min). Default "standard". */
  scaling?: Scaling;
  /** All columns that are left are the pixels of an image of this size; see `fitPixels`. */
  image?: ImageSize;
  /** Inputs are windows of rows in the order of time, of the numeric columns; `trainRows` are their last rows. */
  window?: Windowing;
}

const DEFAULT_MAX_LEVELS = 50;

/**
 * Fits imputation, scaling and one-hot encoding on `trainRows` only: no other row has any influence.
 * Columns that are constant or empty there are dropped, and so are categorical ones with more than `maxLevels` levels
 * of which more than half occur once (names, free text); other levels beyond `maxLevels` share one "(other)" input.
 * @throws E_DATA for columns that are not there, a bad target (see `chooseTarget`), no input left, and values so large
 *   that their variance overflows; E_ARGUMENT for bad options.
 */
export function fitPreprocessor(table: Table, trainRows: ArrayLike<number>, options: PreprocessOptions): Preprocessor {
  const { exclude = [], id = [], maxLevels = DEFAULT_MAX_LEVELS, scaling = "standard", image, window } = options;
  if (!Number.isInteger(maxLevels) || maxLevels < 1) {
    throw new TilegradError("E_ARGUMENT", `maxLevels: got ${maxLevels}; expected a whole number >= 1.`);
  }
  const labelled = rowList(table, trainRows);
  const rows = window ? rowsOfWindows(labelled, window) : labelled;
  const target =
    typeof options.target === "string"
      ? chooseTarget(table, { target: options.target, positive: options.positive }, labelled)
      : options.target;
  for (const name of [...exclude, ...id]) columnOf(table, name);
  if (exclude.includes(target.name) || id.includes(target.name)) {
    throw new TilegradError("E_ARGUMENT", `column ${JSON.stringify(target.name)} is both the target and excluded.`);
  }
  let features: Feature[] = [];
  const pixels: Column[] = [];
  const dropped: { name: string; reason: DropReason }[] = [];
  for (const column of table.columns) {
    const { name } = column;
    if (name === target.name) continue;
    const fitted = id.includes(name)
      ? "id"
      : exclude.includes(name)
        ? "excluded"
        : image
          ? null
          : column.kind === "numeric"
            ? fitNumeric(table, column, rows)
            : window
              ? "not numeric"
              : fitCategorical(column, rows, maxLevels);
    if (fitted === null) pixels.push(column);
    else if (typeof fitted === "string") dropped.push({ name, reason: fitted });
    else features.push(fitted);
  }
  if (image) features = fitPixels(table, pixels, rows, image);
  if (features.length === 0) {
    const reasons = dropped.map(({ name, reason }) => `${name} (${reason})`).join(", ");
    throw new TilegradError(
      "E_DATA",
      `${table.name}: no column is left to learn from; dropped: ${reasons || "none"}.`,
      {
        hint: "The table needs at least one column besides the target that varies in the training rows.",
      },
    );
  }
  const shaped = { ...(image ? { image } : {}), ...(window ? { window } : {}) };
  return { version: 1, scaling, features, dropped, target, featureNames: featureNames(features), ...shaped };
}

/** All rows of the windows that end at `ends`, each once, ascending. */
function rowsOfWindows(ends: Uint32Array, { length }: Windowing): Uint32Array {
  const rows = new Set<number>();
  for (const end of ends) for (let row = Math.max(0, end - length + 1); row <= end; row++) rows.add(row);
  return Uint32Array.from(rows).sort();
}

/** The names of the inputs that these features become. */
export function featureNames(features: readonly Feature[]): string[] {
  return features.flatMap((feature) => {
    const { name } = feature;
    if (feature.kind === "numeric") return feature.missingIndicator ? [name, `${name}=(missing)`] : [name];
    const levels = feature.levels.map((level) => `${name}=${level}`);
    return feature.other ? [...levels, `${name}=(other)`] : levels;
  });
}

/** The kinds in which to read a CSV for this preprocessor: spread into `readCsv`'s options. */
export function csvKinds(preprocessor: Preprocessor): { categorical: string[]; numeric: string[] } {
  const names = (kind: Feature["kind"]) =>
    preprocessor.features.filter((feature) => feature.kind === kind).map((feature) => feature.name);
  const dates = new Set(preprocessor.features.flatMap((f) => (f.kind === "numeric" && f.date ? [f.name] : [])));
  return { categorical: names("categorical"), numeric: names("numeric").filter((name) => !dates.has(name)) };
}

export interface Transformed {
  /** f32 [rows, names.length], row-major; for windows [rows, length, names.length]. */
  x: Float32Array<ArrayBuffer>;
  names: readonly string[];
  /** What a user should be told: categories that training did not have, one sentence per column. */
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
  unseen: UnseenLevels = new Map(),
): Transformed {
  const { window, featureNames: names } = preprocessor;
  if (!window) return transformRows(preprocessor, table, rows, unseen);
  const ends = rows ? rowList(table, rows) : windowEnds(table, window.length);
  const early = ends.find((row) => row + 1 < window.length);
  if (early !== undefined) {
    throw new TilegradError("E_ARGUMENT", `${table.name}: row ${early} ends no window of ${window.length} rows.`);
  }
  const flat = transformRows(preprocessor, table, undefined, unseen);
  return { ...flat, x: gatherWindows(flat.x, names.length, window.length, ends) };
}

/** By column how many cells have levels that training did not have, and some of these. */
export type UnseenLevels = Map<string, { cells: number; readonly levels: Set<string> }>;

function transformRows(
  preprocessor: Preprocessor,
  table: Table,
  rows: ArrayLike<number> | undefined,
  unseen: UnseenLevels,
): Transformed {
  const list = rowList(table, rows);
  const names = preprocessor.featureNames;
  const x = new Float32Array(list.length * names.length);
  let first = 0;
  for (const feature of preprocessor.features) {
    const column = columnOf(table, feature.name);
    const out = { x, first, stride: names.length };
    if (feature.kind === "numeric") {
      writeNumeric(feature, preprocessor.scaling, table, numericColumn(table, column, list, feature.date), list, out);
      first += feature.missingIndicator ? 2 : 1;
    } else {
      writeCategorical(feature, column, list, out, unseen);
      first += feature.levels.length + (feature.other ? 1 : 0);
    }
  }
  return { x, names, warnings: [...unseen].map(([name, found]) => `${table.name}: ${warningOf(name, found)}`) };
}

function fitNumeric(table: Table, column: NumericColumn, rows: Uint32Array): NumericFeature | DropReason {
  const present = Float64Array.from(rows, (row) => column.values[row]).filter((value) => !Number.isNaN(value));
  const missingIndicator = present.length < rows.length;
  if (present.length === 0) return "all missing";
  present.sort();
  const min = present[0];
  const max = present[present.length - 1];
  if (min === max && !missingIndicator) return "constant";
  const mean = min === max ? min : present.reduce((sum, value) => sum + value, 0) / present.length;
  const std = Math.sqrt(present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / present.length);
  if (!Number.isFinite(std)) {
    const where = `${table.name}, column ${JSON.stringify(column.name)}`;
    throw new TilegradError("E_DATA", `${where}: values from ${min} to ${max} are too large to scale.`, {
      hint: "Divide the column by a power of ten, or exclude it.",
    });
  }
  const half = present.length >> 1;
  const median = present.length % 2 === 1 ? present[half] : present[half - 1] / 2 + present[half] / 2;
  return {
    name: column.name,
    kind: "numeric",
    mean,
    std,
    min,
    max,
    median,
    missingIndicator,
    ...(column.date ? { date: true } : {}),
  };
}

function fitCategorical(
  column: CategoricalColumn,
  rows: Uint32Array,
  maxLevels: number,
): CategoricalFeature | DropReason {
  if (column.left === "too many levels") return column.left;
  const counts = new Map<string, number>();
  let missing = 0;
  for (const row of rows) {
    if (isMissing(column, row)) missing++;
    else counts.set(cellText(column, row), (counts.get(cellText(column, row)) ?? 0) + 1);
  }
  if (counts.size === 0) return "all missing";
  if (counts.size === 1 && missing === 0) return "constant";
  const single = [...counts.values()].filter((count) => count === 1).length;
  if (counts.size > maxLevels && single > counts.size / 2) return "too many levels";
  const byFrequency = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const levels = byFrequency.slice(0, maxLevels).map(([level]) => level);
  return { name: column.name, kind: "categorical", levels, other: counts.size > maxLevels };
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
): void {
  const [shift, divisor] = scalingOf(feature, scaling);
  for (let i = 0; i < rows.length; i++) {
    const value = column.values[rows[i]];
    const missing = Number.isNaN(value);
    const at = i * stride + first;
    x[at] = ((missing ? feature.median : value) - shift) / divisor;
    if (feature.missingIndicator) x[at + 1] = missing ? 1 : 0;
    if (Number.isFinite(x[at])) continue;
    const got = `${value}, which is beyond float32 after scaling`;
    throw new TilegradError(
      "E_DATA",
      `${whereIs(table, rows[i], feature.name)}: got ${got}; expected a finite input.`,
      {
        hint: `Check the cell; training had values from ${feature.min} to ${feature.max}.`,
      },
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

/** Levels that a warning names. */
const NAMED_LEVELS = 3;

/** Writes the one-hot inputs, and adds the levels that training did not have to `unseen`. */
function writeCategorical(
  feature: CategoricalFeature,
  column: Column,
  rows: Uint32Array,
  { x, first, stride }: Output,
  unseen: UnseenLevels,
): void {
  const position = new Map(feature.levels.map((level, i) => [level, i]));
  for (let i = 0; i < rows.length; i++) {
    if (isMissing(column, rows[i])) continue;
    const level = cellText(column, rows[i]);
    const at = position.get(level);
    if (at !== undefined) x[i * stride + first + at] = 1;
    else if (feature.other) x[i * stride + first + feature.levels.length] = 1;
    else {
      const found = unseen.get(feature.name) ?? { cells: 0, levels: new Set() };
      unseen.set(feature.name, found);
      found.cells++;
      if (found.levels.size <= NAMED_LEVELS) found.levels.add(level);
    }
  }
}

function warningOf(name: string, { cells: count, levels }: { cells: number; levels: ReadonlySet<string> }): string {
  const more = levels.size > NAMED_LEVELS ? ", ..." : "";
  const shown = [...levels].slice(0, NAMED_LEVELS).map(quoteCell).join(", ") + more;
  const cells = count === 1 ? "1 cell has a category" : `${count} cells have categories`;
  return `column ${JSON.stringify(name)}: ${cells} that training did not have (${shown}); read as none.`;
}
