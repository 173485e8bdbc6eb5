/** Ways to learn side by side, on the same folds with the same seed. */
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";
import { pairedFolds } from "../metrics/paired.ts";
import type { Candidate } from "./candidates.ts";
import { candidatesOf, checkCandidates, choiceText } from "./candidates.ts";
import type { CrossValidation, Jobs, MeasureName } from "./crossValidation.ts";
import { byMeasure, eachFold, LESS_IS_BETTER, testedShare } from "./crossValidation.ts";
import { oneAnswer } from "./decide.ts";
import type { FoldOptions, PlannedFolds } from "./folds.ts";
import { planFolds } from "./folds.ts";
import type { Choice, ExperimentOptions, Settings } from "./options.ts";
import { settle } from "./options.ts";
import { resultHead } from "./result.ts";
import type { Task } from "./rows.ts";
import { taskOf } from "./task.ts";

export interface Compared extends CrossValidation {
  readonly choice: Choice;
  readonly ms: number;
}

/** What the comparison says of itself while it runs. */
export interface CompareOptions extends Jobs {
  /** What the result is sorted by, best first; default prAuc. */
  readonly measure?: MeasureName | undefined;
  /** Candidates from 0. */
  readonly onFold?: ((candidate: number, done: number) => void) | undefined;
}

/**
 * Cross-validates each configuration: the options with other values for some, by name, such as { loss: "focal" }.
 * @throws E_ARGUMENT, E_DATA, and whatever an experiment throws
 */
export async function compare(
  device: Device,
  table: Table,
  options: ExperimentOptions,
  configurations: readonly Choice[],
  around: Partial<FoldOptions> & CompareOptions = {},
) {
  const settings = settle(options);
  const task = taskOf(table, settings);
  const candidates = candidatesOf(options, configurations);
  checkCandidates(task, candidates);
  return compareOn(device, task, planFolds(task, settings, around), candidates, around);
}

/** `compare` on folds that are planned. Logistic regression, which is the same for all, is fitted beside the first. */
export async function compareOn(
  device: Device,
  task: Task,
  folds: PlannedFolds,
  candidates: readonly Candidate[],
  { measure = "prAuc", onFold, signal, jobs }: CompareOptions,
) {
  const found: Compared[] = [];
  for (const [i, { choice, settings }] of candidates.entries()) {
    const began = performance.now();
    const own = { ...settings, baseline: settings.baseline && i === 0 };
    let done = 0;
    const onProgress = () => onFold?.(i, ++done);
    const validated = await eachFold(device, task, folds, own, { onProgress, signal, jobs });
    const decided = oneAnswer(validated.pooled).map((warning) => `${choiceText(choice)}: ${warning}`);
    const warnings = [...validated.warnings, ...decided];
    found.push({ choice, ...validated, warnings, ms: Math.round(performance.now() - began) });
  }
  const isSimple = ({ network: { model = "mlp", layers } }: Settings): boolean =>
    model === "mlp" && layers?.length === 0;
  const valueIn = ({ summary }: Compared) => summary[measure]?.mean ?? null;
  const settingsOf = (chosen: Choice) => (candidates.find(({ choice }) => choice === chosen) as Candidate).settings;
  const compared = [...found].sort((a, b) => byMeasure(measure, valueIn(a), valueIn(b)));
  return {
    ...resultHead(device, task),
    seed: candidates[0].settings.seed,
    measure,
    compared,
    baseline: found[0].baseline,
    versus:
      isSimple(settingsOf(compared[0].choice)) || !found[0].baseline
        ? null
        : pairedFolds(differences(measure, compared[0], found[0]), testedShare(found[0])),
  };
}

export type ComparedWays = Awaited<ReturnType<typeof compareOn>>;

/** By fold how much better than logistic regression, which was fitted beside another candidate on the same folds. */
function differences(measure: MeasureName, of: CrossValidation, beside: CrossValidation): number[] {
  const sign = LESS_IS_BETTER.includes(measure) ? -1 : 1;
  return of.folds.flatMap(({ test }, i) => {
    const [own, simple] = [test[measure], beside.folds[i].baseline?.[measure]];
    return typeof own === "number" && typeof simple === "number" ? [sign * (own - simple)] : [];
  });
}
