import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler, deviceOptions, randomOptions } from "./define.ts";
import { interpolate } from "./interpolate.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { append, checkNeighbors, rowsToAdd, take } from "./types.ts";

export const smoteOptions = () => ({
  ...deviceOptions(),
  ...randomOptions(),
  /** Neighbours of the same class that a row is joined with; default 5. */
  kNeighbors: is.positiveInteger,
});

export interface SmoteOptions extends OptionsOf<typeof smoteOptions> {}

/**
 * Synthetic rows of the rarer class, each at a random place between one of its rows and one of that row's `kNeighbors`
 * nearest rows of the same class: SMOTE (Chawla, Bowyer, Hall & Kegelmeyer 2002). Standardise the columns first.
 * @throws E_DATA when the class has no more than `kNeighbors` rows, or the ratio is reached already; E_ARGUMENT, E_SHAPE
 */
export const smote = /* @__PURE__ */ defineResampler("smote", smoteOptions, async (classes, options: SmoteOptions) => {
  const { device, kNeighbors: k = 5, seed = 0 } = options;
  checkNeighbors("smote", "kNeighbors", k, classes.minority.length);
  const count = rowsToAdd("smote", classes, options);
  const rows = take(classes, classes.minority);
  const { indices } = await nearestNeighbors(device, rows, rows, k, { excludeSelf: true });
  return append(classes, interpolate({ from: rows, to: rows, neighbors: indices, k }, count, seed), count);
});
