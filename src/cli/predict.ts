/** `tilegrad predict`: scores and decisions for rows without labels. */
import type { Command } from "commander";
import { transform } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { cellText, rowList } from "../data/table.ts";
import { windowEnds } from "../data/windows.ts";
import { assertWritable, publishFile } from "../node/files.ts";
import type { DeviceName } from "./device.ts";
import { deviceOption, withDevice } from "./device.ts";
import { interruptible } from "./interrupt.ts";
import { openModel } from "./model.ts";
import { readTableFor } from "./prepare.ts";
import { count, percent, plural, print, write, writeJson } from "./terminal.ts";
import { number } from "./values.ts";

interface PredictOptions {
  readonly out?: string;
  readonly threshold?: number;
  readonly device: DeviceName;
  readonly json: boolean;
  readonly quiet: boolean;
}

const EXAMPLE = `
Example:
  tilegrad predict model new-customers.csv --out scores.csv

  Writes the id columns (else the row number, from 0), the score, and yes or no; the order of the rows stays.`;

export function addPredict(program: Command): void {
  program
    .command("predict")
    .description("scores and yes/no for rows without labels")
    .argument("<model>", "folder that train has saved")
    .argument("<data>", "as for train, with the columns of training; the label column may be missing")
    .option("--out <scores.csv>", "file for the scores (default: stdout)")
    .option("--threshold <n>", "yes from this score on, instead of the threshold saved with the model", number())
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "nothing but the result", false)
    .addHelpText("after", EXAMPLE)
    .action((folder: string, file: string, options: PredictOptions) => predict(folder, file, options));
}

async function predict(folder: string, file: string, options: PredictOptions): Promise<void> {
  const { json, quiet, out } = options;
  if (out !== undefined) await assertWritable(out, "file");
  await withDevice(options.device, quiet, async (device) => {
    const model = await openModel(folder, device);
    const { preprocessor } = model;
    const table = await interruptible(({ signal }) =>
      readTableFor(preprocessor, file, { signal, quiet, labelled: false }),
    );
    const { window } = preprocessor;
    const rows = window ? windowEnds(table, window.length) : rowList(table);
    const { x, warnings } = transform(preprocessor, table, rows);
    if (!quiet) for (const warning of warnings) print(`warning: ${warning}`);
    const threshold = options.threshold ?? model.threshold.value;
    const scores = await model.scores(x);
    const ids = preprocessor.dropped.filter((d) => d.reason === "id").map((d) => d.name);
    const positives = scores.reduce((n, score) => n + (score >= threshold ? 1 : 0), 0);
    const csv = scoresCsv({ table, rows, ids }, scores, threshold);
    const { name, positive } = preprocessor.target;
    if (out !== undefined) await publishFile(out, csv);
    if (json) {
      const predictions = out === undefined ? { scores: Array.from(scores) } : { out };
      const about = { device: device.info, target: name, positive, rows: rows.length, threshold, positives };
      writeJson({ ...about, ...predictions, warnings, model: folder });
    } else if (out === undefined) write(csv);
    if (!quiet) {
      print(
        `${plural(rows.length, window ? "window" : "row")}: ${count(positives)} yes (${percent(positives / rows.length)}); yes is ${name} = ${positive}, from score ${threshold.toPrecision(4)} on.`,
      );
      if (out !== undefined) print(`Saved ${out}`);
    }
    model.trainer.dispose();
  });
}

interface Scored {
  readonly table: Table;
  /** Of each score; of a window its last. */
  readonly rows: Uint32Array;
  /** Columns that name them. */
  readonly ids: readonly string[];
}

/** Ids (or the row number), score, decision; one line a row. */
function scoresCsv({ table, rows, ids }: Scored, scores: Float32Array, threshold: number): string {
  const columns = table.columns.filter((column) => ids.includes(column.name));
  const header = [...(columns.length > 0 ? columns.map((c) => c.name) : ["row"]), "score", "prediction"];
  const lines = [header.map(quoted).join(",")];
  rows.forEach((row, i) => {
    const named = columns.length > 0 ? columns.map((column) => quoted(cellText(column, row))) : [String(row)];
    lines.push([...named, shortest(scores[i]), scores[i] >= threshold ? "yes" : "no"].join(","));
  });
  return `${lines.join("\n")}\n`;
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** The shortest decimal that is this float32. */
function shortest(score: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = score.toPrecision(digits);
    if (Math.fround(Number(text)) === score) return String(Number(text));
  }
  return String(score);
}
