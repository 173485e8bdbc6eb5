/** What `tune` tries: values of options of `train`, as a grid or drawn at random. */
import type { Command, Option } from "commander";
import { InvalidArgumentError } from "commander";
import { targetOf } from "../data/target.ts";
import { TilegradError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Draws } from "../random.ts";
import { draws } from "../random.ts";
import type { ExperimentOptions } from "./experiment.ts";
import type { Labelled } from "./labelled.ts";
import { makeLoss, makeOptimizer } from "./objective.ts";
import { checkThresholds, thresholdRule } from "./threshold.ts";

/** The options in which one candidate differs, as they would be typed. */
export type Choice = Readonly<Record<string, string>>;

/** Values of one option: a list, or a range of numbers. */
export interface Axis {
  /** As typed, without dashes. */
  readonly name: string;
  readonly values: readonly string[] | { readonly from: number; readonly to: number };
}

const RANGE = /^(-?[\d.]+(?:e-?\d+)?)\.\.(-?[\d.]+(?:e-?\d+)?)$/i;

/** `NAME=A,B,...`, `NAME=A|B|...` for values with commas, or `NAME=FROM..TO`. @throws InvalidArgumentError */
export function parseAxis(text: string): Axis {
  const at = text.indexOf("=");
  const [name, list] = [text.slice(0, at).replace(/^--/, ""), text.slice(at + 1)];
  if (at < 1 || list === "") {
    throw new InvalidArgumentError("Expected OPTION=VALUE,VALUE,... such as learning-rate=0.001,0.01.");
  }
  const range = RANGE.exec(list);
  if (range) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (from < to) return { name, values: { from, to } };
    throw new InvalidArgumentError(`Expected a range that rises; got ${list}.`);
  }
  return { name, values: list.split(list.includes("|") ? "|" : ",").map((value) => value.trim()) };
}

/** Every combination, the last axis running fastest. @throws E_ARGUMENT for a range */
export function gridOf(axes: readonly Axis[]): Choice[] {
  return axes.reduce<Choice[]>(
    (choices, { name, values }) => {
      if (!("length" in values)) {
        throw new TilegradError("E_ARGUMENT", `--try ${name}=${values.from}..${values.to}: a grid has no ranges.`, {
          hint: "List the values, or search at random: --search random --trials 20.",
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
export function drawChoices(command: Command, axes: readonly Axis[], trials: number, seed: number): Choice[] {
  const whole = axes.map(({ name, values }) => !("length" in values) && isWhole(tunable(command, name), values));
  const found = new Map<string, Choice>();
  const most = axes.reduce((n, { values }) => n * ("length" in values ? values.length : Infinity), 1);
  // A range of few whole numbers repeats itself.
  for (let step = 0; found.size < Math.min(trials, most) && step < 100 * trials; step++) {
    const draw = draws(seed, STREAM, step);
    const choice = Object.fromEntries(axes.map(({ name, values }, i) => [name, drawValue(values, whole[i], draw, i)]));
    found.set(JSON.stringify(choice), choice);
  }
  return [...found.values()];
}

/** Whether an option that takes both ends takes nothing between whole numbers. */
function isWhole(option: Option, { from, to }: { readonly from: number; readonly to: number }): boolean {
  if (!Number.isInteger(from) || !Number.isInteger(to)) return false;
  try {
    option.parseArg?.(String(from + 0.5), undefined as never);
    return false;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return true;
    throw error;
  }
}

function drawValue(values: Axis["values"], whole: boolean, draw: Draws, at: number): string {
  if ("length" in values) return values[draw.integer(at, values.length)];
  const { from, to } = values;
  if (whole) return String(from + draw.integer(at, to - from + 1));
  const u = draw.uniform(4 * at);
  const value = from > 0 && to / from >= LOGARITHMIC ? from * (to / from) ** u : from + u * (to - from);
  return String(Number(value.toPrecision(4)));
}

/** The options of a command with a choice in place of what was given. @throws E_ARGUMENT naming option and value */
export function withChoice<Options extends object>(command: Command, options: Options, choice: Choice): Options {
  const changed = Object.entries(choice).map(([name, text]) => {
    const option = tunable(command, name);
    return [option.attributeName(), parsed(option, text)] as const;
  });
  return { ...options, ...Object.fromEntries(changed) };
}

/** Options that say what to do rather than how to learn. */
const FIXED = [
  ...["target", "positive", "seed", "device", "json", "quiet", "out", "report", "image", "window", "horizon"],
  ...[
    "sample-weight",
    "amount",
    "exclude",
    "id",
    "categorical",
    "numeric",
    "test",
    "splits",
    "folds",
    "nested",
    "group",
    "time",
    "repeats",
  ],
  ...["try", "search", "trials", "measure", "jobs"],
];

function tunable(command: Command, name: string): Option {
  const known = command.options.filter(
    (option) => option.long !== undefined && !option.isBoolean() && !option.negate && !FIXED.includes(option.name()),
  );
  const option = known.find((candidate) => candidate.name() === name);
  if (option) return option;
  const near = nearest(
    name,
    known.map((candidate) => candidate.name()),
  );
  throw new TilegradError("E_ARGUMENT", `there is no option ${JSON.stringify(name)} to try.`, {
    hint: near ? `Did you mean ${near}?` : "Any option of train that takes a value, such as learning-rate or layers.",
  });
}

function parsed(option: Option, text: string): unknown {
  try {
    return option.parseArg ? option.parseArg(text, undefined as never) : text;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new TilegradError("E_ARGUMENT", `${option.long}: got ${JSON.stringify(text)}. ${error.message}`);
  }
}

/** What can be found wrong with any candidate is found before the first one runs. @throws E_ARGUMENT */
export function checkChoices(
  { target, table, rows }: Labelled,
  choices: readonly Choice[],
  optionsOf: (choice: Choice) => ExperimentOptions,
): void {
  const y = targetOf(target, table, rows);
  for (const choice of choices) {
    try {
      const options = optionsOf(choice);
      makeLoss(options, y);
      makeOptimizer({ ...options, batch: options.batch ?? 1 });
      thresholdRule(options);
    } catch (error) {
      if (!(error instanceof TilegradError)) throw error;
      const { code, message, hint } = error;
      throw new TilegradError(code, `${choiceText(choice)}: ${message}`, hint === undefined ? {} : { hint });
    }
  }
  checkThresholds(...choices.map(optionsOf));
}

export const choiceText = (choice: Choice): string =>
  Object.entries(choice)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** As one would type it to `train`. */
export const choiceArguments = (choice: Choice): string =>
  Object.entries(choice)
    .map(([name, value]) => `--${name} ${/^[\w.,:-]+$/.test(value) ? value : `'${value}'`}`)
    .join(" ");
