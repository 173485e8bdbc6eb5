/** Which rows each experiment of a cross-validation learns from, is stopped by, and is tested on. */
import { groupSplit } from "../data/groupSplit.ts";
import type { Fold } from "../data/splits.ts";
import { groupKFold, leaveOneOut, repeatedStratifiedKFold, stratifiedSplit, timeSeriesSplit } from "../data/splits.ts";
import { cellText, columnOf, rowList } from "../data/table.ts";
import { targetOf } from "../data/target.ts";
import { splitWindows } from "../data/windows.ts";
import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import type { Apart, Settings } from "./options.ts";
import type { Split, Task } from "./rows.ts";

/** Of a cross-validation. */
export const FOLDS = {
  /** Parts of the rows, each tested once, with the classes' shares in each; default 5. */
  folds: is.required(is.integerFrom(2)),
  /** Times over, each in another order; default 1. */
  repeats: is.required(is.positiveInteger),
  /** As many folds as rows. */
  leaveOneOut: is.required(is.boolean),
};

export interface FoldOptions extends OptionsOf<typeof FOLDS> {}

/** The rows of each fold, made when its turn comes: as many lists as rows would not fit into memory. */
export interface PlannedFolds extends Iterable<Split> {
  readonly count: number;
}

/**
 * Folds in which the rows that decide when to stop, and where the threshold lies, are cut from the training rows.
 * @throws E_ARGUMENT for options that do not go together, or too many folds; E_DATA
 */
export function planFolds(
  task: Task,
  settings: Cut,
  { folds = 5, repeats = 1, leaveOneOut: one = false }: Partial<FoldOptions>,
  among: Uint32Array = task.rows,
): PlannedFolds {
  const ways = waysOf(settings.split, one);
  if (ways.length === 1 && repeats > 1) {
    throw new TilegradError("E_ARGUMENT", `\`repeats\`: folds by ${ways[0]} are the same each time.`, {
      hint: "Leave `repeats` out.",
    });
  }
  const outer = one ? null : outerFolds(task, settings, folds, repeats, among);
  return {
    count: outer === null ? among.length : outer.length,
    *[Symbol.iterator]() {
      for (const { train, test } of outer ?? leaveOneOut(among.length)) {
        const first = test.length > 0 ? among[test[0]] : undefined;
        yield { ...divideForValidation(task, settings, pick(among, train), first), test: pick(among, test) };
      }
    },
  };
}

const pick = (rows: Uint32Array, places: Uint32Array): Uint32Array => places.map((place) => rows[place]);

/** How rows are kept apart, but by the classes' shares. @throws E_ARGUMENT for more than one way */
function waysOf({ group, time }: Apart, one = false): string[] {
  const ways = [
    ...(group === undefined ? [] : ["`group`"]),
    ...(time ? ["`time`"] : []),
    ...(one ? ["`leaveOneOut`"] : []),
  ];
  if (ways.length < 2) return ways;
  throw new TilegradError("E_ARGUMENT", `${ways.join(" and ")}: got both; expected one way to part the rows.`);
}

/** In places of `among`. */
function outerFolds(
  task: Task,
  { split: { group, time }, seed }: Cut,
  folds: number,
  repeats: number,
  among: Uint32Array,
): Fold[] {
  if (time || task.window) return timeSeriesSplit(among.length, folds);
  if (group !== undefined) return groupKFold(groupsOf(task, group, among), folds);
  const y = targetOf(task.target, task.table, among);
  checkFoldCount(task, y, folds);
  return repeatedStratifiedKFold(y, folds, { repeats, seed });
}

/** @throws E_ARGUMENT unless each fold can test a row of either class */
function checkFoldCount({ table, target }: Task, y: Float32Array, folds: number): void {
  const yes = y.reduce((sum, label) => sum + label, 0);
  const [rows, labels] = yes <= y.length - yes ? [yes, [target.positive]] : [y.length - yes, target.negative];
  if (folds <= rows || rows < 2) return; // fewer than 2 are too few for any folds
  const got = `folds: got ${folds}; ${table.name} has ${rows} rows of ${target.name} = ${labels.join(" or ")} to divide`;
  throw new TilegradError("E_ARGUMENT", `${got}; expected at most ${rows} folds.`, {
    hint: "Each fold tests a row of either class: use fewer folds, or bring more rows of this label.",
  });
}

function groupsOf({ table }: Task, group: string, rows: Uint32Array): string[] {
  const column = columnOf(table, group);
  if (column.kind === "categorical" && column.left) {
    throw new TilegradError("E_DATA", `${table.name}: \`group: ${group}\`: there are more groups than are kept.`, {
      hint: "Keep the rows in memory: `stream: false`.",
    });
  }
  return Array.from(rows, (row) => cellText(column, row));
}

/** What decides how rows are cut. */
type Cut = Pick<Settings, "split" | "seed">;

/**
 * Rows that are for testing, a share or those on a list, and the others.
 * @throws E_ARGUMENT; E_DATA also for lists that part a group, or that test on what came before
 */
