/** What plots are given, looked at before anything is drawn of it. */
import * as is from "../kinds.ts";
import { checkFields, checkObject, checkValue } from "../options.ts";

/** Numbers of equal length by name, such as the rates of a curve. @throws E_ARGUMENT */
export function checkCurve(plot: string, curve: unknown, names: readonly string[], made: string): void {
  checkFields(
    plot,
    curve,
    Object.fromEntries(names.map((name) => [name, is.values])),
    `${names.join(", ")}, as ${made}`,
  );
}

/** Lists by their names. @throws E_ARGUMENT */
export function checkNamed(plot: string, lists: unknown, kind: is.Kind, expected: string): void {
  checkObject(plot, lists, expected);
  for (const [name, list] of Object.entries(lists)) checkValue(plot, name, list, kind);
}

/** @throws E_ARGUMENT */
export function checkPlotOptions(plot: string, options: unknown): void {
  checkObject(plot, options, "an object of options");
}
