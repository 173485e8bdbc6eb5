/** `tilegrad tune`: which options learn best from a table, found without the test rows. */
import path from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import type { Table } from "../../data/table.ts";
import type { Axis } from "../../experiment/candidates.ts";
import { checkCandidates, choiceText, gridOf } from "../../experiment/candidates.ts";
import type { MeasureName } from "../../experiment/crossValidation.ts";
import { holdOut } from "../../experiment/folds.ts";
import { settle } from "../../experiment/options.ts";
import type { SearchKind, Trial } from "../../experiment/search.ts";
import { searchOn } from "../../experiment/search.ts";
import { taskOf } from "../../experiment/task.ts";
import { fingerprint } from "../../io/fingerprint.ts";
import * as is from "../../kinds.ts";
import { readBytes } from "../../node/files.ts";
import { FileJournal, JOURNAL } from "../../node/journal.ts";
import { contentsOf, inputFiles } from "../../node/sources.ts";
import { comparisonHtml, comparisonPlot } from "../../report/comparison.ts";
import type { RunFlags } from "../options/common.ts";
import { addMeasureOption, addRunOptions, addSeedOption, addTargetOptions } from "../options/common.ts";
import { readForTraining } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import type { ExperimentFlags } from "../options/experiment.ts";
import { addExperimentOptions } from "../options/experiment.ts";
import { addReportOption, checkReport, resultOrigin, writeReport } from "../options/report.ts";
import type { TableFlags } from "../options/table.ts";
import {
  addInputOptions,
  addJobsOption,
  addTableOptions,
  addTestOptions,
  fractionOf,
  withGroup,
} from "../options/table.ts";
import type { TypedChoice } from "../options/try.ts";
import { drawTyped, parseAxis, typedCandidates, withChoice } from "../options/try.ts";
import { ofKind } from "../options/values.ts";
import { inFlags } from "../options/words.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, count, print, Status, tell, warn, writeJson } from "../terminal/terminal.ts";
import { showTrials, tuningComparison } from "../terminal/tuneReport.ts";

interface TuneFlags extends ExperimentFlags, TableFlags, RunFlags {
  readonly try: readonly Axis[];
  readonly search: SearchKind;
  readonly trials: number;
  readonly measure: MeasureName;
  readonly folds?: number;
  readonly nested?: number;
  readonly out: string;
  readonly report?: string;
  readonly jobs?: number;
}

const EXAMPLE = `
Examples:
  tilegrad tune customers.csv --target churned --id customer_id --epochs 20 --try layers=8,32x16 --out search
  tilegrad tune customers.csv --target churned --id customer_id --epochs 9 --try learning-rate=0.0003..0.03 --try dropout=0,0.3 --search halving --trials 4 --out halving

  Any option of train that takes a value can be tried. The validation rows judge, or folds of the rows that are not
  for testing (--folds); the test rows see the winner alone. Killed, the same command goes on where it was.`;

export function addTune(program: Command): void {
  const command = program
    .command("tune")
    .description("search for good options: grid, random, or successive halving")
    .argument("<data>", "as for train")
    .requiredOption(
      "--try <option=values>",
      "such as learning-rate=0.001,0.01, layers=32,64x32, or a range 0.0001..0.1 for random; again for each option",
      (text: string, before: readonly Axis[] = []) => [...before, parseAxis(text)],
    )
    .requiredOption("--out <folder>", "where the journal of the search is kept")
    .addOption(
      new Option("--search <how>", "random and halving draw --trials")
        .choices(["grid", "random", "halving"])
        .default("grid"),
    )
    .option("--trials <n>", "candidates to draw", ofKind(is.positiveInteger), 20)
    .option(
      "--folds <k>",
      "judge by so many folds of the rows that are not for testing, not by the validation rows",
      ofKind(is.integerFrom(2)),
    )
    .option(
      "--nested <k>",
      "and say what such a search achieves: search anew in each of k outer folds",
      ofKind(is.integerFrom(2)),
    )
    .addHelpText("after", EXAMPLE)
    .action((file: string, flags: TuneFlags, self: Command) => tune(file, flags, self));
  addTargetOptions(command);
  addMeasureOption(command, "what must be best");
  addSeedOption(command, "splits, candidates");
  addRunOptions(command, "no progress and no tables");
  addReportOption(command);
  addJobsOption(command);
  addTableOptions(command);
  addTestOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
}

