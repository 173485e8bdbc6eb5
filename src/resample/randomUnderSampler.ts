import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { draws, shuffleInPlace } from "../random.ts";
import { defineResampler, randomOptions } from "./define.ts";
import { keep, RESAMPLE_STREAM, rowsToKeep } from "./types.ts";

const randomUnderSamplerOptions = () => ({
  ...randomOptions(),
  /** Rows may be drawn more than once. Default false. */
  replacement: is.boolean,
});

export interface RandomUnderSamplerOptions extends OptionsOf<typeof randomUnderSamplerOptions> {}

/** All rows of the rarer class and a random part of the other. @throws E_DATA, E_ARGUMENT, E_SHAPE */
export const randomUnderSampler = /* @__PURE__ */ defineResampler(
  "randomUnderSampler",
  randomUnderSamplerOptions,
  async (classes, options: RandomUnderSamplerOptions) => {
    const { minority, majority } = classes;
    const { seed = 0, replacement = false } = options;
    const count = rowsToKeep("randomUnderSampler", classes, options);
    const draw = draws(seed, RESAMPLE_STREAM.base);
    const kept = replacement
      ? Uint32Array.from({ length: count }, (_, s) => majority[draw.integer(s, majority.length)])
      : shuffleInPlace(majority.slice(), seed, RESAMPLE_STREAM.base, 0).subarray(0, count);
    return keep(
      classes,
      [...minority, ...kept].sort((a, b) => a - b),
    );
  },
);
