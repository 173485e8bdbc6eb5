/** `tilegrad compare`: losses, optimizers, models side by side, on the same folds with the same seed. */
import type { Command } from "commander";
import { Command as NewCommand, Option } from "commander";
import { TilegradError } from "../../errors.ts";
import { checkCandidates, choiceText, gridOf } from "../../experiment/candidates.ts";
import type { Compared, ComparedWays } from "../../experiment/compare.ts";
import { compareOn } from "../../experiment/compare.ts";
import type { CrossValidation, MeasureName, Spread } from "../../experiment/crossValidation.ts";
import type { FoldOptions } from "../../experiment/folds.ts";
import { planFolds } from "../../experiment/folds.ts";
import { settle } from "../../experiment/options.ts";
import { taskOf } from "../../experiment/task.ts";
import { inputFiles } from "../../node/sources.ts";
import type { Comparison } from "../../report/comparison.ts";
import { comparisonHtml, comparisonPlot } from "../../report/comparison.ts";
import { verdictOf } from "../../report/verdict.ts";
import type { RunFlags } from "../options/common.ts";
import { addMeasureOption, addRunOptions, addSeedOption, addTargetOptions } from "../options/common.ts";
import { readForTraining } from "../options/data.ts";
import { withDevice } from "../options/device.ts";
import type { ExperimentFlags } from "../options/experiment.ts";
import { addExperimentOptions } from "../options/experiment.ts";
import { addReportOption, checkReport, resultOrigin, writeReport } from "../options/report.ts";
import type { TableFlags } from "../options/table.ts";
import { addFoldOptions, addInputOptions, addJobsOption, addTableOptions, withGroup } from "../options/table.ts";
import type { TypedChoice } from "../options/try.ts";
import { typedCandidates, withChoice } from "../options/try.ts";
import { names } from "../options/values.ts";
import { inFlags } from "../options/words.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { bold, duration, plural, Status, table, tell, warn, writeJson } from "../terminal/terminal.ts";
import { labelOf } from "../terminal/tuneReport.ts";

interface CompareFlags extends ExperimentFlags, TableFlags, FoldOptions, RunFlags {
  readonly measure: MeasureName;
  readonly report?: string;
  readonly jobs?: number;
}

const EXAMPLE = `
Examples:
  tilegrad compare customers.csv --target churned --id customer_id --loss bce,focal,hinge,mse --folds 2 --epochs 10
  tilegrad compare customers.csv --target churned --id customer_id --optimizer sgd,adam,rmsprop --folds 2 --epochs 10

  Several values of an option are compared, of several options every combination. Folds, seed and all else are the same.`;

/** Options of `train` that take a list here. */
const LISTS = ["--loss", "--optimizer", "--model", "--resample", "--activation", "--schedule"];

export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description("losses, optimizers, models or resampling side by side, by cross-validation")
    .argument("<data>", "as for train")
    .addHelpText("after", EXAMPLE);
  addTargetOptions(command);
  addMeasureOption(command, "what the table is sorted by");
  addSeedOption(command, "folds");
  addRunOptions(command, "no progress and no table");
  addReportOption(command);
  addJobsOption(command);
  addFoldOptions(command);
  addTableOptions(command);
  addInputOptions(command);
  // The options of train as they are: they parse each value of a list, and give the defaults.
  const single = addExperimentOptions(new NewCommand());
  for (const option of single.options) command.addOption(LISTS.includes(option.long ?? "") ? listed(option) : option);
  command.action((file: string, flags: CompareFlags) => compare(file, flags, single));
}

/** The same option, taking several values separated by commas. */
function listed(option: Option): Option {
  const list = new Option(option.flags, `${option.description}; several, separated by commas, are compared`).argParser(
    (text) => names(text),
  );
  return option.defaultValue === undefined ? list : list.default([option.defaultValue], String(option.defaultValue));
}

async function compare(file: string, given: CompareFlags, single: Command): Promise<void> {
  const { quiet, json, measure, report, jobs } = given;
  const began = performance.now();
  await checkReport(report, { "an input": await inputFiles(file, given) });
  const { flags, choices } = choicesOf(withGroup(given), single);
  const { table: source, options, optionsOf } = await interruptible((signal) => readForTraining(file, flags, signal));
  const candidates = typedCandidates(choices, (choice) => optionsOf(withChoice(single, flags, choice)));
  const settings = settle(options);
  const task = taskOf(source, settings);
  checkCandidates(task, candidates);
  const folds = planFolds(task, settings, flags);

  await withDevice(flags.device, quiet, (device) =>
    interruptible(async (signal) => {
      const status = new Status({ quiet });
      const onFold = (candidate: number, done: number): void => {
        const share = (candidate + done / folds.count) / choices.length;
        status.show(share, `${choiceText(choices[candidate])}  fold ${done} of ${folds.count}`);
      };
      const found = await compareOn(device, task, folds, candidates, { measure, onFold, signal, jobs });
      status.end();
      const compared = found.compared.map((each) => ({ ...each, warnings: each.warnings.map(inFlags) }));
      const result = { ...resultOrigin(), ...found, compared, timing: { totalMs: performance.now() - began } };
      const page = comparisonOf(result, folds.count);
      warn(choices.flatMap((choice) => compared.find((each) => each.choice === choice)?.warnings ?? []));
      if (!quiet) {
        const lines = [
          bold(`${found.target} = ${found.positive}, in ${found.file}`),
          "",
          ...table([page.header, ...page.rows]),
        ];
        const text = [
          ...lines,
          "",
          ...(found.versus ? [worth(found, measure)] : []),
          `Mean ± deviation over ${plural(folds.count, "fold")}.`,
        ].join("\n");
        tell(text, json);
      }
      if (report !== undefined) {
        const plots = () => ({ comparison: comparisonPlot(page.plot) });
        await writeReport(report, { html: () => comparisonHtml(page, result), plots, json: result }, quiet);
      }
      if (json) writeJson(result);
    }),
  );
}

