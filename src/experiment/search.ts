/** Searching for options: which candidates are tried how long, on rows that are not for testing. */

import type { Entry, Journal } from "../cli/journal.ts";
import type { Interrupt } from "../cli/terminal/interrupt.ts";
import type { Device } from "../device.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { Choice } from "./candidates.ts";
import { concurrently } from "./concurrently.ts";
import type { FoldSettings, MeasureName } from "./crossValidation.ts";
import { crossValidate, summarize } from "./crossValidation.ts";
import { experiment } from "./experiment.ts";
import { divideForValidation, planFolds } from "./folds.ts";
import type { Labelled } from "./labelled.ts";
import { prepareRows } from "./prepare.ts";

/** A candidate, and what it reached with the most epochs it was given. */
export interface Trial extends Entry {
  readonly choice: Choice;
  /** Epochs it was allowed. */
  readonly budget: number;
}

export interface SearchOptions {
  readonly search: "grid" | "random" | "halving";
  readonly measure: MeasureName;
  /** Folds on the rows that are searched with; 0: their validation rows decide. */
  readonly inner: number;
}

export interface Search {
  readonly device: Device;
  readonly labelled: Labelled;
  readonly journal: Journal;
  readonly choices: readonly Choice[];
  /** The options with a choice in them. */
  readonly optionsOf: (choice: Choice) => FoldSettings;
  readonly options: SearchOptions;
  /** Candidates at a time. */
  readonly jobs: number;
  readonly interrupt: Interrupt;
  /** Of the rows that candidates learn from are added, each once. */
  readonly warnings: Set<string>;
  readonly progress: (done: number, trials: number, best: Trial) => void;
}

/** Measures that are losses: less is better. */
const LESS_IS_BETTER: readonly MeasureName[] = ["logLoss", "brier", "ece"];

/** Order of two values of a measure, as for `sort`: better first, undefined last. */
export function byMeasure(measure: MeasureName, a: number | null, b: number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return LESS_IS_BETTER.includes(measure) ? a - b : b - a;
}

/** Better first; of equals the one that was named first. */
export const ranked = (trials: readonly Trial[], measure: MeasureName): Trial[] =>
  [...trials].sort((a, b) => b.budget - a.budget || byMeasure(measure, a.value, b.value));

/** Each round of successive halving keeps a third and gives it three times the epochs (Jamieson & Talwalkar 2016). */
const ETA = 3;

/** Rounds of (how many candidates, epochs each), the last with all epochs. */
function rounds(kind: SearchOptions["search"], candidates: number, epochs: number): [count: number, epochs: number][] {
  if (kind !== "halving") return [[candidates, epochs]];
  const last = Math.max(0, Math.floor(Math.log(candidates) / Math.log(ETA)));
  return Array.from({ length: last + 1 }, (_, i) => [
    Math.max(1, Math.floor(candidates / ETA ** i)),
    Math.max(1, Math.round(epochs / ETA ** (last - i))),
  ]);
}

/** Tries the choices on `rest`, rows that are not for testing; all trials, best first. `key` names the rows in the journal. */
export async function searchOn(search: Search, rest: Uint32Array, key: string): Promise<Trial[]> {
  const { choices, options, optionsOf, journal, progress, jobs } = search;
  const epochs = optionsOf({}).epochs;
  const plan = rounds(options.search, choices.length, epochs);
  const total = plan.reduce((n, [count]) => n + count, 0);
  const trials = new Map<Choice, Trial>();
  let left = [...choices];
  let done = 0;
  for (const [count, budget] of plan) {
    left = left.slice(0, count);
    const before = [...trials.values()];
    const ended: Trial[] = [];
    const round = await concurrently(left, jobs, async (choice): Promise<Trial> => {
      const name = JSON.stringify([key, budget, choice]);
      const entry = await journal.once(name, () => evaluate(search, choice, budget, rest));
      const trial = { choice, budget, ...entry };
      ended.push(trial);
      progress(++done, total, ranked([...before, ...ended], options.measure)[0]);
      return trial;
    });
    for (const trial of round) trials.set(trial.choice, trial); // in the order of the choices, whichever ended first
    const order = ranked([...trials.values()], options.measure).map((trial) => trial.choice);
    left.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  }
  return ranked([...trials.values()], options.measure);
}

/** One candidate. Nothing is refitted with the validation rows, which here are the judges. */
async function evaluate(
  { device, labelled, optionsOf, options: { inner, measure }, interrupt, warnings }: Search,
  choice: Choice,
  budget: number,
  rest: Uint32Array,
): Promise<Entry> {
  const began = performance.now();
  const chosen = optionsOf(choice);
  const options = { ...chosen, epochs: "epochs" in choice ? chosen.epochs : budget, baseline: false, quiet: true };
  const entry = (reports: readonly ClassificationReport[], epochs: number): Entry => {
    const spread = summarize(reports)[measure];
    return { value: spread?.mean ?? null, std: spread?.std ?? 0, epochs, ms: Math.round(performance.now() - began) };
  };
  if (inner > 0) {
    const among = { ...options, folds: inner, repeats: 1, leaveOneOut: false };
    const planned = planFolds(labelled, among, rest);
    const { folds, warnings: found } = await crossValidate(device, labelled, planned, options, interrupt);
    for (const warning of found) warnings.add(warning);
    return entry(
      folds.map(({ test }) => test),
      folds.reduce((sum, fold) => sum + fold.epochs, 0),
    );
  }
  const parts = { ...divideForValidation(labelled, options, rest), test: new Uint32Array(0) };
  const data = await prepareRows(labelled, parts, options);
  for (const warning of data.warnings) warnings.add(warning);
  const { trainer, metrics, history } = await experiment(device, data, { ...options, refit: "never" }, interrupt);
  trainer.dispose();
  return entry([metrics.validation ?? metrics.train], history.loss.length);
}
