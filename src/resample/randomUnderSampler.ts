import { draws, shuffleInPlace } from "../random.ts";
import { checked } from "./options.ts";
import type { Labelled, RatioOptions, Resampled, SeedOptions } from "./types.ts";
import { classesOf, keep, RESAMPLE_STREAM, rowsToKeep } from "./types.ts";

export interface RandomUnderSamplerOptions extends RatioOptions, SeedOptions {
  /** Rows may be drawn more than once. Default false. */
  readonly replacement?: boolean;
}

/** All rows of the rarer class and a random part of the other. @throws E_DATA, E_ARGUMENT, E_SHAPE */
export async function randomUnderSampler(data: Labelled, options: RandomUnderSamplerOptions = {}): Promise<Resampled> {
  const classes = classesOf("randomUnderSampler", data);
  const { minority, majority } = classes;
  const { seed = 0, replacement = false } = checked("randomUnderSampler", options);
  const count = rowsToKeep("randomUnderSampler", classes, options);
  const draw = draws(seed, RESAMPLE_STREAM.base);
  const kept = replacement
    ? Uint32Array.from({ length: count }, (_, s) => majority[draw.integer(s, majority.length)])
    : shuffleInPlace(majority.slice(), seed, RESAMPLE_STREAM.base, 0).subarray(0, count);
  return keep(
    classes,
    [...minority, ...kept].sort((a, b) => a - b),
  );
}
