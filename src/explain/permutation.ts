import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { averagePrecision } from "../metrics/areas.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { shuffle } from "../random.ts";
import type { InputGroup } from "./groups.ts";
import { checkGroups } from "./groups.ts";

/** How much worse the model scores without what a group of inputs says. Plain JSON. */
export interface PermutationImportance {
  readonly name: string;
  /** Mean drop of the score over the repeats; around 0 for inputs the model does not use. */
  readonly mean: number;
  /** Deviation of the drops (divided by repeats). */
  readonly std: number;
}

const permutationOptions = {
  /** Shuffles of each group, default 5. */
  repeats: is.positiveInteger,
  /** Any safe integer; default 0. */
  seed: is.number,
  /** What is measured, larger being better; default PR-AUC (average precision). */
  score: is.callable as Kind<(y: ArrayLike<number>, scores: ArrayLike<number>) => number | null>,
};

export interface PermutationOptions extends OptionsOf<typeof permutationOptions> {}

/** The random stream of the shuffles; the step counts them. */
const STREAM = 0x7065726d; // "perm"

/**
 * Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019): one group of inputs at a time is shuffled among
 * the rows, and the drop of the score measured. Of columns that say the same, each may look unimportant.
 *
 * @param predict scores of rows, such as `(x) => trainer.predict(x)`
 * @param x [rows, inputs], row-major, best rows the model was not trained on
 * @param y [rows], 0 or 1
 * @returns one entry per group, in their order
 * @throws E_ARGUMENT for repeats that are no positive integer; E_DATA when one class is absent
 */
export async function permutationImportance(
  predict: (x: Float32Array) => Promise<ArrayLike<number>>,
  x: Float32Array,
  y: ArrayLike<number>,
  groups: readonly InputGroup[],
  options: PermutationOptions = {},
): Promise<PermutationImportance[]> {
  const where = "permutationImportance";
  checkValue(where, "predict", predict, is.callable);
  checkValue(where, "x", x, is.values);
  checkValue(where, "y", y, is.values);
  checkGroups(where, groups);
  const { repeats = 5, seed = 0, score = averagePrecision } = checkOptions(where, options, permutationOptions);
  const whole = score(y, await predict(x));
  if (whole === null) {
    throw new TilegradError("E_DATA", "permutationImportance: all rows are of one class.", {
      hint: "Use rows of both classes.",
    });
  }
  const found: PermutationImportance[] = [];
  const shuffled = x.slice();
  const width = x.length / y.length;
  for (const [g, { name, inputs }] of groups.entries()) {
    const drops: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      copyInputs(shuffled, x, inputs, width, shuffle(y.length, seed, STREAM, g * repeats + repeat));
      drops.push(whole - (score(y, await predict(shuffled)) as number));
    }
    copyInputs(shuffled, x, inputs, width);
    const mean = drops.reduce((sum, drop) => sum + drop, 0) / repeats;
    const std = Math.sqrt(drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0) / repeats);
    found.push({ name, mean, std });
  }
  return found;
}

/** Row r of the inputs from row order[r] of x, or from its own. */
function copyInputs(
  to: Float32Array,
  x: Float32Array,
  inputs: readonly number[],
  width: number,
  order?: Uint32Array,
): void {
  for (let row = 0; row < x.length / width; row++) {
    const from = order ? order[row] : row;
    for (const input of inputs) to[row * width + input] = x[from * width + input];
  }
}
