/** What makes metrics too good, or mostly luck; and what columns of texts seem to be, though they are read as categories. */
import type { ColumnDescription, TableDescription } from "../data/describe.ts";
import { describeTable } from "../data/describe.ts";
import type { Preprocessor } from "../data/preprocess.ts";
import type { Settings } from "./options.ts";
import { preparedWarnings } from "./prepare.ts";
import { blendedCategories } from "./resample.ts";
import type { Prepared } from "./rows.ts";
import { positivesIn } from "./rows.ts";
import { rowsWithLabels } from "./task.ts";
import { FEW_POSITIVES, foldsFor } from "./threshold.ts";

export interface Findings {
  /** Null for large tables that nobody asked about. */
  readonly description: TableDescription | null;
  readonly warnings: readonly string[];
}

/** Before anything is learned. @param options.report whether a large table is described, too */
export function findings(
  data: Prepared,
  settings: Settings,
  { report = false }: { readonly report?: boolean | undefined } = {},
): Findings {
  const { preprocessor } = data;
  const description = described(data, report);
  const warnings = [
    ...preparedWarnings([data]),
    ...suspicions(description, preprocessor),
    ...scarcity(data, settings),
    ...blendedCategories(preprocessor, settings),
  ];
  return { description, warnings };
}

/** Cells that are looked at unasked. */
const MOST_DESCRIBED = 5_000_000;

function described({ table, target, preprocessor }: Prepared, asked: boolean): TableDescription | null {
  const { image, window } = preprocessor;
  const quick = !image && !window && table.rows * table.columns.length <= MOST_DESCRIBED;
  if (!quick && !asked) return null;
  return describeTable(table, { target, rows: rowsWithLabels(preprocessor, table) });
}

/** What makes test metrics too good, in tables whose rows stand alone: a pixel may well tell, and windows overlap. */
function suspicions(description: TableDescription | null, preprocessor: Preprocessor): string[] {
  const { features, dropped, image, window } = preprocessor;
  if (image || window || !description) return [];
  const inputs = features.map(({ name }) => name);
  const wide = dropped.filter(({ reason }) => reason === "too many levels").map(({ name }) => name);
  const { duplicates } = description;
  const suspects = description.leakSuspects.filter((name) => inputs.includes(name));
  const equal = `${(duplicates ?? 0).toLocaleString("en-US")} ${duplicates === 1 ? "row" : "rows"} equal an earlier one`;
  return [
    ...(duplicates ? [`${equal}: copies may be in training and test rows both.`] : []),
    ...(suspects.length > 0
      ? [`almost perfect alone, and so perhaps the answer itself: ${suspects.join(", ")} (\`exclude\` leaves it out).`]
      : []),
    ...columnHints(description, inputs, wide),
  ];
}

function scarcity({ train, validation, test }: Prepared, settings: Settings): string[] {
  const few = Object.entries({ training: train, validation, test }).flatMap(([name, part]) => {
    const positives = part ? positivesIn(part) : FEW_POSITIVES;
    return positives < FEW_POSITIVES ? [`${positives} in the ${name} rows`] : [];
  });
  if (few.length === 0) return [];
  const chosen =
    Number.isNaN(Number(settings.decision.threshold)) && foldsFor(settings, { train, validation }) === null;
  const folds = chosen ? "; `thresholdFolds: 5` chooses the threshold by more rows" : "";
  return [`few positives (${few.join(", ")}): much is luck. \`crossValidate\` tests on every row${folds}.`];
}

/** Texts of which this share of the rows has its own name the rows. */
const MOSTLY_DIFFERENT = 0.95;
/** Of fewer, all may differ by chance. */
const FEWEST_ROWS = 20;
/** 27/5/2024, 27.05.2024, 2024/05/27, 5/27/24. */
const DATE = /^(\d{4}([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3\d{4}|\d{1,2}\/\d{1,2}\/\d\d)(?!\d)/;

/**
 * @param inputs columns that are learned from
 * @param dropped those that would be if they had fewer levels
 */
export function columnHints(
  { columns, rows }: TableDescription,
  inputs: readonly string[],
  dropped: readonly string[] = [],
): string[] {
  const hints = columns.flatMap((column) => {
    const isInput = inputs.includes(column.name);
    if (column.kind !== "categorical" || !(isInput || dropped.includes(column.name))) return [];
    const { name, top = [] } = column;
    if (top.length > 0 && top.every(({ level }) => DATE.test(level))) {
      return `${name} holds dates such as ${top[0].level}, read as categories: dates are read as YYYY-MM-DD, in every cell.`;
    }
    if (!isInput || !namesRows(column, rows)) return [];
    return `${name} looks like an id (nearly every row has its own): \`id: ${name}\` leaves it out of the inputs.`;
  });
  return [...hints, ...numberedRows(columns, rows, inputs)];
}

/** How the name of an identifier ends or begins: Id, customer_id, policyNo, idPatient, "account number". */
const IDENTIFIES = /(^|[^a-z])(id|ids|identifier|uuid|guid|key|no|nr|num|number|code|ref)$|^id([^a-z]|$)/;
/** From this share of different values on they are names, not amounts. */
const MANY_DIFFERENT = 0.5;

/** One sentence for all inputs of whole numbers that look like identifiers. */
function numberedRows(
  columns: readonly ColumnDescription[],
  rows: number,
  inputs: readonly string[],
): readonly string[] {
  const found = columns.filter(({ name, kind, range, distinct, missing }) => {
    const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
    const present = rows - missing;
    const many = present >= FEWEST_ROWS && distinct >= MANY_DIFFERENT * present;
    const whole = kind === "numeric" && Number.isInteger(range?.min) && Number.isInteger(range?.max);
    return inputs.includes(name) && whole && many && IDENTIFIES.test(words);
  });
  if (found.length === 0) return [];
  const counted = (n: number): string => n.toLocaleString("en-US");
  const shown = found.map(
    (c) => `${c.name} (${counted(c.distinct)} different values in ${counted(rows - c.missing)} rows)`,
  );
  const [one] = found;
  const repeats = found.find(({ distinct, missing }) => distinct < rows - missing);
  const apart = repeats
    ? `; some of its values repeat, and \`group: ${repeats.name}\` keeps the rows of one on one side of every split`
    : "";
  const looks = found.length === 1 ? "looks like an identifier" : "look like identifiers";
  return [
    `${shown.join(", ")} ${looks}: \`id: ${one.name}\` leaves ${found.length === 1 ? "it" : "one"} out of the inputs${apart}.`,
  ];
}

function namesRows({ distinct, missing }: ColumnDescription, rows: number): boolean {
  const present = rows - missing;
  return present >= FEWEST_ROWS && distinct >= MOSTLY_DIFFERENT * present;
}
