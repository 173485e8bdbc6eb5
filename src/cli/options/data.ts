/** The data argument: read as an experiment, or a saved model, needs it. */
import type { Preprocessor } from "../../data/preprocess.ts";
import { csvKinds } from "../../data/preprocess.ts";
import type { Table } from "../../data/table.ts";
import { risingColumn } from "../../data/windows.ts";
import { TilegradError } from "../../errors.ts";
import type { ExperimentOptions, RowLists, TaskOptions } from "../../experiment/options.ts";
import type { TestTable } from "../../experiment/prepare.ts";
import type { RowColumns } from "../../experiment/rowColumns.ts";
import { rowColumnNames } from "../../experiment/rowColumns.ts";
import { checkTask } from "../../experiment/task.ts";
import { assertExists } from "../../node/files.ts";
import { readRowLists } from "../../node/rowLists.ts";
import type { Scratch } from "../../node/scratch.ts";
import type { Source, SourceOptions } from "../../node/sources.ts";
import { hasOwnLabel, LABEL, readSource } from "../../node/sources.ts";
import { reading } from "../terminal/terminal.ts";
import type { ExperimentFlags } from "./experiment.ts";
import { experimentOptions } from "./experiment.ts";
import type { InputFlags, TableFlags } from "./table.ts";
import { fractionOf } from "./table.ts";

/** The column to predict, which some sources have named. @throws E_ARGUMENT, E_FILE */
async function targetIn(file: string, { target }: InputFlags): Promise<string> {
  if (target !== undefined) return target;
  if (await hasOwnLabel(file)) return LABEL;
  await assertExists(file);
  throw new TilegradError("E_ARGUMENT", `${file}: no --target was given.`, {
    hint: "Name the column to predict with --target; only folders of images, NPZ and IDX files have their own labels.",
  });
}

/** A source with the target among its columns, and the flags as they then are. @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export async function readLabelled<Flags extends InputFlags>(
  file: string,
  flags: Flags,
  { categorical = [], numeric = [], ...options }: SourceOptions,
): Promise<Source & { readonly flags: Flags & TaskOptions }> {
  const target = await targetIn(file, flags);
  checkTask({ ...flags, target });
  const rising = flags.window === undefined ? null : risingColumn(target);
  const kinds =
    rising === null
      ? { categorical: [...categorical, target], numeric }
      : { categorical, numeric: [...numeric, rising] };
  const source = await readSource(file, { ...options, ...kinds, image: flags.image, labelled: target === LABEL });
  return { ...source, flags: { ...flags, target, image: flags.image ?? source.image } };
}

export interface Training<Flags> {
  readonly table: Table;
  readonly options: ExperimentOptions;
  /** The options of other flags. */
  readonly optionsOf: (flags: Flags) => ExperimentOptions;
  /** Where the test rows are in another file. */
  readonly testTable?: TestTable;
}

/** A table and what is to be learned from it, for any number of experiments. @throws E_FILE, E_DATA, E_ARGUMENT, E_ABORTED */
export async function readForTraining<Flags extends ExperimentFlags & TableFlags>(
  file: string,
  flags: Flags,
  signal: AbortSignal,
  { scratch, tests = false }: { readonly scratch?: Scratch | undefined; readonly tests?: boolean } = {},
): Promise<Training<Flags>> {
  const { quiet, categorical = [], numeric = [], exclude = [], id = [], group } = flags;
  const share = tests ? fractionOf(flags) : 0;
  const numbers = rowColumnNames(flags);
  const noInputs = [...exclude, ...id].filter((name) => !numbers.includes(name));
  const unused = noInputs.filter((name) => name !== group);
  const rising = risingColumn(flags.target ?? "");
  const texts = [...new Set([...categorical, ...noInputs.filter((name) => name !== rising)])];
  const how = { ...reading(quiet, signal), scratch, unused };
  const read = await readLabelled(file, flags, { categorical: texts, numeric, ...how });
  const { target, image } = read.flags;
  const lists = tests && flags.splits !== undefined ? await listsFor(flags.splits, flags) : undefined;
  const optionsOf = (other: Flags): ExperimentOptions => {
    const ids = [...new Set([...(other.id ?? []), ...read.id])];
    return experimentOptions({ ...other, target, image, id: ids }, { test: share ?? 0, lists });
  };
  const testTable: TestTable = (preprocessor) => {
    const wanted = { labelled: true, columns: flags, ...reading(quiet, signal), scratch };
    return readTableFor(preprocessor, flags.test as string, wanted);
  };
  return { table: read.table, options: optionsOf(flags), optionsOf, ...(share === null ? { testTable } : {}) };
}

/** Windows are refused row lists, whatever is in the file. */
const listsFor = async (splits: string, { window }: InputFlags): Promise<RowLists> =>
  window === undefined ? readRowLists(splits) : { name: splits, train: [], test: [] };

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

/** Reads a table for a fitted preprocessor. @throws E_FILE, E_DATA, E_ABORTED */
export async function readTableFor(
  preprocessor: Preprocessor,
  file: string,
  { labelled, columns = {}, ...options }: Wanted & SourceOptions,
): Promise<Table> {
  const kinds = kindsFor(preprocessor, { labelled, columns });
  const { table } = await readSource(file, { ...options, ...kinds, image: preprocessor.image, labelled });
  return table;
}
