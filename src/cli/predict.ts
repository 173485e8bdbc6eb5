/** `tilegrad predict`: scores and decisions for rows without labels. */
import type { Command } from "commander";
import { transform } from "../data/preprocess.ts";
import type { Table } from "../data/table.ts";
import { cellText } from "../data/table.ts";
import { assertWritable, publishFile } from "../node/files.ts";
import type { DeviceName } from "./device.ts";
import { deviceOption, withDevice } from "./device.ts";
import { interruptible } from "./interrupt.ts";
import { openModel, readTableFor } from "./model.ts";
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
    .argument("<data.csv>", "table with the columns of training; the label column may be missing")
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
    const table = await interruptible(({ signal }) => readTableFor(model, file, { signal, quiet, labelled: false }));
    const { x, warnings } = transform(preprocessor, table);
    if (!quiet) for (const warning of warnings) print(`warning: ${warning}`);
    const threshold = options.threshold ?? model.threshold.value;
    const scores = await model.trainer.predict(x);
    const ids = preprocessor.dropped.filter((d) => d.reason === "id").map((d) => d.name);
    const positives = scores.reduce((n, score) => n + (score >= threshold ? 1 : 0), 0);
    const csv = scoresCsv(table, ids, scores, threshold);
    const { name, positive } = preprocessor.target;
    if (out !== undefined) await publishFile(out, csv);
    if (json) {
      const predictions = out === undefined ? { scores: Array.from(scores) } : { out };
      const about = { device: device.info, target: name, positive, rows: table.rows, threshold, positives };
      writeJson({ ...about, ...predictions, warnings, model: folder });
    } else if (out === undefined) write(csv);
    if (!quiet) {
      print(
        `${plural(table.rows, "row")}: ${count(positives)} yes (${percent(positives / table.rows)}); yes is ${name} = ${positive}, from score ${threshold.toPrecision(4)} on.`,
      );
      if (out !== undefined) print(`Saved ${out}`);
    }
    model.trainer.dispose();
  });
}

/** Ids (or the row number), score, decision; one line a row. */
function scoresCsv(table: Table, ids: readonly string[], scores: Float32Array, threshold: number): string {
  const columns = table.columns.filter((column) => ids.includes(column.name));
  const header = [...(columns.length > 0 ? columns.map((c) => c.name) : ["row"]), "score", "prediction"];
  const lines = [header.map(quoted).join(",")];
  for (let row = 0; row < table.rows; row++) {
    const named = columns.length > 0 ? columns.map((column) => quoted(cellText(column, row))) : [String(row)];
    lines.push([...named, shortest(scores[row]), scores[row] >= threshold ? "yes" : "no"].join(","));
  }
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
