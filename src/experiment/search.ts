/** Searching for options: which candidates are tried how long, on rows that are not for testing. */
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import type { Candidate, Space } from "./candidates.ts";
import { axesOf, candidatesOf, checkCandidates, drawChoices, gridOf } from "./candidates.ts";
import { concurrently, jobsOn } from "./concurrently.ts";
import type { Jobs, MeasureName, Spread } from "./crossValidation.ts";
import { byMeasure, eachFold, summarize } from "./crossValidation.ts";
import { oneAnswer, unmetRule } from "./decide.ts";
import { learn } from "./experiment.ts";
import { divideForValidation, holdOut, planFolds } from "./folds.ts";
import type { Choice, ExperimentOptions, Settings } from "./options.ts";
import { settle } from "./options.ts";
import type { Places } from "./prepare.ts";
import { prepare, preparedWarnings } from "./prepare.ts";
import { resultHead } from "./result.ts";
import type { Task } from "./rows.ts";
import { taskOf } from "./task.ts";

/** What a candidate came to. */
export interface Entry {
  /** Null where the measure is undefined. */
  readonly value: number | null;
  readonly std: number;
  readonly epochs: number;
  readonly ms: number;
}

/** A candidate, and what it reached with the most epochs it was given. */
export interface Trial extends Entry {
  readonly choice: Choice;
  /** Epochs it was allowed. */
  readonly budget: number;
}

/** Remembers what was finished, so that a search that was cut short goes on where it was. */
export interface Journal {
  /** The entry of `key`; `work` is done only if an earlier search has not. */
  once(key: string, work: () => Promise<Entry>): Promise<Entry>;
}

export type SearchKind = "grid" | "random" | "halving";

export interface SearchOptions extends Jobs {
  /** Every combination, or `trials` that are drawn, all with all epochs or ever fewer with more; default grid. */
  readonly search?: SearchKind | undefined;
  /** Candidates to draw; default 20. */
  readonly trials?: number | undefined;
  /** What must be best; default prAuc. */
  readonly measure?: MeasureName | undefined;
  /** Folds of the rows that are searched with, which judge; default: the validation rows do. */
  readonly folds?: number | undefined;
  /** Searches anew in each of so many outer folds, too, to say what such a search achieves. */
  readonly nested?: number | undefined;
  readonly journal?: Journal | undefined;
  readonly onTrial?: ((done: number, trials: number, best: Trial) => void) | undefined;
}

/** A search of its own in each outer fold, and what its winner reached on rows that search had not seen. */
export interface Nested {
  readonly folds: readonly { readonly choice: Choice; readonly test: ClassificationReport }[];
  readonly summary: Readonly<Record<MeasureName, Spread | null>>;
}

/**
 * Which options learn best, found without the test rows, which the winner alone sees.
 * @param space values by the names of options, such as { learningRate: { from: 1e-4, to: 0.1 }, layers: [[8], [32, 16]] }
 * @throws E_ARGUMENT, E_DATA, and whatever an experiment throws
 */
export async function tune(
  device: Device,
  table: Table,
  options: ExperimentOptions,
  space: Space,
  around: SearchOptions = {},
) {
  const settings = settle(options);
  const axes = axesOf(space);
  const choices =
    around.search === undefined || around.search === "grid"
      ? gridOf(axes)
      : drawChoices(axes, around.trials ?? 20, settings.seed);
  const candidates = candidatesOf(options, choices);
  const task = taskOf(table, settings);
  checkCandidates(task, candidates);
  return searchOn(device, task, settings, holdOut(task, settings), candidates, around);
}

/** `tune` with candidates that are chosen and rows that are held out. @param places of the test rows, for the winner */
export async function searchOn(
  device: Device,
  task: Task,
  given: Settings,
  { rest, test }: ReturnType<typeof holdOut>,
  candidates: readonly Candidate[],
  options: SearchOptions,
  places: Places = {},
) {
  const { search = "grid", measure = "prAuc", signal } = options;
  const warnings = new Set<string>();
  const context = { device, task, settings: given, candidates, options: { ...options, search, measure }, warnings };
  const trials = await trialsOn(context, rest, "all");
  const nested = options.nested === undefined ? null : await nest(context, options.nested);
  const best = trials[0];
  const { settings } = candidateOf(context, best.choice);
  const data = await prepare(task, { ...divideForValidation(task, settings, rest), test }, settings, places);
  const final = await learn(device, data, { ...settings, baseline: false }, { signal });
  final.trainer.dispose();
  const judged = final.metrics.test;
  const decided = [...unmetRule(final.threshold, settings.decision), ...(judged ? oneAnswer(judged) : [])];
  for (const warning of [...preparedWarnings([data]), ...decided]) warnings.add(warning);
  return {
    ...resultHead(device, task),
    search,
    measure,
    seed: given.seed,
    trials,
    best,
    test: judged,
    nested,
    warnings: [...warnings].sort(), // found in whatever order candidates ended
  };
}

interface Search {
  readonly device: Device;
  readonly task: Task;
  /** Without a choice. */
  readonly settings: Settings;
  readonly candidates: readonly Candidate[];
  readonly options: SearchOptions & { readonly search: SearchKind; readonly measure: MeasureName };
  /** Of the rows that candidates learn from are added, each once. */
  readonly warnings: Set<string>;
}