export function holdOut(task: Task, settings: Cut): { readonly rest: Uint32Array; readonly test: Uint32Array } {
  const { table, window, rows } = task;
  const { splits, test: share, group, time } = settings.split;
  waysOf(settings.split);
  if (splits === undefined) {
    const [rest, test] = cut(task, rows, typeof share === "number" ? share : 0, settings);
    return { rest, test };
  }
  if (window) {
    throw new TilegradError("E_ARGUMENT", "`splits` and `window`: got both; windows are split by time.", {
      hint: "Use `test` and `validation`.",
    });
  }
  const [rest, test] = [rowList(table, splits.train), rowList(table, splits.test)];
  if (time) checkOrder(splits.name, rest.sort(), test);
  if (group !== undefined) checkGroups(task, splits.name, group, rest, test);
  return { rest, test };
}

/** @throws E_DATA for a row for testing that comes before one for training; `train` ascends */
function checkOrder(splits: string, train: Uint32Array, test: Uint32Array): void {
  const last = train[train.length - 1];
  const early = test.find((row) => row < last);
  if (early === undefined) return;
  const got = `row ${early} for testing comes before row ${last} for training`;
  throw new TilegradError("E_DATA", `\`splits: ${splits}\` and \`time\`: ${got}; expected it after all of these.`, {
    hint: "With `time` rows follow each other in the order of the file: test on the last ones, or leave `time` out.",
  });
}

/** @throws E_DATA for a group with rows in both lists */
function checkGroups(task: Task, splits: string, group: string, train: Uint32Array, test: Uint32Array): void {
  const learned = new Map(groupsOf(task, group, train).map((name, i) => [name, train[i]]));
  const names = groupsOf(task, group, test);
  const shared = names.findIndex((name) => learned.has(name));
  if (shared < 0) return;
  const [name, row] = [names[shared], test[shared]];
  const got = `${JSON.stringify(name)} has rows for training (${learned.get(name)}) and for testing (${row})`;
  throw new TilegradError(
    "E_DATA",
    `\`splits: ${splits}\` and \`group: ${group}\`: ${got}; expected all on one side.`,
    {
      hint: "Make the lists of whole groups, or leave `group` out.",
    },
  );
}

/** Rows for training, validation and testing. @throws E_DATA, E_ARGUMENT */
export function splitRows(task: Task, settings: Cut): Split {
  const { rest, test } = holdOut(task, settings);
  return { ...divideForValidation(task, settings, rest), test };
}

/** Training rows without a share for validation, cut in the way the folds were: by time, by group, or by class. */
export function divideForValidation(
  task: Task,
  settings: Cut,
  rest: Uint32Array,
  firstTested?: number,
): Pick<Split, "train" | "validation"> {
  const { window } = task;
  // No window may reach from the rows that are learned from into those that are tested.
  const before =
    window === undefined || firstTested === undefined
      ? rest
      : rest.filter((end) => end + window.horizon <= firstTested - window.length);
  const [train, validation] = cut(task, before, settings.split.validation, settings);
  return { train, validation };
}

/** Rows, ascending where they follow in time, without a share of them, and that share. */
function cut(
  task: Task,
  rows: Uint32Array,
  share: number,
  { split: { group, time }, seed }: Cut,
): [rest: Uint32Array, held: Uint32Array] {
  const { table, target, window } = task;
  if (share === 0) return [rows, new Uint32Array(0)];
  if (window) {
    const { train, validation } = splitWindows(rows, window, { validation: share, test: 0 });
    return [train, validation];
  }
  if (time) {
    const at = rows.length - Math.max(1, Math.round(share * rows.length));
    return [rows.subarray(0, at), rows.subarray(at)];
  }
  const y = targetOf(target, table, rows);
  if (group !== undefined) {
    const { train, test } = groupSplit(groupsOf(task, group, rows), y, { test: share, seed });
    return [pick(rows, train), pick(rows, test)];
  }
  checkEnough(task, y);
  const parts = stratifiedSplit(y, { fractions: { train: 1 - share, test: share }, seed });
  return [pick(rows, parts.train), pick(rows, parts.test)];
}

/** @throws E_DATA unless both parts can have a row of each class */
function checkEnough({ table, target }: Task, y: Float32Array): void {
  const { name: column, positive, negative } = target;
  const all = targetOf(target, table, rowList(table));
  for (const [value, labels] of [
    [1, [positive]],
    [0, negative],
  ] as const) {
    const rowsIn = (part: Float32Array) => part.reduce((n, label) => n + (label === value ? 1 : 0), 0);
    const [rows, total] = [rowsIn(y), rowsIn(all)];
    if (rows >= 2) continue;
    const left = total > rows ? ` (the others of its ${total} are in another part)` : "";
    const got = `${column} = ${labels.join(" or ")} has ${rows === 1 ? "1 row" : "no row"} to divide${left}`;
    throw new TilegradError("E_DATA", `${table.name}: ${got}; expected at least 2, one for each part.`, {
      hint: "Bring more rows of this label, or leave a part out: `test: 0` or `validation: 0`.",
    });
  }
}
