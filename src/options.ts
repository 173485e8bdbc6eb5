import { TilegradError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/**
 * Refuses names that are no options: in JavaScript, nothing else would tell of a misspelt one. The compiler keeps `known`
 * complete where it is written as `{ ... } satisfies Record<keyof Options, 1>`.
 * @throws E_ARGUMENT
 */
export function checkOptions(where: string, options: object, known: Readonly<Record<string, 1>>): void {
  const wrong = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (wrong === undefined) return;
  const names = Object.keys(known);
  const near = nearest(wrong, names);
  throw new TilegradError(
    "E_ARGUMENT",
    `${where}: there is no option ${JSON.stringify(wrong)}; expected any of ${names.join(", ")}.`,
    { hint: near ? `Did you mean ${near}?` : "Leave it out." },
  );
}
