/** The flags that say what in a table is learned from, and which rows are for what. */
import type { Command } from "commander";
import { Option } from "commander";
import { TilegradError } from "../../errors.ts";
import type { Apart, ColumnOptions, TaskOptions } from "../../experiment/options.ts";
import { DEFAULTS } from "../../experiment/options.ts";
import { imageSize, names, number, whole } from "./values.ts";

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

export function addInputOptions(command: Command): Command {
  return command
    .optionsGroup("Inputs:")
    .option("--image <HxW[xC]>", "the columns are the pixels of an image, row by row, channels innermost", imageSize)
    .option(
      "--window <rows>",
      "rows follow in time; an input is so many of them, of the numeric columns",
      number({ min: 1, integer: true }),
    )
    .option(
      "--horizon <rows>",
      "with --window: from a window's last row to its label (default: 1)",
      number({ min: 0, integer: true }),
    );
}

export function addTableOptions(command: Command): Command {
  return command
    .optionsGroup("Columns:")
    .option("--exclude <columns>", "that are no inputs, separated by commas", names)
    .option("--id <columns>", "that name the rows: no inputs, passed through by predict", names)
    .option("--categorical <columns>", "categories though they look like numbers", names)
    .option("--numeric <columns>", "that must be numbers", names)
    .option("--sample-weight <column>", "how much each row counts, in the loss and in metrics: no input")
    .option("--amount <column>", "what a cost of `amount` is for each row (--threshold cost:fp=5,fn=amount): no input")
    .option(
      "--max-levels <n>",
      "inputs of one categorical column",
      number({ min: 1, integer: true }),
      DEFAULTS.columns.maxLevels,
    )
    .addOption(
      new Option("--scaling <kind>", "of numbers")
        .choices(["standard", "minmax", "none"])
        .default(DEFAULTS.columns.scaling),
    )
    .optionsGroup("Rows:")
    .option(
      "--validation <fraction>",
      "a share of the rows that are not for testing",
      number({ min: 0, below: 1 }),
      DEFAULTS.split.validation,
    );
}

/** Which rows are kept for testing. */
export function addTestOptions(command: Command): Command {
  return command
    .optionsGroup("Rows:")
    .option("--test <fraction|file>", `a share of the rows, or another file (default: ${TEST_SHARE})`)
    .option("--splits <file#name>", 'lists of row numbers, from 0: { "name": { "train": [...], "test": [...] } }')
    .option("--group <column>", "rows of one group are never on both sides; no input")
    .option("--time", "rows follow in time: the last are for testing, those before for validation", false);
}

export function addFoldOptions(command: Command): Command {
  return command
    .optionsGroup("Folds:")
    .option("--folds <k>", "parts of the rows, each tested once, with the classes' shares in each", whole(2), 5)
    .option("--repeats <n>", "times over, each in another order", whole(1), 1)
    .option("--group <column>", "rows of one group are never both learned from and tested on; no input")
    .option("--time", "rows follow in time: each part is tested on what was learned from the rows before", false)
    .option("--leave-one-out", "as many folds as rows", false);
}

const MOST_JOBS = 64;

export const addJobsOption = (command: Command): Command =>
  command.option(
    "--jobs <n>",
    "experiments at a time, to the same results (default: 2 on a GPU unless the table is large, else 1)",
    number({ min: 1, max: MOST_JOBS, integer: true }),
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
