/** Which rows each experiment of a cross-validation learns from, is stopped by, and is tested on. */
import type { Command } from "commander";
import { number } from "../cli/options/values.ts";
import type { Rows } from "../cli/table.ts";
import { divide, readSplits } from "../cli/table.ts";
import { groupSplit } from "../data/groupSplit.ts";
import type { Fold } from "../data/splits.ts";
import { groupKFold, leaveOneOut, repeatedStratifiedKFold, timeSeriesSplit } from "../data/splits.ts";
import { cellText, columnOf, rowList } from "../data/table.ts";
import { targetOf } from "../data/target.ts";
import { splitWindows } from "../data/windows.ts";
import { TilegradError } from "../errors.ts";
import type { Labelled } from "./labelled.ts";

/** What rows must not share with those they are judged by. By default the classes' shares are kept. */
export interface Apart {
  /** A column: the rows of one group stay together. */
  readonly group?: string;
  /** Rows follow in time. */
  readonly time?: boolean;
}

export interface FoldOptions extends Apart {
  readonly folds: number;
  readonly repeats: number;
  readonly leaveOneOut: boolean;
}

const whole = (min: number): ((text: string) => number) => number({ min, integer: true });

export function addFoldOptions(command: Command): Command {
  return command
    .optionsGroup("Folds:")
    .option("--folds <k>", "parts of the rows, each tested once, with the classes' shares in each", whole(2), 5)
    .option("--repeats <n>", "times over, each in another order", whole(1), 1)
    .option("--group <column>", "rows of one group are never both learned from and tested on; no input")
    .option("--time", "rows follow in time: each part is tested on what was learned from the rows before", false)
    .option("--leave-one-out", "as many folds as rows", false);
}

/** The options, with what names a group among what names the rows: it is no input. */
export const withGroup = <Options extends { readonly id?: readonly string[]; readonly group?: string }>(
  options: Options,
): Options & { readonly id: readonly string[] } => ({
  ...options,
  id: [...new Set([...(options.id ?? []), ...(options.group === undefined ? [] : [options.group])])],
});

/** The rows of each fold, made when its turn comes: as many lists as rows would not fit into memory. */
export interface PlannedFolds extends Iterable<Rows> {
  readonly count: number;
}

/**
 * Folds in which the rows that decide when to stop, and where the threshold lies, are cut from the training rows.
 * @throws E_ARGUMENT for options that do not go together, or too many folds; E_DATA
 */
export function planFolds(
  labelled: Labelled,
  options: FoldOptions & { readonly validation: number; readonly seed: number },
  among: Uint32Array = labelled.rows,
): PlannedFolds {
  checkFoldOptions(options);
  const outer = outerFolds(labelled, options, among);
  return {
    count: outer === null ? among.length : outer.length,
    *[Symbol.iterator]() {
      for (const { train, test } of outer ?? leaveOneOut(among.length)) {
        const first = test.length > 0 ? among[test[0]] : undefined;
        yield { ...divideForValidation(labelled, options, pick(among, train), first), test: pick(among, test) };
      }
    },
  };
}

const pick = (rows: Uint32Array, places: Uint32Array): Uint32Array => places.map((place) => rows[place]);

function checkFoldOptions({ repeats, ...options }: FoldOptions): void {
  const ways = waysOf(options);
  if (ways.length === 1 && repeats > 1) {
    throw new TilegradError("E_ARGUMENT", `--repeats: folds by ${ways[0]} are the same each time.`, {
      hint: "Leave --repeats out.",
    });
  }
}

/** How rows are kept apart, but by the classes' shares. @throws E_ARGUMENT for more than one way */
function waysOf({ group, time, leaveOneOut: one }: Apart & Partial<FoldOptions>): string[] {
  const ways = [
    ...(group === undefined ? [] : ["--group"]),
    ...(time ? ["--time"] : []),
    ...(one ? ["--leave-one-out"] : []),
  ];
  if (ways.length < 2) return ways;
  throw new TilegradError("E_ARGUMENT", `${ways.join(" and ")}: got both; expected one way to part the rows.`);
}

/** In places of `among`; null to leave one out. */
function outerFolds(
  labelled: Labelled,
  options: FoldOptions & { readonly seed: number },
  among: Uint32Array,
): Fold[] | null {
  const { folds, repeats, group, time, seed } = options;
  if (options.leaveOneOut) return null;
  if (time || labelled.window) return timeSeriesSplit(among.length, folds);
  if (group !== undefined) return groupKFold(groupsOf(labelled, group, among), folds);
  const y = targetOf(labelled.target, labelled.table, among);
  checkFoldCount(labelled, y, folds);
  return repeatedStratifiedKFold(y, folds, { repeats, seed });
}

/** @throws E_ARGUMENT unless each fold can test a row of either class */
function checkFoldCount({ table, target }: Labelled, y: Float32Array, folds: number): void {
  const yes = y.reduce((sum, label) => sum + label, 0);
  const [rows, labels] = yes <= y.length - yes ? [yes, [target.positive]] : [y.length - yes, target.negative];
  if (folds <= rows || rows < 2) return; // fewer than 2 are too few for any folds
  const got = `folds: got ${folds}; ${table.name} has ${rows} rows of ${target.name} = ${labels.join(" or ")} to divide`;
  throw new TilegradError("E_ARGUMENT", `${got}; expected at most ${rows} folds.`, {
    hint: "Each fold tests a row of either class: use fewer folds, or bring more rows of this label.",
  });
}

