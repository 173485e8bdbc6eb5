/** The flags that say what in a table is learned from, and which rows are for what. */
import type { Command } from "commander";
import { TilegradError } from "../../errors.ts";
import { FOLDS } from "../../experiment/folds.ts";
import type { Apart, ColumnOptions, TaskOptions } from "../../experiment/options.ts";
import { DEFAULTS, GROUPS, TASK } from "../../experiment/options.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import { addFlags } from "./flags.ts";
import { imageSize, names, ofKind } from "./values.ts";

export interface InputFlags extends Omit<TaskOptions, "target"> {
  /** Default `label`, where the data has its own. */
  readonly target?: string;
}

export interface TableFlags extends InputFlags, Apart, Partial<ColumnOptions> {
  readonly categorical?: readonly string[];
  readonly numeric?: readonly string[];
  /** A fraction, or a file. */
  readonly test?: string;
  readonly validation: number;
  /** FILE#NAME. */
  readonly splits?: string;
  readonly quiet: boolean;
  readonly stream?: boolean;
}

const TEST_SHARE = DEFAULTS.split.test;

export const addInputOptions = (command: Command): Command =>
  addFlags(command.optionsGroup("Inputs:"), TASK, {
    image: ["HxW[xC]", "the columns are the pixels of an image, row by row, channels innermost", imageSize],
    window: ["rows", "rows follow in time; an input is so many of them, of the numeric columns"],
    horizon: ["rows", "with --window: from a window's last row to its label (default: 1)"],
  });

export function addTableOptions(command: Command): Command {
  addFlags(command.optionsGroup("Columns:"), GROUPS.columns, {
    exclude: ["columns", "that are no inputs, separated by commas"],
    id: ["columns", "that name the rows: no inputs, passed through by predict"],
  });
  addCategoricalOption(command).option("--numeric <columns>", "that must be numbers", names);
  addFlags(
    command,
    GROUPS.columns,
    {
      sampleWeight: ["column", "how much each row counts, in the loss and in metrics: no input"],
      amount: ["column", "what a cost of `amount` is for each row (--threshold cost:fp=5,fn=amount): no input"],
      maxLevels: ["n", "inputs of one categorical column"],
      scaling: ["kind", "of numbers"],
      absolute: ["columns", "with --window: their levels are inputs, though they move"],
    },
    DEFAULTS.columns,
  );
  const validation = { validation: ["fraction", "a share of the rows that are not for testing"] } as const;
  return addFlags(command.optionsGroup("Rows:"), GROUPS.split, validation, DEFAULTS.split);
}

export const addCategoricalOption = (command: Command): Command =>
  command.option("--categorical <columns>", "categories though they look like numbers", names);

/** Which rows are kept for testing. */
export function addTestOptions(command: Command): Command {
  command
    .optionsGroup("Rows:")
    .option("--test <fraction|file>", `a share of the rows, or another file (default: ${TEST_SHARE})`)
    .option("--splits <file#name>", 'lists of row numbers, from 0: { "name": { "train": [...], "test": [...] } }');
  return addApartOptions(
    command,
    "rows of one group are never on both sides; no input",
    "rows follow in time: the last are for testing, those before for validation",
  );
}

const addApartOptions = (command: Command, group: string, time: string): Command =>
  addFlags(command, GROUPS.split, { group: ["column", group], time: ["", time] }, DEFAULTS.split);

export function addFoldOptions(command: Command): Command {
  const defaults = { folds: 5, repeats: 1 };
  addFlags(
    command.optionsGroup("Folds:"),
    FOLDS,
    {
      folds: ["k", "parts of the rows, each tested once, with the classes' shares in each"],
      repeats: ["n", "times over, each in another order"],
    },
    defaults,
  );
  addApartOptions(
    command,
    "rows of one group are never both learned from and tested on; no input",
    "rows follow in time: each part is tested on what was learned from the rows before",
  );
  return addFlags(command, FOLDS, { leaveOneOut: ["", "as many folds as rows"] }, { leaveOneOut: false });
}

const MOST_JOBS = 64;
const JOBS: Kind<number> = {
  expected: `a whole number from 1 to ${MOST_JOBS}`,
  holds: (value) => is.positiveInteger.holds(value) && Number(value) <= MOST_JOBS,
};

export const addJobsOption = (command: Command): Command =>
  command.option(
    "--jobs <n>",
    "experiments at a time, to the same results (default: 2 on a GPU unless the table is large, else 1)",
    ofKind(JOBS),
  );

/** The options, with what names a group among what names the rows: it is no input. */
export const withGroup = <Options extends { readonly id?: readonly string[]; readonly group?: string }>(
  options: Options,
): Options & { readonly id: readonly string[] } => ({
  ...options,
  id: [...new Set([...(options.id ?? []), ...(options.group === undefined ? [] : [options.group])])],
});

/** The share of the rows that is for testing; null when a file is. With row lists it does not matter. */
export function fractionOf({ test, splits }: Pick<TableFlags, "test" | "splits">): number | null {
  if (splits !== undefined && test !== undefined) {
    throw new TilegradError("E_ARGUMENT", "--splits and --test: got both; expected one of them.", {
      hint: "Leave one out.",
    });
  }
  if (test === undefined) return TEST_SHARE;
  const share = Number(test);
  if (test.trim() === "" || Number.isNaN(share)) return null;
  if (share >= 0 && share < 1) return share;
  throw new TilegradError("E_ARGUMENT", `--test: got ${test}; expected a share of at least 0 and below 1, or a file.`);
}
