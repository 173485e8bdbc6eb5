/** What plots are given, looked at before anything is drawn of it. */
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
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

/** What every plot takes. */
export const plotOptions = {
  /** Default: what the plot shows. */
  title: is.string,
  /** "auto" (default) follows the reader's light or dark setting; "light" stays light. */
  theme: is.oneOf("auto", "light"),
};

export interface PlotOptions extends OptionsOf<typeof plotOptions> {}
