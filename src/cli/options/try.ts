/** `--try`: values of flags of `train`, which `tune` and `compare` try. */
import type { Command, Option } from "commander";
import { InvalidArgumentError } from "commander";
import { TilegradError } from "../../errors.ts";
import type { Axis, Candidate, Range } from "../../experiment/candidates.ts";
import { drawChoices, namingChoice, valueText } from "../../experiment/candidates.ts";
import type { Choice, ExperimentOptions } from "../../experiment/options.ts";
import { settle } from "../../experiment/options.ts";
import { nearest } from "../../nearest.ts";

/** The flags in which one candidate differs, as they would be typed. */
export type TypedChoice = Readonly<Record<string, string>>;

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

/** Choices as they would be typed. */
export const drawTyped = (command: Command, axes: readonly Axis[], trials: number, seed: number): TypedChoice[] =>
  drawChoices(
    axes.map(({ name, values }) => {
      const option = tunable(command, name);
      return { name, values: "from" in values ? { ...values, whole: isWhole(option, values) } : values };
    }),
    trials,
    seed,
  ).map((choice) => Object.fromEntries(Object.entries(choice).map(([name, value]) => [name, String(value)])));

/** Whether an option that takes both ends takes nothing between whole numbers. */
function isWhole(option: Option, { from, to }: Range): boolean {
  if (!Number.isInteger(from) || !Number.isInteger(to)) return false;
  try {
    option.parseArg?.(String(from + 0.5), undefined as never);
    return false;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return true;
    throw error;
  }
}

/** The options of a command with a choice in place of what was given. @throws E_ARGUMENT naming option and value */
export function withChoice<Options extends object>(command: Command, options: Options, choice: TypedChoice): Options {
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

/** What is wrong with a choice says so. */
export const typedCandidates = (
  choices: readonly TypedChoice[],
  optionsOf: (choice: TypedChoice) => ExperimentOptions,
): Candidate[] =>
  choices.map((choice) => ({ choice, settings: namingChoice(choice, () => settle(optionsOf(choice))) }));

/** As one would type it to `train`. */
export const choiceArguments = (choice: Choice): string =>
  Object.entries(choice)
    .map(([name, value]) => {
      const text = valueText(value);
      return `--${name} ${/^[\w.,:-]+$/.test(text) ? text : `'${text}'`}`;
    })
    .join(" ");
