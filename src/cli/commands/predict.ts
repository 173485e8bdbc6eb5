/** `tilegrad predict`: scores and decisions for rows without labels. */
import type { Command } from "commander";
import type { Preprocessor } from "../../data/preprocess.ts";
import type { Table } from "../../data/table.ts";
import { cellText, rowList } from "../../data/table.ts";
import type { Unseen } from "../../data/transform.ts";
import { transform } from "../../data/transform.ts";
import { windowEnds } from "../../data/windows.ts";
import { TilegradError } from "../../errors.ts";
import { joined } from "../../experiment/rows.ts";
import { cutoffsOf } from "../../metrics/cutoff.ts";
import { publishFile } from "../../node/files.ts";
import { inputFiles, isStreamed } from "../../node/sources.ts";
import type { Reading } from "../../node/streaming.ts";
import { readBlocks } from "../../node/streaming.ts";
import { shortestDecimal } from "../../numeric.ts";
import { FEW_ROWS } from "../../train/predictor.ts";
import type { RunFlags } from "../options/common.ts";
import { addRunOptions, addStreamOptions, addThresholdOption } from "../options/common.ts";
import { kindsFor, readTableFor } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import type { SavedModel } from "../options/model.ts";
import { checkModel, openModel } from "../options/model.ts";
import { assertOutput, filesOfModel } from "../options/output.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { count, percent, plural, print, reading, warn, writeJson, writePiece } from "../terminal/terminal.ts";

interface PredictOptions extends RunFlags {
  readonly out?: string;
  readonly threshold?: number;
  readonly stream?: boolean;
}

const EXAMPLE = `
Example:
  tilegrad predict model new-customers.csv --out scores.csv

  Writes the id columns, the score, and yes or no; the order of the rows stays. Without id columns rows are numbered
  from 0: row 0 is the first below the header, which is line 2 of the file.`;

export function addPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("scores and yes/no for rows without labels")
    .argument("<model>", "folder that train has saved")
    .argument("<data>", "as for train, with the columns of training; the label column may be missing")
    .option("--out <scores.csv>", "file for the scores (default: stdout)")
    .addHelpText("after", EXAMPLE)
    .action((folder: string, file: string, options: PredictOptions) => predict(folder, file, options));
  addThresholdOption(command);
  addRunOptions(command, "nothing but the result and warnings");
  addStreamOptions(command, ["score rows as they are read", "read all rows before the first is scored"]);
}

async function predict(folder: string, file: string, options: PredictOptions): Promise<void> {
  const { json, quiet, out, stream } = options;
  if (out !== undefined) {
    const taken = { "an input": await inputFiles(file), "a file of the model": await filesOfModel(folder) };
    await assertOutput("--out", out, taken);
  }
  await checkModel(folder);
  await withDevice(options.device, quiet, async (device) => {
    const model = await openModel(folder, device);
    const { target, window } = model.preprocessor;
    const threshold = options.threshold ?? model.threshold.value;
    const printed = threshold > 1 ? threshold : shortestDecimal(threshold);
    const streamed = await isStreamed(file, { stream, window: window?.length });
    const scores: number[] = [];
    let [rows, positives] = [0, 0];
    let warnings: readonly string[] = [];

    await interruptible(async (signal) => {
      const blocks = tablesOf(model, file, streamed, reading(quiet, signal));
      async function* counted(): AsyncGenerator<Scored, void> {
        for await (const scored of scoreBlocks(model, blocks)) {
          if (signal.aborted) throw new TilegradError("E_ABORTED", "Scoring was cancelled.");
          rows += scored.scores.length;
          const cutoff = cutoffsOf(scored.scores)(threshold);
          positives += scored.scores.reduce((n, score) => n + (score >= cutoff ? 1 : 0), 0);
          warnings = scored.warnings;
          yield scored;
        }
      }
      if (out !== undefined) await publishFile(out, scoresCsv(counted(), threshold));
      else if (json)
        for await (const scored of counted()) for (const score of scored.scores) scores.push(shortestDecimal(score));
      else for await (const lines of scoresCsv(counted(), threshold)) await writePiece(lines);
    });

    if (json) {
      const predictions = out === undefined ? { scores } : { out };
      const about = {
        device: device.info,
        target: target.name,
        positive: target.positive,
        rows,
        threshold: printed,
        positives,
      };
      writeJson({ ...about, ...predictions, warnings, model: folder });
    }
    warn(warnings);
    if (!quiet) {
      print(
        `${plural(rows, window ? "window" : "row")}: ${count(positives)} yes (${percent(positives / rows)}); yes is ${target.name} = ${target.positive}, ${threshold > 1 ? "from no score on" : `from score ${printed} on`}.`,
      );
      if (out !== undefined) print(`Saved ${out}`);
    }
    model.trainer.dispose();
  });
}

