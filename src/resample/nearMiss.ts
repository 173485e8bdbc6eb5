import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler, deviceOptions, ratioOptions } from "./define.ts";
import { nearestNeighbors } from "./neighbors.ts";
import type { Classes, Resampled } from "./types.ts";
import { checkNeighbors, keep, rowsToKeep, take } from "./types.ts";

const nearMissOptions = () => ({
  ...deviceOptions(),
  ...ratioOptions(),
  /** Default 1. */
  version: { expected: "1, 2 or 3", holds: (v) => v === 1 || v === 2 || v === 3 } as Kind<1 | 2 | 3>,
  /** Rows of the rarer class that distances are averaged over; default 3. */
  nNeighbors: is.positiveInteger,
  /** Version 3: rows of the other class that stay for each row of the rarer one; default 3. */
  nNeighborsVer3: is.positiveInteger,
});

export interface NearMissOptions extends OptionsOf<typeof nearMissOptions> {}

/**
 * Keeps the rows of the more frequent class that are nearest to the rarer one: by the mean distance to its `nNeighbors`
 * nearest (version 1) or farthest rows (2); or (3), of those among the `nNeighborsVer3` nearest of any rarer row, the ones
 * of the largest mean distance to their `nNeighbors` nearest (Zhang & Mani 2003). @throws E_DATA, E_ARGUMENT, E_SHAPE
 */
export const nearMiss = /* @__PURE__ */ defineResampler(
  "nearMiss",
  nearMissOptions,
  async (classes, options: NearMissOptions) => {
    const { device, version = 1, nNeighbors: k = 3, nNeighborsVer3: perRow = 3 } = options;
    checkNeighbors("nearMiss", "nNeighbors", k, classes.minority.length, { self: false });
    const count = rowsToKeep("nearMiss", classes, options);
    const distance = async (rows: Uint32Array, farthest: boolean) => {
      const { distances } = await nearestNeighbors(device, take(classes, rows), take(classes, classes.minority), k, {
        farthest,
      });
      return Float64Array.from(rows, (_, i) => {
        let sum = 0;
        for (let j = i * k; j < (i + 1) * k; j++) sum += Math.sqrt(distances[j]);
        return sum / k;
      });
    };
    switch (version) {
      case 1:
        return chosen(classes, classes.majority, await distance(classes.majority, false), count);
      case 2:
        return chosen(classes, classes.majority, await distance(classes.majority, true), count);
      case 3: {
        const others = take(classes, classes.majority);
        checkNeighbors("nearMiss", "nNeighborsVer3", perRow, others.rows, { what: "of the other class", self: false });
        const { indices } = await nearestNeighbors(device, take(classes, classes.minority), others, perRow);
        const kept = Uint32Array.from(new Set(indices), (i) => classes.majority[i]).sort();
        const far = (await distance(kept, false)).map((d) => -d);
        return chosen(classes, kept, far, count);
      }
      default:
        throw version satisfies never;
    }
  },
);

/** The rarer class, and the `count` rows of the least value; of equal values the lower row. */
function chosen(classes: Classes, rows: Uint32Array, value: Float64Array, count: number): Resampled {
  const order = Array.from(rows.keys()).sort((a, b) => value[a] - value[b] || a - b);
  const kept = order.slice(0, count).map((i) => rows[i]);
  return keep(
    classes,
    [...classes.minority, ...kept].sort((a, b) => a - b),
  );
}