/** Options with one value each, and every combination of those that were given several. @throws E_ARGUMENT */
function choicesOf<Flags extends CompareFlags>(
  given: Flags,
  single: Command,
): { flags: Flags; choices: readonly TypedChoice[] } {
  const lists = single.options.flatMap((option) => {
    const values = given[option.attributeName() as keyof CompareFlags] as unknown as readonly string[] | undefined;
    return LISTS.includes(option.long ?? "") && values !== undefined ? [{ name: option.name(), values }] : [];
  });
  const several = lists.filter(({ values }) => values.length > 1);
  if (several.length === 0) {
    throw new TilegradError("E_ARGUMENT", "compare: no option has several values.", {
      hint: "Such as --loss bce,focal or --optimizer sgd,adam.",
    });
  }
  const fixed = Object.fromEntries(lists.map(({ name, values }) => [name, values[0]]));
  return { flags: withChoice(single, given, fixed), choices: gridOf(several) as readonly TypedChoice[] };
}

/** The first one beside logistic regression. */
const worth = (
  { compared, versus }: { compared: readonly Compared[]; versus: ComparedWays["versus"] },
  measure: MeasureName,
): string => verdictOf(versus, { measure: labelOf(measure), network: choiceText(compared[0].choice) }).join(" ");

const SHOWN: readonly MeasureName[] = ["prAuc", "rocAuc", "f1", "precision", "recall", "logLoss"];
const LOGISTIC = "logistic regression";

function comparisonOf(
  result: {
    readonly version: string;
    readonly command: string;
    readonly file: string;
    readonly target: string;
    readonly positive: string;
    readonly measure: MeasureName;
    readonly compared: readonly Compared[];
    readonly baseline: CrossValidation["baseline"];
    readonly versus: ComparedWays["versus"];
  },
  folds: number,
): Comparison {
  const { measure, compared, baseline } = result;
  const text = (spread: Spread | null): string =>
    spread === null ? "–" : `${spread.mean.toFixed(3)} ± ${spread.std.toFixed(3)}`;
  const shown = [measure, ...SHOWN.filter((name) => name !== measure)];
  const cells = (summary: CrossValidation["summary"]) => shown.map((name) => text(summary[name]));
  const epochs = ({ folds: each }: Compared) =>
    (each.reduce((sum, fold) => sum + fold.epochs, 0) / each.length).toFixed(0);
  const rows = [
    ...compared.map((entry) => [choiceText(entry.choice), ...cells(entry.summary), epochs(entry), duration(entry.ms)]),
    ...(baseline ? [[LOGISTIC, ...cells(baseline), "–", "–"]] : []),
  ];
  const spreads: [string, Spread | null][] = [
    ...compared.map((entry): [string, Spread | null] => [choiceText(entry.choice), entry.summary[measure]]),
    ...(baseline ? [[LOGISTIC, baseline[measure]] as [string, Spread | null]] : []),
  ];
  const measured = spreads.flatMap(([name, spread]) => (spread ? [{ name, mean: spread.mean, std: spread.std }] : []));
  const [best, next] = compared;
  const [top, second] = [best.summary[measure], next?.summary[measure]];
  const close = top && second && Math.abs(top.mean - second.mean) <= Math.max(top.std, second.std);
  return {
    ...result,
    title: `Ways to learn ${result.target} = ${result.positive}`,
    verdict:
      `By ${labelOf(measure)}, ${choiceText(best.choice)} comes first with ${top?.mean.toFixed(3) ?? "–"}.` +
      (close ? " It differs from the next by no more than folds do: either will do." : "") +
      (result.versus ? ` ${worth(result, measure)}` : ""),
    method: `Means and deviations over ${folds} folds. All were tested on the same rows and started from the same seed; whatever is fitted was fitted inside the training rows of each fold.`,
    header: ["", ...shown.map(labelOf), "epochs", "time"],
    rows,
    best: 0,
    plot: { title: labelOf(measure), measured },
  };
}
