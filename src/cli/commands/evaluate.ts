/** `tilegrad evaluate`: a saved model's metrics on labelled rows. */
import type { Command } from "commander";
import { describeTable } from "../../data/describe.ts";
import { rowList } from "../../data/table.ts";
import { TilegradError } from "../../errors.ts";
import { assess, importanceOf } from "../../experiment/assess.ts";
import { oneAnswer } from "../../experiment/decide.ts";
import { examplesOf } from "../../experiment/prepare.ts";
import { resultHead } from "../../experiment/result.ts";
import { columnsIn } from "../../experiment/rowColumns.ts";
import { inputsOf } from "../../experiment/rows.ts";
import { labelledRows } from "../../experiment/task.ts";
import { seenBefore } from "../../experiment/trainedRows.ts";
import { formatReport } from "../../metrics/formatReport.ts";
import { parseThresholdRule } from "../../metrics/thresholdRule.ts";
import { readRowLists } from "../../node/rowLists.ts";
import { Scratch } from "../../node/scratch.ts";
import { inputFiles, isStreamed } from "../../node/sources.ts";
import { FileExamples } from "../../node/streaming.ts";
import { htmlReport } from "../../report/html.ts";
import { plotsOf } from "../../report/plotsOf.ts";
import { guessingOf } from "../../report/verdict.ts";
import type { RunFlags } from "../options/common.ts";
import { addRunOptions, addStreamOptions, addThresholdOption } from "../options/common.ts";
import { readTableFor } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import { checkModel, openModel } from "../options/model.ts";
import { filesOfModel } from "../options/output.ts";
import { addReportOption, checkReport, resultOrigin, writeReport } from "../options/report.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, print, reading, warn, write, writeJson } from "../terminal/terminal.ts";
import { costLine } from "../terminal/trainSummary.ts";

interface EvaluateFlags extends RunFlags {
  readonly threshold?: number;
  readonly splits?: string;
  readonly report?: string;
  readonly stream?: boolean;
}

const EXAMPLE = `
Example:
  tilegrad evaluate model customers-of-this-year.csv --report report.html

  The rows should not be those the model was trained on, or its metrics are too good.`;

export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("metrics of a saved model on labelled rows")
    .argument("<model>", "folder that train has saved")
    .argument("<data>", "as for train, with the label column")
    .option("--splits <file#name>", "only the rows of its list `test`")
    .addHelpText("after", EXAMPLE)
    .action((folder: string, file: string, flags: EvaluateFlags) => evaluate(folder, file, flags));
  addThresholdOption(command);
  addRunOptions(command, "nothing but the result and warnings");
  addStreamOptions(command);
  addReportOption(command);
}

async function evaluate(folder: string, file: string, flags: EvaluateFlags): Promise<void> {
  const taken = { "an input": await inputFiles(file, flags), "a file of the model": await filesOfModel(folder) };
  await checkReport(flags.report, taken);
  await checkModel(folder);
  const scratch = new Scratch();
  try {
    await evaluateIn(scratch, folder, file, flags);
  } finally {
    scratch.dispose();
  }
}

async function evaluateIn(scratch: Scratch, folder: string, file: string, flags: EvaluateFlags): Promise<void> {
  const { json, quiet, stream } = flags;
  await withDevice(flags.device, quiet, async (device) => {
    const model = await openModel(folder, device);
    const lists = flags.splits === undefined ? undefined : await readRowLists(flags.splits);
    const { preprocessor, columns } = model;
    if (lists && preprocessor.window) {
      throw new TilegradError("E_ARGUMENT", "--splits: got row lists for a model of windows.", {
        hint: "Put the rows to evaluate into a file of their own.",
      });
    }
    const streamed = await isStreamed(file, { stream, window: preprocessor.window?.length });
    const { table, rows, part, ...told } = await interruptible(async (signal) => {
      const how = reading(quiet, signal);
      const where = streamed ? { scratch } : {};
      const read = await readTableFor(preprocessor, file, { ...how, labelled: true, columns, ...where });
      const all = labelledRows(preprocessor, read);
      const rows = lists ? rowList(all.table, lists.test) : all.rows;
      const store = new FileExamples(scratch, how);
      const there = columnsIn(all.table, columns);
      const made = await examplesOf("labelled", preprocessor, all.table, rows, there, store);
      return { table: all.table, rows, part: made.examples, warnings: made.warnings };
    });
    const known = [
      ...told.warnings,
      ...(await seenBefore(preprocessor, part, model.trainedOn)),
      ...(columns.sampleWeight !== undefined && !part.sampleWeight
        ? [`there is no column ${JSON.stringify(columns.sampleWeight)}: all rows weigh alike.`]
        : []),
      ...(columns.amount !== undefined && !part.amounts
        ? [`there is no column ${JSON.stringify(columns.amount)}: costs are not by amount.`]
        : []),
    ];
    warn(known);
    const threshold = flags.threshold ?? model.threshold.value;
    const reported = flags.report !== undefined;
    const rule = flags.threshold === undefined ? parseThresholdRule(model.threshold.rule) : null;
    const scores = await model.predict(inputsOf(part));
    const how = { threshold, rule, seed: 0, intervals: reported };
    const { report, versusGuessing, diagnostics, cost } = assess(part, scores, how);
    const decided = oneAnswer(report);
    warn(decided);
    const warnings = [...known, ...decided];
    const { target } = preprocessor;
    const text = [
      bold(`${target.name} = ${target.positive}, in ${table.name}`),
      formatReport(report),
      ...guessingOf(report, versusGuessing),
      ...costLine(cost),
    ].join("\n");
    const result = {
      ...resultOrigin(),
      ...resultHead(device, { table, target }),
      threshold,
      thresholdRule: flags.threshold === undefined ? model.threshold.rule : String(flags.threshold),
      metrics: { test: report },
      part: "test",
      versusGuessing,
      diagnostics,
      cost,
      importance: reported ? await importanceOf(model.trainer, preprocessor, part, 0) : null,
      ...(reported ? { data: describeTable(table, { target, rows }) } : {}),
      warnings,
      model: folder,
    } as const;
    if (flags.report !== undefined) {
      const parts = { html: () => htmlReport(result), plots: () => plotsOf(result), json: result };
      await writeReport(flags.report, parts, quiet);
    }
    if (json) {
      writeJson({ ...result, rows: rows.length });
      if (!quiet) print(text);
    } else write(`${text}\n`);
    model.trainer.dispose();
  });
}
