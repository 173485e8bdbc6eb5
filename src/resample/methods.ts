/** All methods by name: for those who let their users choose. */
import type { Device } from "../device.ts";
import { adasyn } from "./adasyn.ts";
import { borderlineSmote } from "./borderlineSmote.ts";
import { editedNearestNeighbours } from "./editedNearestNeighbours.ts";
import { kMeansSmote } from "./kMeansSmote.ts";
import { nearMiss } from "./nearMiss.ts";
import { randomOverSampler } from "./randomOverSampler.ts";
import { randomUnderSampler } from "./randomUnderSampler.ts";
import { smote } from "./smote.ts";
import { smoteEnn } from "./smoteEnn.ts";
import { smoteNC } from "./smoteNC.ts";
import { smoteTomek } from "./smoteTomek.ts";
import { tomekLinks } from "./tomekLinks.ts";
import type { NumericRows, Resampled } from "./types.ts";

export const resamplers = {
  randomOverSampler,
  randomUnderSampler,
  smote,
  smoteNC,
  borderlineSmote,
  kMeansSmote,
  adasyn,
  tomekLinks,
  editedNearestNeighbours,
  smoteTomek,
  smoteEnn,
  nearMiss,
};

export type ResamplerName = keyof typeof resamplers;

/** What some methods need and others do not have. */
export interface Surroundings {
  readonly device: Device;
  readonly seed?: number;
  readonly categoricalFeatures?: readonly (number | readonly number[])[];
}

/** @param options of this method @throws as the method */
export function resample(
  name: ResamplerName,
  data: NumericRows,
  surroundings: Surroundings,
  options: object = {},
): Promise<Resampled> {
  const known = resamplers[name].options();
  const needed = Object.entries(surroundings).filter(([option]) => Object.hasOwn(known, option));
  return resamplers[name](data, { ...Object.fromEntries(needed), ...options } as never);
}
