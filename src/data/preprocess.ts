import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import type { CategoricalFeature, Feature, NumericFeature } from "./feature.ts";
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
} from "./table.ts";
import { chooseTarget, type Target } from "./target.ts";
import type { Windowing } from "./windows.ts";
import { isMoving, risingColumn, WINDOWING } from "./windows.ts";

export type Scaling = "standard" | "minmax" | "none";

export const DROP_REASONS = [
  "constant",
  "all missing",
  "id",
  "index of rows",
  "excluded",
  "too many levels",
  "not numeric",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What pandas calls the index of rows, where it has no name: in Parquet files, and in CSV files that it or R wrote. */
const INDEX = /^(__index_level_\d+__|Unnamed: 0(\.\d+)?)$/;

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
export function inputShapeOf(preprocessor: Preprocessor): readonly number[] {
  checkPreprocessor("inputShapeOf", preprocessor);
  const { featureNames: names, image, window } = preprocessor;
  return image ?? (window ? [window.length, names.length] : [names.length]);
}

/** @throws E_ARGUMENT */
export function checkPreprocessor(where: string, value: unknown): void {
  checkFields(where, value, { features: is.list, featureNames: is.list }, "a preprocessor, as fitPreprocessor gives");
}

const PREPROCESS_OPTIONS = {
  /** The label column, or a choice made before (by `chooseTarget`, on all rows, to split by it). */
  target: is.required(is.anything as Kind<string | Target>),
  /** The label that means "yes"; default the rarer of two. Only with a column name as `target`. */
  positive: is.anything as Kind<string | number>,
  /** Columns that are not inputs. */
  exclude: is.strings,
  /** Columns that name the rows: no inputs either. */
  id: is.strings,
  /** Most levels of a categorical column that get an input of their own; >= 1, default 50. */
  maxLevels: is.positiveInteger,
  /** standard: (x - mean) / std; minmax: (x - min) / (max - min). Default "standard". */
  scaling: is.oneOf("standard", "minmax", "none") as Kind<Scaling>,
  /**
   * Of windows: columns whose levels are inputs, though they move. Others that do, as the column of a target up(column), are
   * scaled by each window's own rows, unless `scaling` is none.
   */
  absolute: is.strings,
  /** All columns that are left are the pixels of an image of this size; see `fitPixels`. */
  image: is.numberList as Kind<ImageSize>,
  /** Inputs are windows of rows in the order of time, of the numeric columns; `trainRows` are their last rows. */
  window: is.object as Kind<Windowing>,
};

export interface PreprocessOptions extends OptionsOf<typeof PREPROCESS_OPTIONS> {}

const DEFAULT_MAX_LEVELS = 50;

/**
 * Fits imputation, scaling and one-hot encoding on `trainRows` only: no other row has any influence.
 * Columns that are constant or empty there are dropped, so is the index of rows that pandas writes (`Unnamed: 0`), and so are categorical ones with more than `maxLevels` levels
 * of which more than half occur once (names, free text); other levels beyond `maxLevels` share one "(other)" input.
 * @throws E_DATA for columns that are not there, a bad target (see `chooseTarget`), no input left, and values so large
 *   that their variance overflows; E_ARGUMENT for bad options.
 */
export function fitPreprocessor(table: Table, trainRows: ArrayLike<number>, options: PreprocessOptions): Preprocessor {
  checkOptions("fitPreprocessor", options, PREPROCESS_OPTIONS);
  if (options.window) checkOptions("fitPreprocessor: window", options.window, WINDOWING);
  const {
    exclude = [],
    id = [],
    maxLevels = DEFAULT_MAX_LEVELS,
    scaling = "standard",
    absolute = [],
    image,
    window,
  } = options;
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
  for (const name of absolute) columnOf(table, name);
  const rising = risingColumn(target.name);
  const moves = ({ name, values }: NumericColumn): boolean =>
    window !== undefined &&
    window.length > 1 && // one row has no past to be scaled by
    scaling !== "none" &&
    !absolute.includes(name) &&
    (name === rising || isMoving(Float64Array.from(rows, (row) => values[row])));
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
        : INDEX.test(name)
          ? "index of rows"
          : image
            ? null
            : column.kind === "numeric"
              ? fitNumeric(table, column, rows, moves)
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
      { hint: "The table needs at least one column besides the target that varies in the training rows." },
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
  checkValue("featureNames", "features", features, is.list);
  return features.flatMap((feature) => {
    checkFields("featureNames", feature, { name: is.string }, "features, as fitPreprocessor gives");
    const { name } = feature;
    if (feature.kind === "numeric") return feature.missingIndicator ? [name, `${name}=(missing)`] : [name];
    const levels = feature.levels.map((level) => `${name}=${level}`);
    return feature.other ? [...levels, `${name}=(other)`] : levels;
  });
}

/** The kinds in which to read a CSV for this preprocessor: spread into `readCsv`'s options. */
export function csvKinds(preprocessor: Preprocessor): { categorical: string[]; numeric: string[] } {
  checkPreprocessor("csvKinds", preprocessor);
  const names = (kind: Feature["kind"]) =>
    preprocessor.features.filter((feature) => feature.kind === kind).map((feature) => feature.name);
  const dates = new Set(preprocessor.features.flatMap((f) => (f.kind === "numeric" && f.date ? [f.name] : [])));
  return { categorical: names("categorical"), numeric: names("numeric").filter((name) => !dates.has(name)) };
}

function fitNumeric(
  table: Table,
  column: NumericColumn,
  rows: Uint32Array,
  moves: (column: NumericColumn) => boolean,
): NumericFeature | DropReason {
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
    ...(moves(column) ? { ofWindow: true } : {}),
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
