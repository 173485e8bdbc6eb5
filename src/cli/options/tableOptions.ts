/** The options that say what in a table is learned from, and which rows are for what. */
import type { Command } from "commander";
import { Option } from "commander";
import type { Scaling } from "../../data/preprocess.ts";
import { TilegradError } from "../../errors.ts";
import type { Apart } from "../../experiment/folds.ts";
import type { RowColumns } from "../../experiment/rowColumns.ts";
import { imageSize, names, number } from "./values.ts";

/** What the inputs are made of: rows as they are, images, or windows of rows. */
export interface InputOptions {
  /** Default `label`, where the data has its own. */
  readonly target?: string;
  readonly positive?: string;
  readonly image?: readonly [height: number, width: number, channels: number];
  readonly window?: number;
  readonly horizon?: number;
}

export interface TableOptions extends InputOptions, RowColumns, Apart {
  readonly exclude?: readonly string[];
  readonly id?: readonly string[];
  readonly categorical?: readonly string[];
  readonly numeric?: readonly string[];
  readonly maxLevels: number;
  readonly scaling: Scaling;
  /** A fraction, or a file. */
  readonly test?: string;
  readonly validation: number;
  readonly splits?: string;
  readonly seed: number;
  readonly quiet: boolean;
  readonly stream?: boolean;
}

const TEST_SHARE = 0.2;

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
    .option("--max-levels <n>", "inputs of one categorical column", number({ min: 1, integer: true }), 50)
    .addOption(new Option("--scaling <kind>", "of numbers").choices(["standard", "minmax", "none"]).default("standard"))
    .optionsGroup("Rows:")
    .option(
      "--validation <fraction>",
      "a share of the rows that are not for testing",
      number({ min: 0, below: 1 }),
      0.2,
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

/** The share of the rows that is for testing; null when a file is. With row lists it does not matter. */
export function fractionOf({ test, splits }: Pick<TableOptions, "test" | "splits">): number | null {
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
