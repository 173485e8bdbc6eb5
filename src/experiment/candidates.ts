/** What a search tries: values of options, as a grid or drawn at random. */
import { targetOf } from "../data/target.ts";
import { TilegradError } from "../errors.ts";
import type { Draws } from "../random.ts";
import { draws } from "../random.ts";
import { checkThresholds, thresholdRule } from "./decide.ts";
import { makeLoss, makeOptimizer } from "./objective.ts";
import type { Choice, ExperimentOptions, Settings } from "./options.ts";
import { GROUPS, settle, withChoice } from "./options.ts";
import type { Task } from "./rows.ts";

/** Numbers between two ends, which are drawn at random; whole numbers where `whole`. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly whole?: boolean;
}

/** Values of one option. */
export interface Axis {
  readonly name: string;
  readonly values: readonly unknown[] | Range;
}

/** One way to learn, and what it is called. */
export interface Candidate {
  /** Values of the options in which candidates differ. */
  readonly choice: Choice;
  readonly settings: Settings;
}

/** Lists of values, or ranges, by the names of options: { learningRate: { from: 1e-4, to: 0.1 }, layers: [[8], [32, 16]] }. */
export type Space = Readonly<Record<string, readonly unknown[] | Range>>;

/** The axes of a space; ranges of options that take whole numbers only are such. @throws E_ARGUMENT for what is no range */
export const axesOf = (space: Space): Axis[] =>
  Object.entries(space).map(([name, values]) => {
    if (!("from" in values)) return { name, values };
    const kind = Object.values(GROUPS)
      .flatMap((group) => Object.entries(group))
      .find(([option]) => option === name)?.[1];
    const isWhole = kind?.holds(values.from) === true && !kind.holds(values.from + 0.5);
    if (values.from < values.to) return { name, values: { ...values, whole: values.whole ?? isWhole } };
    throw new TilegradError(
      "E_ARGUMENT",
      `${name}: got from ${values.from} to ${values.to}; expected a range that rises.`,
    );
  });

export const candidatesOf = (options: ExperimentOptions, choices: readonly Choice[]): Candidate[] =>
  choices.map((choice) => ({ choice, settings: namingChoice(choice, () => settle(withChoice(options, choice))) }));

/** Every combination, the last axis running fastest. @throws E_ARGUMENT for a range */
export function gridOf(axes: readonly Axis[]): Choice[] {
  return axes.reduce<Choice[]>(
    (choices, { name, values }) => {
      if ("from" in values) {
        throw new TilegradError("E_ARGUMENT", `\`space\` ${name}=${values.from}..${values.to}: a grid has no ranges.`, {
          hint: "List the values, or search at random: `search: random` `trials: 20`.",
        });
      }
      return choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value })));
    },
    [{}],
  );
}

/** The random stream of candidates; the step is the trial. */
const STREAM = 0x74756e65; // "tune"
/** A range of positive numbers this wide is drawn from in proportion, as learning rates are. */
const LOGARITHMIC = 10;

/** `trials` different combinations, or all there are where lists allow fewer. */
export function drawChoices(axes: readonly Axis[], trials: number, seed: number): Choice[] {
  const found = new Map<string, Choice>();
  const most = axes.reduce((n, { values }) => n * ("from" in values ? Infinity : values.length), 1);
  // A range of few whole numbers repeats itself.
  for (let step = 0; found.size < Math.min(trials, most) && step < 100 * trials; step++) {
    const draw = draws(seed, STREAM, step);
    const choice = Object.fromEntries(axes.map(({ name, values }, i) => [name, drawValue(values, draw, i)]));
    found.set(JSON.stringify(choice), choice);
  }
  return [...found.values()];
}

function drawValue(values: Axis["values"], draw: Draws, at: number): unknown {
  if (!("from" in values)) return values[draw.integer(at, values.length)];
  const { from, to, whole } = values;
  if (whole) return from + draw.integer(at, to - from + 1);
  const u = draw.uniform(4 * at);
  const value = from > 0 && to / from >= LOGARITHMIC ? from * (to / from) ** u : from + u * (to - from);
  return Number(value.toPrecision(4));
}

/** What can be found wrong with any candidate is found before the first one runs. @throws E_ARGUMENT */
export function checkCandidates({ target, table, rows }: Task, candidates: readonly Candidate[]): void {
  const y = targetOf(target, table, rows);
  for (const { choice, settings } of candidates) {
    namingChoice(choice, () => {
      makeLoss(settings.loss, y);
      makeOptimizer(settings.optimizer, settings.training.batch ?? 1);
      thresholdRule(settings);
    });
  }
  checkThresholds(...candidates.map(({ settings }) => settings));
}

/** Lets errors say of which candidate they speak. */
export function namingChoice<T>(choice: Choice, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TilegradError)) throw error;
    const { code, message, hint } = error;
    throw new TilegradError(code, `${choiceText(choice)}: ${message}`, hint === undefined ? {} : { hint });
  }
}

export const choiceText = (choice: Choice): string =>
  Object.entries(choice)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(" ");

export const valueText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
