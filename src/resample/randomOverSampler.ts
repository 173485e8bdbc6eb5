import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { draws } from "../random.ts";
import { columnStd } from "./columns.ts";
import { defineResampler, randomOptions } from "./define.ts";
import { append, RESAMPLE_STREAM, rowsToAdd, take } from "./types.ts";

const randomOverSamplerOptions = () => ({
  ...randomOptions(),
  /** Gaussian noise on the drawn rows, in units of Silverman's bandwidth: a smoothed bootstrap. Default 0: exact copies. */
  shrinkage: is.nonNegativeFinite,
});

export interface RandomOverSamplerOptions extends OptionsOf<typeof randomOverSamplerOptions> {}

/**
 * Rows of the rarer class drawn with replacement, until the ratio is reached. With `shrinkage` they get noise of standard
 * deviation shrinkage * (4 / ((d + 2) n))^(1 / (d + 4)) * std of the column (ROSE: Menardi & Torelli 2014).
 * @throws E_DATA, E_ARGUMENT, E_SHAPE
 */
export const randomOverSampler = /* @__PURE__ */ defineResampler(
  "randomOverSampler",
  randomOverSamplerOptions,
  async (classes, options: RandomOverSamplerOptions) => {
    const { shrinkage = 0, seed = 0 } = options;
    const { minority, columns } = classes;
    const count = rowsToAdd("randomOverSampler", classes, options);
    const draw = draws(seed, RESAMPLE_STREAM.base);
    const source = Int32Array.from({ length: count }, (_, s) => minority[draw.integer(s, minority.length)]);
    const made = take(classes, source).data;
    if (shrinkage === 0) return append(classes, made, count, source);
    const bandwidth = (4 / ((columns + 2) * minority.length)) ** (1 / (columns + 4));
    const scale = columnStd(take(classes, minority)).map((std) => shrinkage * bandwidth * std);
    const noise = draws(seed, RESAMPLE_STREAM.noise);
    for (let i = 0; i < made.length; i++) made[i] += scale[i % columns] * noise.normal(i);
    return append(classes, made, count);
  },
);
