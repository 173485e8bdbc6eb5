/** Flags from what declares an option: its name, its words, what it may be and its default are said there, not again here. */
import type { Command } from "commander";
import { Option } from "commander";
import type { Kind } from "../../kinds.ts";
import { names, ofKind } from "./values.ts";

/** What the help says of an option: what stands for its value, and what it means. */
export type Flag = readonly [
  placeholder: string,
  description: string,
  /** Where the kind alone does not tell what a text means. */
  parse?: ((text: string) => unknown) | undefined,
];

/** learningRate as it is typed: --learning-rate. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Adds flags in their order. @param defaults by name, where the option is then always given */
export function addFlags<S extends Readonly<Record<string, Kind>>>(
  command: Command,
  kinds: S,
  flags: { readonly [N in keyof S]?: Flag },
  defaults: { readonly [N in keyof S]?: unknown } = {},
): Command {
  for (const [name, [placeholder, description, parse]] of Object.entries<Flag>(flags as Record<string, Flag>)) {
    const kind = kinds[name];
    const isSwitch = placeholder === "";
    const option = new Option(isSwitch ? flagOf(name) : `${flagOf(name)} <${placeholder}>`, description);
    if (kind.words) option.choices(kind.words);
    else if (parse) option.argParser(parse);
    else if (kind.holds([""])) option.argParser(names as (text: string) => unknown);
    else if (!isSwitch) option.argParser(ofKind(kind));
    if (defaults[name] !== undefined) option.default(defaults[name]);
    command.addOption(option);
  }
  return command;
}
