/** `tilegrad evaluate`: a saved model's metrics on labelled rows. */
import type { Command } from "commander";
import { describeTable } from "../../data/describe.ts";
import { rowList } from "../../data/table.ts";
import { TilegradError } from "../../errors.ts";
import { assess, importanceOf } from "../../experiment/assess.ts";
import { costLine } from "../../experiment/cost.ts";
import { inputsOf, partOf } from "../../experiment/examples.ts";
import { labelledRows, readTableFor } from "../../experiment/prepare.ts";
import { columnsIn } from "../../experiment/rowColumns.ts";
import { oneAnswer } from "../../experiment/threshold.ts";
import { formatReport } from "../../metrics/formatReport.ts";
import { parseThresholdRule } from "../../metrics/thresholdRule.ts";
import { Scratch } from "../../node/scratch.ts";
import { htmlReport } from "../../report/html.ts";
import { plotsOf } from "../../report/plotsOf.ts";
import { checkModel, openModel } from "../model.ts";
import type { DeviceName } from "../options/device.ts";
import { deviceOption, withDevice } from "../options/device.ts";
import { filesOfModel } from "../options/output.ts";
import { addReportOption, checkReport, resultHead, writeReport } from "../options/report.ts";
import { number } from "../options/values.ts";
import { inputFiles, isStreamed } from "../source.ts";
import { readSplits } from "../table.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, print, warn, write, writeJson } from "../terminal/terminal.ts";

interface EvaluateOptions {
  readonly threshold?: number;
  readonly splits?: string;
  readonly report?: string;
  readonly device: DeviceName;
  readonly json: boolean;
  readonly quiet: boolean;
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
    .option("--threshold <n>", "instead of the one saved with the model", number({ min: 0, max: 1 }))
    .option("--splits <file#name>", "only the rows of its list `test`")
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "nothing but the result and warnings", false)
    .option("--stream", "keep rows on disk, not in memory (default: CSV and Parquet files of 64 MiB or more)")
    .option("--no-stream", "keep them in memory")
    .addHelpText("after", EXAMPLE)
    .action((folder: string, file: string, options: EvaluateOptions) => evaluate(folder, file, options));
  addReportOption(command);
}

async function evaluate(folder: string, file: string, options: EvaluateOptions): Promise<void> {
  const taken = { "an input": await inputFiles(file, options), "a file of the model": await filesOfModel(folder) };
  await checkReport(options.report, taken);
  await checkModel(folder);
  const scratch = new Scratch();
  try {
    await evaluateIn(scratch, folder, file, options);
  } finally {
    scratch.dispose();
  }
}

async function evaluateIn(scratch: Scratch, folder: string, file: string, options: EvaluateOptions): Promise<void> {
  const { json, quiet, stream } = options;
  await withDevice(options.device, quiet, async (device) => {
    const model = await openModel(folder, device);
    const splits = options.splits === undefined ? undefined : await readSplits(options.splits);
    const { preprocessor, columns } = model;
    if (splits && preprocessor.window) {
      throw new TilegradError("E_ARGUMENT", "--splits: got row lists for a model of windows.", {
        hint: "Put the rows to evaluate into a file of their own.",
      });
    }
    const streamed = await isStreamed(file, { stream, window: preprocessor.window?.length });
    const { table, rows, part, ...told } = await interruptible(async ({ signal }) => {
      const where = streamed ? { scratch } : {};
      const table = await readTableFor(preprocessor, file, { signal, quiet, labelled: true, columns, ...where });
      const there = columnsIn(table, columns);
      const rows = splits ? rowList(table, splits.test) : labelledRows(preprocessor, table);
      const streaming = { scratch, quiet, signal };
      return { table, rows, ...(await partOf("labelled", preprocessor, table, rows, streaming, there)) };
    });
    const known = [
      ...told.warnings,
      ...(columns.sampleWeight !== undefined && !part.sampleWeight
        ? [`there is no column ${JSON.stringify(columns.sampleWeight)}: all rows weigh alike.`]
        : []),
      ...(columns.amount !== undefined && !part.amounts
        ? [`there is no column ${JSON.stringify(columns.amount)}: costs are not by amount.`]
        : []),
    ];
    warn(known);
    const threshold = options.threshold ?? model.threshold.value;
    const reported = options.report !== undefined;
    const rule = options.threshold === undefined ? parseThresholdRule(model.threshold.rule) : null;
    const scores = await model.predict(inputsOf(part));
    const { report, diagnostics, cost } = assess(part, scores, { threshold, rule, seed: 0, intervals: reported });
    const decided = oneAnswer(report);
    warn(decided);
    const warnings = [...known, ...decided];
    const { target } = preprocessor;
    const text = [
      bold(`${target.name} = ${target.positive}, in ${table.name}`),
      formatReport(report),
      ...costLine(cost),
    ].join("\n");
    const result = {
      ...resultHead(device, { table, target }),
      threshold,
      thresholdRule: options.threshold === undefined ? model.threshold.rule : String(options.threshold),
      metrics: { test: report },
      part: "test",
      diagnostics,
      cost,
      importance: reported ? await importanceOf(model.trainer, preprocessor, part, 0) : null,
      ...(reported ? { data: describeTable(table, { target, rows }) } : {}),
      warnings,
      model: folder,
    } as const;
    if (options.report !== undefined) {
      const parts = { html: () => htmlReport(result), plots: () => plotsOf(result), json: result };
      await writeReport(options.report, parts, quiet);
    }
    if (json) {
      writeJson({ ...result, rows: rows.length });
      if (!quiet) print(text);
    } else write(`${text}\n`);
    model.trainer.dispose();
  });
}
