import { interpolate } from "./interpolate.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { checked } from "./options.ts";
import type { DeviceOptions, Labelled, RatioOptions, Resampled, SeedOptions } from "./types.ts";
import { append, checkNeighbors, classesOf, rowsToAdd, take } from "./types.ts";

export interface SmoteOptions extends DeviceOptions, RatioOptions, SeedOptions {
  /** Neighbours of the same class that a row is joined with; default 5. */
  readonly kNeighbors?: number;
}

/**
 * Synthetic rows of the rarer class, each at a random place between one of its rows and one of that row's `kNeighbors`
 * nearest rows of the same class: SMOTE (Chawla, Bowyer, Hall & Kegelmeyer 2002). Standardise the columns first.
 * @throws E_DATA when the class has no more than `kNeighbors` rows, or the ratio is reached already; E_ARGUMENT, E_SHAPE
 */
export async function smote(data: Labelled, options: SmoteOptions): Promise<Resampled> {
  const classes = classesOf("smote", data);
  const { device, kNeighbors: k = 5, seed = 0 } = checked("smote", options);
  checkNeighbors("smote", "kNeighbors", k, classes.minority.length);
  const count = rowsToAdd("smote", classes, options);
  const rows = take(classes, classes.minority);
  const { indices } = await nearestNeighbors(device, rows, rows, k, { excludeSelf: true });
  return append(classes, interpolate({ from: rows, to: rows, neighbors: indices, k }, count, seed), count);
}
