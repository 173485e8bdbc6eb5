/** From a CSV file to inputs and labels: columns, target, rows for each use, preprocessing fitted on training rows alone. */

import type { InputOptions, TableOptions } from "../cli/options/tableOptions.ts";
import { fractionOf } from "../cli/options/tableOptions.ts";
import type { SourceOptions } from "../cli/source.ts";
import { hasOwnLabel, isStreamed, LABEL, readSource } from "../cli/source.ts";
import type { Streaming } from "../cli/stream.ts";
import type { Rows } from "../cli/table.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import { csvKinds, fitPreprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { rowList } from "../data/table.ts";
import type { Target } from "../data/target.ts";
import { chooseTarget } from "../data/target.ts";
import { labelWindows, risingColumn, UP, windowEnds } from "../data/windows.ts";
import { TilegradError } from "../errors.ts";
import { assertExists } from "../node/files.ts";
import { Scratch } from "../node/scratch.ts";
import type { Part } from "./examples.ts";
import { partOf } from "./examples.ts";
import { partition, planFolds } from "./folds.ts";
import type { Labelled } from "./labelled.ts";
import type { RowColumns } from "./rowColumns.ts";
import { rowColumnNames } from "./rowColumns.ts";

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
  /**
   * The rows that are not for testing in `k` folds, cut as all rows were. Each is prepared anew, when its turn comes, and
   * disposed of after it. @throws E_ARGUMENT for too many folds
   */
  folds(k: number): AsyncIterable<Prepared>;
  /** Removes temporary files. */
  dispose(): void;
}

const LENGTH = "Say how many rows an input is, such as --window 32.";

/** @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export async function readLabelled(
  file: string,
  { target: column, positive, image: size, window: length, horizon }: InputOptions,
  options: SourceOptions,
): Promise<Labelled> {
  const name = column ?? ((await hasOwnLabel(file)) ? LABEL : undefined);
  if (name === undefined) {
    await assertExists(file);
    throw new TilegradError("E_ARGUMENT", `${file}: no --target was given.`, {
      hint: "Name the column to predict with --target; only folders of images, NPZ and IDX files have their own labels.",
    });
  }
  const rising = risingColumn(name);
  if (length === undefined) {
    if (horizon !== undefined) {
      throw new TilegradError("E_ARGUMENT", "--horizon: there is no --window.", { hint: LENGTH });
    }
    if (rising !== null) {
      throw new TilegradError("E_ARGUMENT", `--target ${name}: needs --window.`, { hint: LENGTH });
    }
  } else if (size) {
    const hint = "An input is an image or rows of a time series; leave one out.";
    throw new TilegradError("E_ARGUMENT", "--image and --window: got both; expected one of them.", { hint });
  }
  const { categorical = [], numeric = [] } = options;
  const kinds =
    rising === null ? { categorical: [...categorical, name], numeric } : { categorical, numeric: [...numeric, rising] };
  const {
    table: read,
    id,
    ...found
  } = await readSource(file, { ...options, ...kinds, image: size, labelled: name === LABEL });
  const image = size ?? found.image;
  const window = length === undefined ? undefined : { length, horizon: horizon ?? 1 };
  const table = window ? labelWindows(read, name, window.horizon) : read;
  const rows = window ? windowEnds(table, window.length, name) : rowList(table);
  const yes = positive ?? (rising === null ? undefined : UP[0]);
  const target = chooseTarget(table, { target: name, ...(yes === undefined ? {} : { positive: yes }) }, rows);
  return { table, id, target, rows, ...(image ? { image } : {}), ...(window ? { window } : {}) };
}

/** A table and its labels, for any number of experiments. @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export function readForTraining(
  file: string,
  options: Omit<TableOptions, "test" | "validation">,
  signal: AbortSignal,
  scratch?: Scratch,
): Promise<Labelled> {
  const { quiet, categorical = [], numeric = [], exclude = [], id = [], group } = options;
  const numbers = rowColumnNames(options);
  const noInputs = [...exclude, ...id].filter((name) => !numbers.includes(name));
  const unused = noInputs.filter((name) => name !== group);
  const rising = risingColumn(options.target ?? "");
  const texts = [...new Set([...categorical, ...noInputs.filter((name) => name !== rising)])];
  return readLabelled(file, options, { categorical: texts, numeric, signal, quiet, scratch, unused });
}

/** One experiment's rows as the options have them. @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export async function prepare(file: string, options: TableOptions, signal: AbortSignal): Promise<Prepared> {
  const scratch = (await isStreamed(file, options)) ? new Scratch() : undefined;
  try {
    const share = fractionOf(options);
    const labelled = await readForTraining(file, options, signal, scratch);
    const rows = await partition(labelled, share ?? 0, options);
    const test = share === null ? testFile(options, signal, scratch) : undefined;
    return await prepareRows(labelled, rows, options, test, scratch && { scratch, quiet: options.quiet, signal });
  } catch (error) {
    scratch?.dispose();
    throw error;
  }
}

type TestRows = (preprocessor: Preprocessor) => Promise<{ readonly table: Table; readonly rows: Uint32Array }>;

/** All rows of the file that --test names. */
export const testFile =
  ({ test, quiet, ...columns }: TableOptions, signal: AbortSignal, scratch?: Scratch): TestRows =>
  async (preprocessor) => {
    const options = { signal, quiet, labelled: true, scratch, columns };
    const table = await readTableFor(preprocessor, test as string, options);
    return { table, rows: labelledRows(preprocessor, table) };
  };

