/** The library speaks of options, in backticks; who typed flags is told of these. */
import { TilegradError } from "../../errors.ts";

const SPECIAL: Readonly<Record<string, string>> = { crossValidate: "`tilegrad cv`", space: "--try" };

/** `classWeight` becomes --class-weight, `threshold: f1` --threshold f1, `stream: false` --no-stream. */
export const inFlags = (text: string): string =>
  text.replace(/(?<!option )`([a-z]\w*)(?:: ([^`]*))?`/g, (_, name: string, value?: string) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === "false") return `--no-${flag}`;
    return SPECIAL[name] ?? `--${flag}${value === undefined ? "" : ` ${value}`}`;
  });

/** Lets an error of the library speak of flags. */
export function errorInFlags(error: TilegradError): TilegradError {
  const { code, message, hint, cause } = error;
  return new TilegradError(code, inFlags(message), { ...(hint === undefined ? {} : { hint: inFlags(hint) }), cause });
}