/** The rows of a file, all at once or block by block. */
async function* tablesOf(
  { preprocessor }: SavedModel,
  file: string,
  streamed: boolean,
  options: Reading,
): AsyncGenerator<Table, void> {
  if (!streamed) yield readTableFor(preprocessor, file, { ...options, labelled: false });
  else yield* readBlocks(file, { ...options, ...kindsFor(preprocessor, { labelled: false }) });
}

/** A block of rows. */
interface Scored {
  readonly scores: Float32Array;
  /** What each score is named by. */
  readonly names: Names;
  /** Of all rows so far. */
  readonly warnings: readonly string[];
}

interface Names {
  readonly header: readonly string[];
  /** By column. */
  readonly cells: readonly (readonly string[])[];
}

/** The scores that all rows at once would have, to the last bit, unless the first block is a short one. */
async function* scoreBlocks(model: SavedModel, blocks: AsyncIterable<Table>): AsyncGenerator<Scored, void> {
  const { preprocessor } = model;
  const unseen: Unseen = new Map();
  let first = 0;
  let before = new Float32Array(0);
  for await (const table of blocks) {
    const rows = preprocessor.window ? windowEnds(table, preprocessor.window.length) : rowList(table);
    if (rows.length === 0) continue;
    const { x, warnings } = transform(preprocessor, table, rows, unseen);
    const width = x.length / rows.length;
    const enough = rows.length > FEW_ROWS || before.length === 0 ? x : joined(before, x);
    before = enough.slice(-(FEW_ROWS + 1) * width);
    const scores = (await model.predict(enough)).subarray((enough.length - x.length) / width);
    yield { scores, names: namesOf(preprocessor, table, rows, first), warnings };
    first += table.rows;
  }
}

/** Their id columns, else their numbers; of a window its last row. */
function namesOf({ dropped }: Preprocessor, table: Table, rows: Uint32Array, first: number): Names {
  const ids = dropped.filter(({ reason }) => reason === "id").map(({ name }) => name);
  const columns = table.columns.filter(({ name }) => ids.includes(name));
  if (columns.length === 0) return { header: ["row"], cells: [Array.from(rows, (row) => String(first + row))] };
  const cells = columns.map((column) => Array.from(rows, (row) => cellText(column, row)));
  return { header: columns.map(({ name }) => name), cells };
}

/** Names, score, decision; one line a row. */
async function* scoresCsv(blocks: AsyncIterable<Scored>, threshold: number): AsyncGenerator<string, void> {
  let headed = false;
  for await (const { scores, names } of blocks) {
    const header = [...names.header, "score", "prediction"].map(quoted);
    const cutoff = cutoffsOf(scores)(threshold);
    const lines = Array.from(scores, (score, i) => {
      const cells = names.cells.map((column) => quoted(column[i]));
      return [...cells, shortestDecimal(score), score >= cutoff ? "yes" : "no"].join(",");
    });
    yield [...(headed ? [] : [header.join(",")]), ...lines, ""].join("\n");
    headed = true;
  }
}

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
