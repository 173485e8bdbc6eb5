/** Parsers of option values; commander turns what they throw into a usage error that names the option. */
import { InvalidArgumentError } from "commander";
import type { ClassWeightChoice } from "../../experiment/options.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";

/** What a kind of option may be, from its text: a number where it holds for that, or else the text. */
export function ofKind<T>(kind: Kind<T>): (text: string) => T {
  return (text) => {
    const number = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(number) && kind.holds(number)) return number as T;
    if (kind.holds(text)) return text as T;
    throw new InvalidArgumentError(`Expected ${kind.expected}.`);
  };
}

/** a,b,c, after those that the same option gave before. */
export const names = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== ""),
];

/** 128,64 or 128x64; an empty text is no numbers. */
export const sizes = (text: string): number[] => names(text.replaceAll("x", ",")).map(ofKind(is.positiveInteger));

/** HxW or HxWxC, in pixels and channels: [height, width, channels]. */
export function imageSize(text: string): [height: number, width: number, channels: number] {
  const sides = /^\d+x\d+(x\d+)?$/i.test(text) ? text.toLowerCase().split("x").map(Number) : [];
  const [height = 0, width = 0, channels = 1] = sides;
  if (height * width * channels > 0 && Number.isSafeInteger(height * width * channels))
    return [height, width, channels];
  throw new InvalidArgumentError("Expected HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS in pixels, such as 28x28 or 32x32x3.");
}

/** balanced, none, effective:BETA, or LABEL:WEIGHT pairs for 0 (no) and 1 (yes), as in 0:1,1:10. */
export function classWeight(text: string): ClassWeightChoice {
  if (text === "balanced" || text === "none") return text;
  const effective = /^\s*effective\s*:\s*(.+)$/.exec(text);
  if (effective) return { effective: ofKind(is.fraction)(effective[1]) };
  const weights: Partial<Record<0 | 1, number>> = {};
  for (const part of text.split(",")) {
    const match = /^\s*([01])\s*:\s*(.+)$/.exec(part);
    if (!match)
      throw new InvalidArgumentError(
        "Expected balanced, none, effective:0.999, or weights such as 0:1,1:10 (0 is no, 1 is yes).",
      );
    weights[match[1] === "1" ? 1 : 0] = ofKind(is.nonNegativeFinite)(match[2]);
  }
  return weights;
}