async function tune(file: string, given: TuneFlags, command: Command): Promise<void> {
  const { quiet, json, out, measure, search, seed, report, nested, jobs } = given;
  const began = performance.now();
  const flags = { ...withGroup(given), quiet: true };
  const choices =
    search === "grid"
      ? (gridOf(flags.try) as readonly TypedChoice[])
      : drawTyped(command, flags.try, flags.trials, seed);
  const inputs = await inputFiles(file, { ...flags, model: modelsOf(flags, choices) });
  await checkReport(report, { "an input": inputs, "the journal": [path.join(out, JOURNAL)] });
  const read = await interruptible((signal) => readForTraining(file, { ...flags, quiet }, signal, { tests: true }));
  const { table: source, options, optionsOf, testTable } = read;
  const candidates = typedCandidates(choices, (choice) => optionsOf({ ...withChoice(command, flags, choice), quiet }));
  const settings = settle(options);
  const task = taskOf(source, settings);
  checkCandidates(task, candidates);
  const held = holdOut(task, settings);
  const journal = await FileJournal.open(out, await questionOf(flags, choices, task.table, held.rest));
  if (journal.finished > 0 && !quiet) print(`Going on: ${count(journal.finished)} trials were finished before.`);

  await withDevice(flags.device, quiet, (device) =>
    interruptible(
      async (signal) => {
        const status = new Status({ quiet });
        const onTrial = (done: number, total: number, best: Trial): void =>
          status.show(
            done / total,
            `trial ${done} of ${total}  best ${measure} ${best.value?.toFixed(4) ?? "-"}  ${choiceText(best.choice)}`,
          );
        const how = { search, measure, folds: flags.folds, nested, journal, onTrial, signal, jobs };
        const found = await searchOn(device, task, settings, held, candidates, how, { testTable });
        status.end();
        const warnings = found.warnings.map(inFlags).sort();
        const result = { ...resultOrigin(), ...found, warnings, timing: { totalMs: performance.now() - began } };
        warn(result.warnings);
        if (!quiet) {
          const head = bold(`${found.target} = ${found.positive}, in ${found.file}`);
          tell([head, ...showTrials(found.trials, measure, found.test, found.nested)].join("\n"), json);
        }
        if (report !== undefined) {
          const page = tuningComparison(result);
          const parts = {
            html: () => comparisonHtml(page, result),
            plots: () => ({ comparison: comparisonPlot(page.plot) }),
            json: result,
          };
          await writeReport(report, parts, quiet);
        }
        if (json) writeJson(result);
      },
      () => `${count(journal.finished)} trials are in ${out}; the same command goes on from there.`,
    ),
  );
}

/** Presets and files. */
const modelsOf = ({ model }: TuneFlags, choices: readonly TypedChoice[]): string[] => {
  const models = [model, ...choices.map((choice) => choice["model"])];
  return [...new Set(models)].filter((name) => name !== undefined);
};

/** All that decides the answers: a journal of anything else is of no use. @throws E_FILE for a model that is not there */
async function questionOf(
  options: TuneFlags,
  choices: readonly TypedChoice[],
  source: Table,
  rest: Uint32Array,
): Promise<string> {
  const { out: _out, json: _json, report: _report, jobs: _jobs, ...searching } = options;
  const { try: _try, nested: _nested, trials: _trials, ...asked } = searching;
  const { version } = packageJson;
  const columns = source.columns.map((column) => [column.name, column.kind === "numeric" ? null : column.levels]);
  const cells = source.columns.map((column) => (column.kind === "numeric" ? column.values : column.codes));
  const files = modelsOf(options, choices).filter((model) => model.endsWith(".json"));
  const contents = await Promise.all(files.map((file) => readBytes(file)));
  const tested = fractionOf(options) === null ? await contentsOf(options.test as string) : [];
  const said = new TextEncoder().encode(JSON.stringify({ version, asked, choices, columns }));
  // What rows are searched with is all that --splits says to a search; the test rows that it lists have no part in it. Another
  // test file is refused nevertheless: its metrics would stand beside a search that was not made for it.
  return fingerprint([said, rest, ...cells, ...contents, ...tested]);
}