/**
 * Inputs and labels of the given rows; whatever is fitted is fitted on `rows.train` alone.
 * @param test where the test rows are, if they are not `rows.test` of the same table
 * @param streaming where the rows of tables on disk are to be kept
 * @throws E_DATA, also when a part has one class only
 */
export async function prepareRows(
  labelled: Labelled,
  rows: Rows,
  options: Omit<TableOptions, "test">,
  test: TestRows = async () => ({ table: labelled.table, rows: rows.test }),
  streaming?: Streaming,
): Promise<Prepared> {
  const { exclude: unused = [], id: named = [], maxLevels, scaling } = options;
  const { table, target, image, window } = labelled;
  const id = [...new Set([...named, ...labelled.id])];
  const exclude = [...new Set([...unused, ...rowColumnNames(options)])];
  const shape = { ...(image ? { image } : {}), ...(window ? { window } : {}) };
  const preprocessor = fitPreprocessor(table, rows.train, { target, exclude, id, maxLevels, scaling, ...shape });
  const tested = await test(preprocessor);

  const warnings = new Set<string>();
  const part = async (name: string, from: Table, list: Uint32Array): Promise<Part | null> => {
    if (list.length === 0) return null;
    const made = await partOf(name, preprocessor, from, list, streaming, options);
    if (list.length > 1) checkBothClasses(from, name, made.part); // leave-one-out tests a row at a time
    for (const warning of made.warnings) warnings.add(warning);
    return made.part;
  };
  const parts = {
    train: (await part("training", table, rows.train)) as Part,
    validation: await part("validation", table, rows.validation),
    test: await part("test", tested.table, tested.rows),
  };
  const left = table.rows - rows.train.length - rows.validation.length - rows.test.length;
  const folds = (k: number): AsyncIterable<Prepared> => {
    const rest = new Uint32Array(rows.train.length + rows.validation.length);
    rest.set(rows.train);
    rest.set(rows.validation, rows.train.length);
    const planned = planFolds(labelled, { ...options, folds: k, repeats: 1, leaveOneOut: false }, rest.sort());
    return prepareEach(labelled, planned, options, streaming);
  };
  const dispose = (): void => streaming?.scratch.dispose();
  return { table, target, preprocessor, ...parts, unused: left, warnings: [...warnings], folds, dispose };
}

async function* prepareEach(
  labelled: Labelled,
  folds: Iterable<Rows>,
  options: Omit<TableOptions, "test">,
  streaming: Streaming | undefined,
): AsyncGenerator<Prepared, void> {
  for (const rows of folds) {
    const own = streaming && { ...streaming, quiet: true, scratch: new Scratch() };
    try {
      yield await prepareRows(labelled, rows, options, undefined, own);
    } finally {
      own?.scratch.dispose();
    }
  }
}

/** What of a table a saved model needs. */
interface Wanted {
  /** Whether the label's column is to be there. */
  readonly labelled: boolean;
  readonly columns?: RowColumns;
}

/** How to read a table in the kinds of the training table; columns that are no inputs need not be there. */
export function kindsFor(preprocessor: Preprocessor, { labelled, columns = {} }: Wanted) {
  const { categorical, numeric } = csvKinds(preprocessor);
  const { target, window, dropped } = preprocessor;
  const rising = window ? risingColumn(target.name) : null;
  const kept = rowColumnNames(columns);
  const unused = dropped.map((d) => d.name).filter((name) => !kept.includes(name));
  const label = rising ?? target.name;
  return {
    unused,
    numeric: labelled && rising !== null ? [...new Set([...numeric, rising])] : numeric,
    categorical: labelled && rising === null ? [...categorical, label] : categorical,
    categoricalIfPresent: labelled || rising !== null ? unused.filter((name) => name !== rising) : [...unused, label],
  };
}

/** Reads a table for a saved model. @throws E_FILE, E_DATA, E_ABORTED */
export async function readTableFor(
  preprocessor: Preprocessor,
  file: string,
  { labelled, columns, ...options }: Wanted & { signal: AbortSignal; quiet: boolean; scratch?: Scratch | undefined },
): Promise<Table> {
  const { target, window, image } = preprocessor;
  const kinds = kindsFor(preprocessor, { labelled, columns });
  const { table } = await readSource(file, { ...options, ...kinds, image, labelled });
  return labelled && window ? labelWindows(table, target.name, window.horizon) : table;
}

/** The rows that have an input and, in a table that `readTableFor` read with labels, a label. */
export const labelledRows = ({ window, target }: Preprocessor, table: Table): Uint32Array =>
  window ? windowEnds(table, window.length, target.name) : rowList(table);

function checkBothClasses(table: Table, part: string, { y: labels, sampleWeight }: Part): void {
  const y = sampleWeight ? labels.filter((_, i) => sampleWeight[i] > 0) : labels;
  if (y.includes(0) && y.includes(1)) return;
  const got = `all ${y.length} ${part} rows are ${y[0] === 1 ? "positive" : "negative"}`;
  throw new TilegradError("E_DATA", `${table.name}: ${got}; expected both classes.`, {
    hint: "Use other row lists, a larger share or more rows.",
  });
}
