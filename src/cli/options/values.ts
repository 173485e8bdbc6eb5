/** Parsers of option values; commander turns what they throw into a usage error that names the option. */
import { InvalidArgumentError } from "commander";
import type { ClassWeightChoice } from "../../experiment/options.ts";

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** The ends themselves are not allowed. */
  readonly above?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

export const number =
  ({ min, max, above, below, integer = false }: Range = {}) =>
  (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const fits =
      Number.isFinite(value) &&
      (!integer || Number.isSafeInteger(value)) &&
      (min === undefined || value >= min) &&
      (max === undefined || value <= max) &&
      (above === undefined || value > above) &&
      (below === undefined || value < below);
    if (fits) return value;
    const bounds = [
      ...(min === undefined ? [] : [`at least ${min}`]),
      ...(above === undefined ? [] : [`above ${above}`]),
      ...(max === undefined ? [] : [`at most ${max}`]),
      ...(below === undefined ? [] : [`below ${below}`]),
    ];
    const kind = integer ? "a whole number" : "a number";
    throw new InvalidArgumentError(`Expected ${[kind, bounds.join(" and ")].filter(Boolean).join(" ")}.`);
  };

export const whole = (min: number): ((text: string) => number) => number({ min, integer: true });

/** a,b,c, after those that the same option gave before. */
export const names = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== ""),
];

/** 128,64 or 128x64; an empty text is no numbers. */
export const sizes = (text: string): number[] =>
  names(text.replaceAll("x", ",")).map(number({ min: 1, integer: true }));

/** HxW or HxWxC, in pixels and channels: [height, width, channels]. */
export function imageSize(text: string): [height: number, width: number, channels: number] {
  const sides = /^\d+x\d+(x\d+)?$/i.test(text) ? text.toLowerCase().split("x").map(Number) : [];
  const [height = 0, width = 0, channels = 1] = sides;
  if (height * width * channels > 0 && Number.isSafeInteger(height * width * channels))
    return [height, width, channels];
  throw new InvalidArgumentError("Expected HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS in pixels, such as 28x28 or 32x32x3.");
}

/** A number, or one of these words. */
export const numberOr =
  <W extends string>(words: readonly W[], range: Range) =>
  (text: string): number | W => {
    const word = words.find((candidate) => candidate === text);
    return word ?? number(range)(text);
  };

/** balanced, none, effective:BETA, or LABEL:WEIGHT pairs for 0 (no) and 1 (yes), as in 0:1,1:10. */
export function classWeight(text: string): ClassWeightChoice {
  if (text === "balanced" || text === "none") return text;
  const effective = /^\s*effective\s*:\s*(.+)$/.exec(text);
  if (effective) return { effective: number({ min: 0, below: 1 })(effective[1]) };
  const weights: Partial<Record<0 | 1, number>> = {};
  for (const part of text.split(",")) {
    const match = /^\s*([01])\s*:\s*(.+)$/.exec(part);
    if (!match)
      throw new InvalidArgumentError(
        "Expected balanced, none, effective:0.999, or weights such as 0:1,1:10 (0 is no, 1 is yes).",
      );
    weights[match[1] === "1" ? 1 : 0] = number({ min: 0 })(match[2]);
  }
  return weights;
}
