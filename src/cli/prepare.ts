/** From a CSV file to inputs and labels: columns, target, rows for each use, preprocessing fitted on training rows alone. */
import type { Command } from "commander";
import { Option } from "commander";
import type { Preprocessor, Scaling } from "../data/preprocess.ts";
import { csvKinds, fitPreprocessor, transform } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import { chooseTarget, targetOf } from "../data/target.ts";
import { TilegradError } from "../errors.ts";
import { chooseRows, readSplits, readTable } from "./table.ts";
import { print } from "./terminal.ts";
import { names, number } from "./values.ts";

export interface TableOptions {
  readonly target: string;
  readonly positive?: string;
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
}

/** Inputs and labels of one part of the rows. */
export interface Part {
  /** [rows, inputs], row-major. */
  readonly x: Float32Array;
  /** [rows], 0 or 1. */
  readonly y: Float32Array;
}

export interface Prepared {
  readonly table: Table;
  readonly target: Target;
  readonly preprocessor: Preprocessor;
  readonly train: Part;
  readonly validation: Part | null;
  readonly test: Part | null;
  /** Rows of the table that are for nothing. */
  readonly unused: number;
  readonly warnings: readonly string[];
}

const TEST_SHARE = 0.2;

export function addTableOptions(command: Command): Command {
  return command
    .optionsGroup("Columns:")
    .option("--exclude <columns>", "that are no inputs, separated by commas", names)
    .option("--id <columns>", "that name the rows: no inputs, passed through by predict", names)
    .option("--categorical <columns>", "categories though they look like numbers", names)
    .option("--numeric <columns>", "that must be numbers", names)
    .option("--max-levels <n>", "inputs of one categorical column", number({ min: 1, integer: true }), 50)
    .addOption(new Option("--scaling <kind>", "of numbers").choices(["standard", "minmax", "none"]).default("standard"))
    .optionsGroup("Rows:")
    .option("--test <fraction|file>", `a share of the rows, or another CSV file (default: ${TEST_SHARE})`)
    .option(
      "--validation <fraction>",
      "a share of the rows that are not for testing",
      number({ min: 0, below: 1 }),
      0.2,
    )
    .option("--splits <file#name>", 'lists of row numbers, from 0: { "name": { "train": [...], "test": [...] } }');
}

/** @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export async function prepare(file: string, options: TableOptions, signal: AbortSignal): Promise<Prepared> {
  const { quiet, seed, categorical = [], numeric = [], exclude = [], id = [], maxLevels, scaling } = options;
  const testShare = fractionOf(options);
  const texts = new Set([...categorical, ...exclude, ...id, options.target]);
  const table = await readTable(file, { categorical: [...texts], numeric, signal, quiet });
  const target = chooseTarget(table, {
    target: options.target,
    ...(options.positive === undefined ? {} : { positive: options.positive }),
  });
  const splits = options.splits === undefined ? undefined : await readSplits(options.splits);
  const rows = chooseRows(table, target, {
    seed,
    validation: options.validation,
    test: testShare ?? 0,
    ...(splits ? { splits } : {}),
  });
  const preprocessor = fitPreprocessor(table, rows.train, { target, exclude, id, maxLevels, scaling });
  const testTable =
    testShare === null ? await readTestTable(options.test as string, preprocessor, signal, quiet) : table;
  const testRows = testShare === null ? undefined : rows.test;

  const warnings = new Set<string>();
  const part = (name: string, from: Table, list?: Uint32Array): Part | null => {
    if (list?.length === 0) return null;
    const made = transform(preprocessor, from, list);
    for (const warning of made.warnings) warnings.add(warning);
    const y = targetOf(target, from, list);
    checkBothClasses(from, name, y);
    return { x: made.x, y };
  };
  const parts = {
    train: part("training", table, rows.train) as Part,
    validation: part("validation", table, rows.validation),
    test: part("test", testTable, testRows),
  };
  if (!quiet) for (const warning of warnings) print(`warning: ${warning}`);
  const unused = table.rows - rows.train.length - rows.validation.length - rows.test.length;
  return { table, target, preprocessor, ...parts, unused, warnings: [...warnings] };
}

/** The share of the rows that is for testing; null when a file is. With row lists it does not matter. */
function fractionOf({ test, splits }: TableOptions): number | null {
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

function readTestTable(file: string, preprocessor: Preprocessor, signal: AbortSignal, quiet: boolean): Promise<Table> {
  const { categorical, numeric } = csvKinds(preprocessor);
  return readTable(file, {
    numeric,
    categorical: [...categorical, preprocessor.target.name],
    categoricalIfPresent: preprocessor.dropped.map(({ name }) => name),
    signal,
    quiet,
  });
}

function checkBothClasses(table: Table, part: string, y: Float32Array): void {
  if (y.includes(0) && y.includes(1)) return;
  const got = `all ${y.length} ${part} rows are ${y[0] === 1 ? "positive" : "negative"}`;
  throw new TilegradError("E_DATA", `${table.name}: ${got}; expected both classes.`, {
    hint: "Use other row lists, a larger share or more rows.",
  });
}
