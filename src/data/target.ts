import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, show } from "../options.ts";
import { numberOf } from "./number.ts";
import { cellText, columnOf, isMissing, rowList, type Table, whereIs } from "./table.ts";

/** Which label of which column is "yes". Labels that spell numbers are kept as `String(number)`: "1.0" is "1". */
export interface Target {
  readonly name: string;
  readonly positive: string;
  /** The labels seen that mean "no". */
  readonly negative: readonly string[];
  /** Whether every label but `positive` means "no", also one not seen before: true when the user named `positive`. */
  readonly oneVsRest: boolean;
}

const targetOptions = {
  /** The column. */
  target: is.required(is.string),
  /** The label that means yes; default: the rarer of two. */
  positive: is.anything as Kind<string | number>,
};

export interface TargetOptions extends OptionsOf<typeof targetOptions> {}

const LISTED_LABELS = 10;

/** Labels are compared by this: as numbers if they are numbers ("1" = "1.0" = 1), else as trimmed text. */
function labelKey(label: string | number): string {
  const number = typeof label === "number" ? label : numberOf(label);
  return Number.isNaN(number) ? String(label).trim() : String(number === 0 ? 0 : number);
}

/**
 * Chooses the positive label of a yes/no target from the given rows: `positive`, else the rarer of the two labels (of
 * equally rare ones the later in order, numbers by size, others by code unit).
 * @throws E_DATA for a missing label, a single class, more than two labels without `positive`, and a `positive` that
 *   no row has.
 */
export function chooseTarget(table: Table, options: TargetOptions, rows?: ArrayLike<number>): Target {
  const { target: name } = checkOptions("chooseTarget", options, targetOptions);
  const counts = countLabels(table, name, rowList(table, rows));
  const labels = [...counts.keys()].sort(compareLabels);
  const where = `${table.name}, column ${JSON.stringify(name)}`;
  if (labels.length < 2) {
    const got = labels.length === 0 ? "no rows" : `one class only (${JSON.stringify(labels[0])} in all rows)`;
    throw new TilegradError("E_DATA", `${where}: got ${got}; expected two classes.`, {
      hint: "Check that this column is the target and that both classes are in these rows.",
    });
  }
  if (options.positive !== undefined) {
    const positive = labelKey(options.positive);
    if (!counts.has(positive)) {
      const got = `no row has the positive label ${JSON.stringify(positive)}`;
      throw new TilegradError("E_DATA", `${where}: ${got}; the labels are ${list(labels)}.`, {
        hint: "Name one of these labels with --positive (option `positive`).",
      });
    }
    return { name, positive, negative: labels.filter((label) => label !== positive), oneVsRest: true };
  }
  if (labels.length > 2) {
    const amounts = labels.length > LISTED_LABELS && labels.every((label) => !Number.isNaN(numberOf(label)));
    throw new TilegradError("E_DATA", `${where}: got ${labels.length} labels: ${list(labels)}; expected two.`, {
      hint: amounts
        ? `These look like amounts, which is regression, and the question here is yes or no: add a column to the table that says, for instance, whether ${name} is above some limit, name it as the target, and exclude ${name}.`
        : "Say which label is the positive one with --positive (option `positive`); all others become negative.",
    });
  }
  const [first, second] = labels;
  const firstIsRarer = (counts.get(first) as number) < (counts.get(second) as number);
  const [positive, negative] = firstIsRarer ? [first, second] : [second, first];
  return { name, positive, negative: [negative], oneVsRest: false };
}

/**
 * The labels of the given rows (default all) as f32 [rows]: 1 where positive, else 0.
 * @throws E_DATA for a missing label, and for one that is neither positive nor negative, with the line.
 */
export function targetOf(
  target: Target | { readonly target: Target },
  table: Table,
  rows?: ArrayLike<number>,
): Float32Array {
  const choice = "target" in Object(target) ? (target as { target: Target }).target : (target as Target);
  checkFields("targetOf", choice, { name: is.string, negative: is.list }, "a target, as chooseTarget gives");
  const column = columnOf(table, choice.name);
  const list = rowList(table, rows);
  const known = new Set(choice.negative);
  const classOf = (label: string): number => {
    const key = labelKey(label);
    return key === choice.positive ? 1 : choice.oneVsRest || known.has(key) ? 0 : Number.NaN;
  };
  const byLevel = column.kind === "categorical" ? column.levels.map(classOf) : [];
  return Float32Array.from(list, (row) => {
    if (isMissing(column, row)) throw missingLabel(table, row, choice.name);
    const value = column.kind === "categorical" ? byLevel[column.codes[row]] : classOf(String(column.values[row]));
    if (!Number.isNaN(value)) return value;
    const got = `the label ${JSON.stringify(cellText(column, row))}`;
    const expected = [choice.positive, ...choice.negative].map((label) => JSON.stringify(label)).join(" or ");
    throw new TilegradError("E_DATA", `${whereIs(table, row, choice.name)}: got ${got}; expected ${expected}.`, {
      hint: "Name the positive label with --positive (option `positive`) to call every other label negative.",
    });
  });
}

function countLabels(table: Table, name: string, rows: Uint32Array): Map<string, number> {
  const column = columnOf(table, name);
  const counts = new Map<string, number>();
  const keys = column.kind === "categorical" ? column.levels.map(labelKey) : [];
  for (const row of rows) {
    if (isMissing(column, row)) throw missingLabel(table, row, name);
    const key = column.kind === "categorical" ? keys[column.codes[row]] : labelKey(column.values[row]);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function missingLabel(table: Table, row: number, name: string): TilegradError {
  return new TilegradError("E_DATA", `${whereIs(table, row, name)}: the label is missing; expected one in every row.`, {
    hint: "Remove the rows without a label, or give them one.",
  });
}

/** Numbers by size, then other labels by code unit. */
function compareLabels(a: string, b: string): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  if (!Number.isNaN(x)) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

function list(labels: readonly string[]): string {
  const shown = labels
    .slice(0, LISTED_LABELS)
    .map((label) => show(label))
    .join(", ");
  return labels.length > LISTED_LABELS ? `${shown} and ${labels.length - LISTED_LABELS} more` : shown;
}
