/** `tilegrad tune`: which options learn best from a table, found without the test rows. */
import path from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import type { Axis, Choice } from "../../experiment/candidates.ts";
import { checkChoices, choiceText, drawChoices, gridOf, parseAxis, withChoice } from "../../experiment/candidates.ts";
import type { JobOptions } from "../../experiment/concurrently.ts";
import { addJobsOption, jobsOn } from "../../experiment/concurrently.ts";
import type { FoldSettings, MeasureName } from "../../experiment/crossValidation.ts";
import { crossValidate, summarize } from "../../experiment/crossValidation.ts";
import { addExperimentOptions, experiment } from "../../experiment/experiment.ts";
import { divideForValidation, holdOut, planFolds, withGroup } from "../../experiment/folds.ts";
import type { Labelled } from "../../experiment/labelled.ts";
import { prepareRows, readForTraining, testFile } from "../../experiment/prepare.ts";
import type { Search, SearchOptions } from "../../experiment/search.ts";
import { searchOn } from "../../experiment/search.ts";
import { oneAnswer, unmetRule } from "../../experiment/threshold.ts";
import { fingerprint } from "../../io/fingerprint.ts";
import { measureLabels } from "../../metrics/formatReport.ts";
import type { ClassificationReport } from "../../metrics/report.ts";
import { readBytes } from "../../node/files.ts";
import { comparisonHtml, comparisonPlot } from "../../report/comparison.ts";
import { JOURNAL, Journal } from "../journal.ts";
import type { DeviceName } from "../options/device.ts";
import { deviceOption, withDevice } from "../options/device.ts";
import { addReportOption, checkReport, resultHead, writeReport } from "../options/report.ts";
import type { TableOptions } from "../options/tableOptions.ts";
import { addInputOptions, addTableOptions, addTestOptions, fractionOf } from "../options/tableOptions.ts";
import { number } from "../options/values.ts";
import { contentsOf, inputFiles } from "../source.ts";
import { interruptible, silent } from "../terminal/interrupt.ts";
import { bold, count, print, Status, tell, warn, writeJson } from "../terminal/terminal.ts";
import type { Nested } from "../terminal/tuneReport.ts";
import { showTrials, tuningComparison } from "../terminal/tuneReport.ts";

interface TuneOptions extends FoldSettings, JobOptions, Pick<TableOptions, "test" | "splits"> {
  readonly try: readonly Axis[];
  readonly search: SearchOptions["search"];
  readonly trials: number;
  readonly measure: MeasureName;
  readonly folds?: number;
  readonly nested?: number;
  readonly out: string;
  readonly report?: string;
  readonly device: DeviceName;
  readonly json: boolean;
}

const EXAMPLE = `
Examples:
  tilegrad tune customers.csv --target churned --id customer_id --epochs 20 --try layers=8,32x16 --out search
  tilegrad tune customers.csv --target churned --id customer_id --epochs 9 --try learning-rate=0.0003..0.03 --try dropout=0,0.3 --search halving --trials 4 --out halving

  Any option of train that takes a value can be tried. The validation rows judge, or folds of the rows that are not
  for testing (--folds); the test rows see the winner alone. Killed, the same command goes on where it was.`;

const whole = (min: number): ((text: string) => number) => number({ min, integer: true });

export function addTune(program: Command): void {
  const command = program
    .command("tune")
    .description("search for good options: grid, random, or successive halving")
    .argument("<data>", "as for train")
    .option("--target <column>", "the column to predict; with --window also up(column)")
    .option("--positive <label>", "the label that means yes (default: the rarer one)")
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
    .option("--trials <n>", "candidates to draw", whole(1), 20)
    .addOption(
      new Option("--measure <name>", "what must be best")
        .choices(measureLabels.map(([, name]) => name))
        .default("prAuc"),
    )
    .option(
      "--folds <k>",
      "judge by so many folds of the rows that are not for testing, not by the validation rows",
      whole(2),
    )
    .option("--nested <k>", "and say what such a search achieves: search anew in each of k outer folds", whole(2))
    .option("--seed <n>", "of splits, candidates, weights, order and dropout", whole(0), 0)
    .addOption(deviceOption())
    .option("--json", "print one JSON object on stdout", false)
    .option("--quiet", "no progress and no tables", false)
    .addHelpText("after", EXAMPLE)
    .action((file: string, options: TuneOptions, self: Command) => tune(file, options, self));
  addReportOption(command);
  addJobsOption(command);
  addTableOptions(command);
  addTestOptions(command);
  addInputOptions(command);
  addExperimentOptions(command);
}

