/** Inputs and labels of a split's rows; whatever is fitted, is fitted on those to train on. */
import type { Preprocessor } from "../data/preprocess.ts";
import { fitPreprocessor } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { targetOf } from "../data/target.ts";
import type { Unseen } from "../data/transform.ts";
import { joinedUnseen, transform, unseenWarnings } from "../data/transform.ts";
import { TilegradError } from "../errors.ts";
import { planFolds } from "./folds.ts";
import type { Settings } from "./options.ts";
import type { RowColumns } from "./rowColumns.ts";
import { rowColumnNames, rowNumbers } from "./rowColumns.ts";
import type { ExampleStore, Examples, Labels, Prepared, Split, Task } from "./rows.ts";
import { labelledRows } from "./task.ts";

/** Reads the rows to test on, where they are in another table that is read as the preprocessor needs it. */
export type TestTable = (preprocessor: Preprocessor) => Promise<Table>;

/** Where rows come from and go to, if they are not in the task's table and in memory. */
export interface Places {
  readonly store?: ExampleStore | undefined;
  readonly testTable?: TestTable | undefined;
}

/** @throws E_DATA, also when a part has one class only; E_FILE and E_ABORTED as the places do */
export async function prepare(task: Task, split: Split, settings: Settings, places: Places = {}): Promise<Prepared> {
  const { exclude: unused, id, maxLevels, scaling, absolute } = settings.columns;
  const { table, target, image, window } = task;
  const exclude = [...new Set([...unused, ...rowColumnNames(settings.columns)])];
  const shape = { ...(image ? { image } : {}), ...(window ? { window } : {}) };
  const preprocessor = fitPreprocessor(table, split.train, {
    target,
    exclude,
    id,
    maxLevels,
    scaling,
    absolute,
    ...shape,
  });
  const tested = await testRows(task, split, preprocessor, settings, places.testTable);

  const warnings = new Set<string>();
  const unseen: Unseen = new Map();
  const part = async (name: string, from: Table, rows: Uint32Array): Promise<Examples | null> => {
    if (rows.length === 0) return null;
    const seen = from === table ? unseen : undefined;
    const made = await examplesOf(name, preprocessor, from, rows, settings.columns, places.store, seen);
    if (rows.length > 1) checkBothClasses(from, name, made.examples); // leave-one-out tests a row at a time
    if (!seen || table.onDisk) for (const warning of made.warnings) warnings.add(warning);
    return made.examples;
  };
  const parts = {
    train: (await part("training", table, split.train)) as Examples,
    validation: await part("validation", table, split.validation),
    test: await part("test", tested.table, tested.rows),
  };
  const left = table.rows - split.train.length - split.validation.length - split.test.length;
  const folds = (k: number): AsyncIterable<Prepared> => {
    const rest = Uint32Array.from([...split.train, ...split.validation]).sort();
    const own = { ...settings, split: { ...settings.split, test: 0 } };
    return prepareEach(task, planFolds(task, own, { folds: k }, rest), own, places.store);
  };
  return { table, target, preprocessor, ...parts, unused: left, unseen, warnings: [...warnings], folds };
}

/** What is to be said of the same table's rows, prepared once or in many ways: each column once. */
export const preparedWarnings = (ways: readonly Pick<Prepared, "table" | "unseen" | "warnings">[]): string[] => [
  ...new Set(ways.flatMap(({ warnings }) => warnings)),
  ...unseenWarnings(ways[0].table.name, joinedUnseen(ways.map(({ unseen }) => unseen)), ways.length === 1),
];

async function testRows(
  { table }: Task,
  { test: rows }: Split,
  preprocessor: Preprocessor,
  { split: { test } }: Settings,
  testTable: TestTable | undefined,
): Promise<{ table: Table; rows: Uint32Array }> {
  if (testTable) return labelledRows(preprocessor, await testTable(preprocessor));
  return typeof test === "number" ? { table, rows } : labelledRows(preprocessor, test);
}

async function* prepareEach(
  task: Task,
  folds: Iterable<Split>,
  settings: Settings,
  store: ExampleStore | undefined,
): AsyncGenerator<Prepared, void> {
  for (const split of folds) {
    const own = store?.another();
    try {
      yield await prepare(task, split, settings, { store: own });
    } finally {
      own?.dispose();
    }
  }
}

/** Inputs, labels, weights and amounts of some rows, in the store where the table is on disk. @throws E_DATA, E_FILE, E_ABORTED */
export async function examplesOf(
  name: string,
  preprocessor: Preprocessor,
  table: Table,
  list: Uint32Array,
  { sampleWeight, amount }: RowColumns = {},
  store?: ExampleStore,
  unseen: Unseen = new Map(),
): Promise<{ readonly examples: Examples; readonly warnings: readonly string[] }> {
  const labels = (rows: Uint32Array): Labels => ({
    y: targetOf(preprocessor, table, rows),
    ...(sampleWeight === undefined
      ? {}
      : { sampleWeight: Float32Array.from(rowNumbers(table, "sampleWeight", sampleWeight, rows)) }),
    ...(amount === undefined ? {} : { amounts: rowNumbers(table, "amount", amount, rows) }),
  });
  if (store && table.onDisk) {
    const rows = list.slice().sort();
    return store.keep(name, preprocessor, table, rows, labels(rows));
  }
  const { x, warnings } = transform(preprocessor, table, list, unseen);
  return { examples: { x, ...labels(list) }, warnings };
}

function checkBothClasses(table: Table, part: string, { y: labels, sampleWeight }: Examples): void {
  const y = sampleWeight ? labels.filter((_, i) => sampleWeight[i] > 0) : labels;
  if (y.includes(0) && y.includes(1)) return;
  const got = `all ${y.length} ${part} rows are ${y[0] === 1 ? "positive" : "negative"}`;
  throw new TilegradError("E_DATA", `${table.name}: ${got}; expected both classes.`, {
    hint: "Use other row lists, a larger share or more rows.",
  });
}
