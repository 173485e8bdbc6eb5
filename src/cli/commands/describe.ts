/** `tilegrad describe`: what is in a table, before anything is trained on it. */
import type { Command } from "commander";
import type { TableDescription } from "../../data/describe.ts";
import { describeTable } from "../../data/describe.ts";
import type { Table } from "../../data/table.ts";
import type { Target } from "../../data/target.ts";
import { chooseTarget, targetOf } from "../../data/target.ts";
import { columnHints } from "../../experiment/warnings.ts";
import { Scratch } from "../../node/scratch.ts";
import { isStreamed, readTable } from "../../node/sources.ts";
import { storeTable } from "../../node/streaming.ts";
import { columnContent } from "../../report/columnContent.ts";
import { addJsonOption, addStreamOptions, addTargetOptions } from "../options/common.ts";
import { addCategoricalOption } from "../options/table.ts";
import { inFlags } from "../options/words.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, count, percent, plural, reading, table, write, writeJson } from "../terminal/terminal.ts";

interface DescribeOptions {
  readonly target?: string;
  readonly positive?: string;
  readonly categorical?: readonly string[];
  readonly json: boolean;
  readonly stream?: boolean;
}

const EXAMPLE = `
Example:
  tilegrad describe customers.csv --target churned

  With a target, each column's AUC alone is shown; above 0.99 it may contain the answer.`;

export function addDescribe(program: Command): void {
  const command = program
    .command("describe")
    .description("types, missing cells, ranges, duplicates and leak suspects of a table")
    .argument("<data>", "a CSV file with a header line, or a Parquet file")
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: DescribeOptions) => describe(file, options));
  addTargetOptions(command, "the column to predict");
  addCategoricalOption(command);
  addJsonOption(command);
  addStreamOptions(command, ["keep columns on disk, not in memory", "keep them in memory"]);
}

async function describe(file: string, options: DescribeOptions): Promise<void> {
  const scratch = new Scratch();
  try {
    await describeIn(scratch, file, options);
  } finally {
    scratch.dispose();
  }
}

async function describeIn(scratch: Scratch, file: string, options: DescribeOptions): Promise<void> {
  const { target: name, positive, json, categorical: declared = [] } = options;
  const categorical = [...new Set(name === undefined ? declared : [...declared, name])];
  const streamed = await isStreamed(file, options);
  const data = await interruptible((signal) => {
    const how = { categorical, ...reading(false, signal) };
    return streamed ? storeTable(file, { ...how, scratch }) : readTable(file, how);
  });
  const target =
    name === undefined
      ? undefined
      : chooseTarget(data, { target: name, ...(positive === undefined ? {} : { positive }) });
  const description = describeTable(data, target ? { target } : {});
  const labels = target && targetOf(target, data);
  const prevalence = labels && labels.reduce((sum, y) => sum + y, 0) / labels.length;
  if (json) writeJson({ ...description, ...(target ? { target, prevalence } : {}) });
  else write(`${show(data, description, target, prevalence)}\n`);
}

function show({ name, columns }: Table, d: TableDescription, target: Target | undefined, prevalence = 0): string {
  const header = ["column", "kind", "missing", "distinct", "range or most frequent", ...(target ? ["AUC alone"] : [])];
  const rows = d.columns.map((c) => [
    c.name,
    c.kind,
    c.missing === 0 ? "-" : percent(c.missing / d.rows),
    count(c.distinct),
    columnContent(c),
    ...(target ? [c.auc === undefined ? "-" : c.auc.toFixed(3)] : []),
  ]);
  const constant = d.columns.filter((c) => c.constant).map((c) => c.name);
  const left = columns.filter((c) => c.kind === "categorical" && c.left).map((c) => c.name);
  const remarks = [
    ...(target ? [`Target ${target.name}: ${target.positive} is positive, ${percent(prevalence)} of the rows.`] : []),
    ...(d.duplicates
      ? [`${plural(d.duplicates, "row")} equal an earlier one: they may end up in training and test rows both.`]
      : []),
    ...(d.duplicates === null ? ["Equal rows were not looked for: the rows are not in memory."] : []),
    ...(left.length > 0 ? [`Too many different texts to be of use, not looked at: ${left.join(", ")}.`] : []),
    ...(constant.length > 0 ? [`Constant, of no use: ${constant.join(", ")}.`] : []),
    ...columnHints(
      d,
      columns.map((c) => c.name).filter((c) => c !== target?.name),
    ).map(inFlags),
    ...(d.leakSuspects.length > 0 ? [`Leak suspects, almost perfect alone: ${d.leakSuspects.join(", ")}.`] : []),
  ];
  return [
    bold(`${name}: ${plural(d.rows, "row")}, ${plural(columns.length, "column")}`),
    "",
    ...table([header, ...rows], [0, 1, 4]),
    ...(remarks.length > 0 ? ["", ...remarks] : []),
  ].join("\n");
}