async function tune(file: string, given: TuneOptions, command: Command): Promise<void> {
  const { quiet, json, out, measure, search, seed } = given;
  const began = performance.now();
  const options = { ...withGroup(given), quiet: true };
  const choices = search === "grid" ? gridOf(options.try) : drawChoices(command, options.try, options.trials, seed);
  const inputs = await inputFiles(file, { ...options, model: modelsOf(options, choices) });
  await checkReport(options.report, { "an input": inputs, "the journal": [path.join(out, JOURNAL)] });
  const optionsOf = (choice: Choice): TuneOptions => withChoice(command, options, choice);
  const share = fractionOf(options);
  const labelled = await interruptible(({ signal }) => readForTraining(file, { ...options, quiet }, signal));
  checkChoices(labelled, choices, optionsOf);
  const { rest, test: tested } = await holdOut(labelled, share ?? 0, options);
  const journal = await Journal.open(out, await questionOf(options, choices, labelled, rest));
  if (journal.finished > 0 && !quiet) print(`Going on: ${count(journal.finished)} trials were finished before.`);

  await withDevice(options.device, quiet, (device) =>
    interruptible(async (interrupt) => {
      const status = new Status({ quiet });
      const context: Search = {
        device,
        labelled,
        journal,
        choices,
        optionsOf,
        options: { search, measure, inner: options.folds ?? 0 },
        jobs: jobsOn(device, labelled.table, options),
        interrupt: silent(interrupt),
        warnings: new Set(),
        progress: (done, total, best) =>
          status.show(
            done / total,
            `trial ${done} of ${total}  best ${measure} ${best.value?.toFixed(4) ?? "-"}  ${choiceText(best.choice)}`,
          ),
      };
      interrupt.onStop = async () =>
        `${count(journal.finished)} trials are in ${out}; the same command goes on from there.`;
      const trials = await searchOn(context, rest, "all");
      const nested = options.nested === undefined ? null : await nest(context, options.nested, options);
      status.end();
      const best = trials[0];
      const winner = optionsOf(best.choice);
      const test = share === null ? testFile(options, interrupt.signal) : undefined;
      const rows = { ...divideForValidation(labelled, winner, rest), test: tested };
      const data = await prepareRows(labelled, rows, winner, test);
      const final = await experiment(device, data, { ...winner, baseline: false }, silent(interrupt));
      final.trainer.dispose();
      const { test: judged } = final.metrics;
      const decided = [...unmetRule(final.threshold, winner), ...(judged ? oneAnswer(judged) : [])];
      for (const warning of [...data.warnings, ...decided]) context.warnings.add(warning);
      const { target, table: source } = labelled;
      const result = {
        ...resultHead(device, labelled),
        search,
        measure,
        seed,
        trials,
        best,
        test: final.metrics.test,
        nested,
        warnings: [...context.warnings].sort(), // found in whatever order candidates ended
        timing: { totalMs: performance.now() - began },
      };
      warn(result.warnings);
      if (!quiet) {
        const text = [
          bold(`${target.name} = ${target.positive}, in ${source.name}`),
          ...showTrials(trials, measure, final.metrics.test, nested),
        ].join("\n");
        tell(text, json);
      }
      if (options.report !== undefined) {
        const found = tuningComparison(result);
        const parts = {
          html: () => comparisonHtml(found, result),
          plots: () => ({ comparison: comparisonPlot(found.plot) }),
          json: result,
        };
        await writeReport(options.report, parts, quiet);
      }
      if (json) writeJson(result);
    }),
  );
}

/** Presets and files. */
const modelsOf = ({ model }: TuneOptions, choices: readonly Choice[]): string[] => {
  const models = [model, ...choices.map((choice) => choice["model"])];
  return [...new Set(models)].filter((name) => name !== undefined);
};

/** All that decides the answers: a journal of anything else is of no use. @throws E_FILE for a model that is not there */
async function questionOf(
  options: TuneOptions,
  choices: readonly Choice[],
  { table: source }: Labelled,
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

/** The search itself under test: in each outer fold it sees the training rows alone, and its winner the test rows once. */
async function nest(search: Search, outer: number, options: TuneOptions): Promise<Nested> {
  const { device, labelled, journal, optionsOf, interrupt } = search;
  const folds = planFolds(labelled, { ...options, folds: outer, repeats: 1, leaveOneOut: false });
  const found: { choice: Choice; test: ClassificationReport }[] = [];
  for (const rows of folds) {
    const rest = Uint32Array.from([...rows.train, ...rows.validation]).sort();
    const [best] = await searchOn({ ...search, journal }, rest, `outer ${found.length + 1} of ${folds.count}`);
    const settings = { ...optionsOf(best.choice), baseline: false };
    const { folds: tested } = await crossValidate(device, labelled, [rows], settings, interrupt);
    found.push({ choice: best.choice, test: tested[0].test });
  }
  return { folds: found, summary: summarize(found.map(({ test }) => test)) };
}