const candidateOf = ({ candidates }: Search, chosen: Choice): Candidate =>
  candidates.find(({ choice }) => choice === chosen) as Candidate;

/** Better first; of equals the one that was named first. */
export const ranked = (trials: readonly Trial[], measure: MeasureName): Trial[] =>
  [...trials].sort((a, b) => b.budget - a.budget || byMeasure(measure, a.value, b.value));

/** Each round of successive halving keeps a third and gives it three times the epochs (Jamieson & Talwalkar 2016). */
const ETA = 3;

/** Rounds of (how many candidates, epochs each), the last with all epochs. */
function rounds(kind: SearchKind, candidates: number, epochs: number): [count: number, epochs: number][] {
  if (kind !== "halving") return [[candidates, epochs]];
  const last = Math.max(0, Math.floor(Math.log(candidates) / Math.log(ETA)));
  return Array.from({ length: last + 1 }, (_, i) => [
    Math.max(1, Math.floor(candidates / ETA ** i)),
    Math.max(1, Math.round(epochs / ETA ** (last - i))),
  ]);
}

/** Tries the candidates on `rest`, rows that are not for testing; all trials, best first. `key` names the rows in the journal. */
async function trialsOn(search: Search, rest: Uint32Array, key: string): Promise<Trial[]> {
  const { candidates, options, device, task } = search;
  const { journal, measure, onTrial } = options;
  const plan = rounds(options.search, candidates.length, search.settings.training.epochs);
  const total = plan.reduce((n, [count]) => n + count, 0);
  const jobs = jobsOn(device, task.table, options.jobs);
  const trials = new Map<Choice, Trial>();
  let left = [...candidates];
  let done = 0;
  for (const [count, budget] of plan) {
    left = left.slice(0, count);
    const before = [...trials.values()];
    const ended: Trial[] = [];
    const round = await concurrently(left, jobs, async (candidate): Promise<Trial> => {
      const { choice } = candidate;
      const work = () => evaluate(search, candidate, budget, rest);
      const entry = await (journal ? journal.once(JSON.stringify([key, budget, choice]), work) : work());
      const trial = { choice, budget, ...entry };
      ended.push(trial);
      onTrial?.(++done, total, ranked([...before, ...ended], measure)[0]);
      return trial;
    });
    for (const trial of round) trials.set(trial.choice, trial); // in the order of the choices, whichever ended first
    const order = ranked([...trials.values()], measure).map((trial) => trial.choice);
    left.sort((a, b) => order.indexOf(a.choice) - order.indexOf(b.choice));
  }
  return ranked([...trials.values()], measure);
}

/** One candidate. Nothing is refitted with the validation rows, which here are the judges. */
async function evaluate(
  { device, task, options: { folds: inner = 0, measure, signal }, warnings }: Search,
  { choice, settings: chosen }: Candidate,
  budget: number,
  rest: Uint32Array,
): Promise<Entry> {
  const began = performance.now();
  const epochs = "epochs" in choice ? chosen.training.epochs : budget;
  const asked = chosen.decision.thresholdFolds;
  const settings = {
    ...chosen,
    split: { ...chosen.split, test: 0 },
    training: { ...chosen.training, epochs },
    // Candidates are many, and what decides between them is most often no threshold: unasked, only the winner has folds for it.
    decision: { ...chosen.decision, thresholdFolds: asked === "auto" ? ("none" as const) : asked },
    baseline: false,
  };
  const entry = (reports: readonly ClassificationReport[], epochs: number): Entry => {
    const spread = summarize(reports)[measure];
    return { value: spread?.mean ?? null, std: spread?.std ?? 0, epochs, ms: Math.round(performance.now() - began) };
  };
  if (inner > 0) {
    const planned = planFolds(task, settings, { folds: inner }, rest);
    const found = await eachFold(device, task, planned, settings, { signal, jobs: 1 });
    for (const warning of found.warnings) warnings.add(warning);
    return entry(
      found.folds.map(({ test }) => test),
      found.folds.reduce((sum, fold) => sum + fold.epochs, 0),
    );
  }
  const split = { ...divideForValidation(task, settings, rest), test: new Uint32Array(0) };
  const data = await prepare(task, split, settings);
  for (const warning of preparedWarnings([data])) warnings.add(warning);
  const once = { ...settings, training: { ...settings.training, refit: "never" as const } };
  const { trainer, metrics, history } = await learn(device, data, once, { signal });
  trainer.dispose();
  return entry([metrics.validation ?? metrics.train], history.loss.length);
}

/** The search itself under test: in each outer fold it sees the training rows alone, and its winner the test rows once. */
async function nest(search: Search, outer: number): Promise<Nested> {
  const { device, task, options } = search;
  const folds = planFolds(task, search.settings, { folds: outer });
  const found: { choice: Choice; test: ClassificationReport }[] = [];
  for (const split of folds) {
    const rest = Uint32Array.from([...split.train, ...split.validation]).sort();
    const [best] = await trialsOn(search, rest, `outer ${found.length + 1} of ${folds.count}`);
    const settings = { ...candidateOf(search, best.choice).settings, baseline: false };
    const one = { count: 1, [Symbol.iterator]: () => [split][Symbol.iterator]() };
    const { folds: tested } = await eachFold(device, task, one, settings, { signal: options.signal, jobs: 1 });
    found.push({ choice: best.choice, test: tested[0].test });
  }
  return { folds: found, summary: summarize(found.map(({ test }) => test)) };
}
