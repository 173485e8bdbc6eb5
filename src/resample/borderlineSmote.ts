import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler } from "./define.ts";
import { interpolate } from "./interpolate.ts";
import type { FeatureRows } from "./neighbors.ts";
import { nearestNeighbors } from "./neighbors.ts";
import type { SmoteOptions } from "./smote.ts";
import { smoteOptions } from "./smote.ts";
import type { Classes } from "./types.ts";
import { append, checkNeighbors, rowsToAdd, take } from "./types.ts";

const borderlineSmoteOptions = () => ({
  ...smoteOptions(),
  /** Neighbours among all rows that tell whether a row is in danger; default 10. */
  mNeighbors: is.positiveInteger,
  /** Default borderline-1. */
  kind: is.oneOf("borderline-1", "borderline-2"),
});

export interface BorderlineSmoteOptions extends OptionsOf<typeof borderlineSmoteOptions> {}

/** Rows of the rarer class by their neighbours: of the other class are fewer than half, half or more, or all. */
export interface Border {
  readonly safe: Uint32Array;
  readonly danger: Uint32Array;
  readonly noise: Uint32Array;
}

/**
 * SMOTE from rows in danger only: those of whose `mNeighbors` nearest rows half or more, but not all, are of the other
 * class. borderline-1 joins them with rows of their own class; borderline-2 makes every other sample towards one of the
 * nearest rows of the other class, less than half the way (Han, Wang & Mao 2005). Without a row in danger nothing is made.
 * @throws E_DATA, E_ARGUMENT, E_SHAPE
 */
export const borderlineSmote = /* @__PURE__ */ defineResampler(
  "borderlineSmote",
  borderlineSmoteOptions,
  async (classes, options: BorderlineSmoteOptions) => {
    const { device, kNeighbors: k = 5, mNeighbors: m = 10, kind = "borderline-1", seed = 0 } = options;
    checkNeighbors("borderlineSmote", "kNeighbors", k, classes.minority.length);
    checkNeighbors("borderlineSmote", "mNeighbors", m, classes.rows, { what: "in all" });
    const count = rowsToAdd("borderlineSmote", classes, options);
    const { danger } = await borderOf(classes, m, options);
    if (danger.length === 0) return append(classes, new Float32Array(0), 0);
    const from = take(classes, danger);
    const own = take(classes, classes.minority);
    // Bases are rows in danger: their own place among the rows of their class is left out of the neighbours.
    const place = new Map(Array.from(classes.minority, (row, i) => [row, i]));
    const among = await nearestNeighbors(device, own, own, k, { excludeSelf: true });
    const neighbors = Uint32Array.from({ length: danger.length * k }, (_, i) => {
      return among.indices[(place.get(danger[Math.floor(i / k)]) as number) * k + (i % k)];
    });
    const near = { from, to: own, neighbors, k };
    if (kind === "borderline-1") return append(classes, interpolate(near, count, seed), count);
    const inward = Math.ceil(count / 2);
    const outward = await towardsOthers(classes, from, options, k);
    const made = new Float32Array(count * classes.columns);
    made.set(interpolate(near, inward, seed));
    made.set(interpolate({ ...outward, reach: 0.5 }, count - inward, seed, 1), inward * classes.columns);
    return append(classes, made, count);
  },
);

async function towardsOthers(
  classes: Classes,
  from: FeatureRows,
  { device }: BorderlineSmoteOptions,
  kNeighbors: number,
) {
  const to = take(classes, classes.majority);
  const k = Math.min(kNeighbors, to.rows);
  return { from, to, k, neighbors: (await nearestNeighbors(device, from, to, k)).indices };
}

/** Which rows of the rarer class are safe, in danger, or noise, by their m nearest rows. */
export async function borderOf(classes: Classes, m: number, { device }: Pick<SmoteOptions, "device">): Promise<Border> {
  const others = await othersAmong(classes, m, device);
  const where = (test: (c: number) => boolean) => classes.minority.filter((_, i) => test(others[i]));
  return {
    safe: where((c) => c < m / 2),
    danger: where((c) => c >= m / 2 && c < m),
    noise: where((c) => c === m),
  };
}

/** For each row of the rarer class, how many of its m nearest rows are of the other. */
export async function othersAmong(classes: Classes, m: number, device: SmoteOptions["device"]): Promise<Uint32Array> {
  const { minority, y, rare } = classes;
  // A row is its own nearest, but for equal rows above it: it is found among one more, and left out.
  const { indices } = await nearestNeighbors(device, take(classes, minority), classes, m + 1);
  return Uint32Array.from(minority, (row, i) => {
    const found = indices.subarray(i * (m + 1), (i + 1) * (m + 1));
    const others = found.includes(row) ? found.filter((j) => j !== row) : found.subarray(0, m);
    return others.filter((j) => y[j] !== rare).length;
  });
}