function groupsOf({ table }: Labelled, group: string, rows: Uint32Array): string[] {
  const column = columnOf(table, group);
  if (column.kind === "categorical" && column.left) {
    throw new TilegradError("E_DATA", `${table.name}: --group ${group}: there are more groups than are kept.`, {
      hint: "Keep the rows in memory: --no-stream.",
    });
  }
  return Array.from(rows, (row) => cellText(column, row));
}

type SeededApart = Apart & { readonly seed: number };

/**
 * Rows that are for testing, a share or those on a list, and the others.
 * @throws E_FILE, E_ARGUMENT; E_DATA also for lists that part a group, or that test on what came before
 */
export async function holdOut(
  labelled: Labelled,
  share: number,
  { splits, ...apart }: SeededApart & { readonly splits?: string },
): Promise<{ readonly rest: Uint32Array; readonly test: Uint32Array }> {
  const { table, window, rows } = labelled;
  waysOf(apart);
  if (splits === undefined) {
    const [rest, test] = cut(labelled, rows, share, apart);
    return { rest, test };
  }
  if (window) {
    throw new TilegradError("E_ARGUMENT", "--splits and --window: got both; windows are split by time.", {
      hint: "Use --test and --validation.",
    });
  }
  const lists = await readSplits(splits);
  const [rest, test] = [rowList(table, lists.train), rowList(table, lists.test)];
  if (apart.time) checkOrder(splits, rest.sort(), test);
  if (apart.group !== undefined) checkGroups(labelled, splits, apart.group, rest, test);
  return { rest, test };
}

/** @throws E_DATA for a row for testing that comes before one for training; `train` ascends */
function checkOrder(splits: string, train: Uint32Array, test: Uint32Array): void {
  const last = train[train.length - 1];
  const early = test.find((row) => row < last);
  if (early === undefined) return;
  const got = `row ${early} for testing comes before row ${last} for training`;
  throw new TilegradError("E_DATA", `--splits ${splits} and --time: ${got}; expected it after all of these.`, {
    hint: "With --time rows follow each other in the order of the file: test on the last ones, or leave --time out.",
  });
}

/** @throws E_DATA for a group with rows in both lists */
function checkGroups(labelled: Labelled, splits: string, group: string, train: Uint32Array, test: Uint32Array): void {
  const learned = new Map(groupsOf(labelled, group, train).map((name, i) => [name, train[i]]));
  const names = groupsOf(labelled, group, test);
  const shared = names.findIndex((name) => learned.has(name));
  if (shared < 0) return;
  const [name, row] = [names[shared], test[shared]];
  const got = `${JSON.stringify(name)} has rows for training (${learned.get(name)}) and for testing (${row})`;
  throw new TilegradError("E_DATA", `--splits ${splits} and --group ${group}: ${got}; expected all on one side.`, {
    hint: "Make the lists of whole groups, or leave --group out.",
  });
}

/** Rows for training, validation and testing. @throws E_FILE, E_DATA, E_ARGUMENT */
export async function partition(
  labelled: Labelled,
  share: number,
  options: SeededApart & { readonly validation: number; readonly splits?: string },
): Promise<Rows> {
  const { rest, test } = await holdOut(labelled, share, options);
  return { ...divideForValidation(labelled, options, rest), test };
}

/** Training rows without a share for validation, cut in the way the folds were: by time, by group, or by class. */
export function divideForValidation(
  labelled: Labelled,
  { validation, ...apart }: SeededApart & { readonly validation: number },
  rest: Uint32Array,
  firstTested?: number,
): Pick<Rows, "train" | "validation"> {
  const { window } = labelled;
  // No window may reach from the rows that are learned from into those that are tested.
  const before =
    window === undefined || firstTested === undefined
      ? rest
      : rest.filter((end) => end + window.horizon <= firstTested - window.length);
  const [train, held] = cut(labelled, before, validation, apart);
  return { train, validation: held };
}

/** Rows, ascending where they follow in time, without a share of them, and that share. */
function cut(
  labelled: Labelled,
  rows: Uint32Array,
  share: number,
  { group, time, seed }: SeededApart,
): [rest: Uint32Array, held: Uint32Array] {
  const { table, target, window } = labelled;
  if (share === 0) return [rows, new Uint32Array(0)];
  if (window) {
    const { train, validation } = splitWindows(rows, window, { validation: share, test: 0 });
    return [train, validation];
  }
  if (time) {
    const at = rows.length - Math.max(1, Math.round(share * rows.length));
    return [rows.subarray(0, at), rows.subarray(at)];
  }
  if (group !== undefined) {
    const y = targetOf(target, table, rows);
    const { train, test } = groupSplit(groupsOf(labelled, group, rows), y, { test: share, seed });
    return [pick(rows, train), pick(rows, test)];
  }
  return divide(table, target, rows, share, seed);
}
