import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { defineResampler } from "./define.ts";
import { interpolate } from "./interpolate.ts";
import { kMeans } from "./kMeans.ts";
import type { FeatureRows } from "./neighbors.ts";
import { nearestNeighbors } from "./neighbors.ts";
import { smoteOptions } from "./smote.ts";
import { append, checkNeighbors, rowsToAdd, take } from "./types.ts";

const orAuto = ({ expected, holds }: Kind<number>): Kind<number | "auto"> => ({
  expected: `"auto" or ${expected}`,
  holds: (v) => v === "auto" || holds(v),
  words: ["auto"],
});

const kMeansSmoteOptions = () => ({
  ...smoteOptions(),
  /** Within a cluster; default 2. */
  kNeighbors: is.positiveInteger,
  /** Clusters of all rows; default 8. */
  nClusters: is.positiveInteger,
  /**
   * Share of the rarer class from which on a cluster gets samples, in [0, 1]; default "auto": its share of all rows
   * (imbalanced-learn's is one half, which no cluster has where the classes overlap).
   */
  clusterBalanceThreshold: orAuto(is.share),
  /** Power of the mean distance in a cluster's sparsity, at least 0; default "auto": by its rows. */
  densityExponent: orAuto(is.nonNegativeFinite),
});

export interface KMeansSmoteOptions extends OptionsOf<typeof kMeansSmoteOptions> {}

/** Rows of a cluster that its mean distance is taken of: their pairs would be too many. */
const DENSITY_ROWS = 1000;

/**
 * SMOTE within clusters of all rows where the rarer class is frequent enough; the sparser its rows are in a cluster, the
 * more samples it gets (Douzas, Bacao & Last 2018).
 * @throws E_DATA when no cluster is fit; E_DATA, E_ARGUMENT, E_SHAPE as `smote`
 */
export const kMeansSmote = /* @__PURE__ */ defineResampler(
  "kMeansSmote",
  kMeansSmoteOptions,
  async (classes, options: KMeansSmoteOptions) => {
    const {
      device,
      kNeighbors: k = 2,
      seed = 0,
      nClusters = 8,
      clusterBalanceThreshold: balance = "auto",
      densityExponent: exponent = "auto",
    } = options;
    checkNeighbors("kMeansSmote", "kNeighbors", k, classes.minority.length);
    const count = rowsToAdd("kMeansSmote", classes, options);
    const threshold = balance === "auto" ? classes.minority.length / classes.rows : balance;
    const label = kMeans(classes, nClusters, seed);
    const all = new Float64Array(Math.min(nClusters, classes.rows));
    for (const cluster of label) all[cluster]++;
    const clusters = Array.from(all.keys())
      .map((cluster) => ({ cluster, rows: classes.minority.filter((row) => label[row] === cluster) }))
      .filter(({ cluster, rows }) => rows.length > k && rows.length / all[cluster] >= threshold)
      .map(({ rows }) => take(classes, rows));
    if (clusters.length === 0) {
      throw new TilegradError(
        "E_DATA",
        `kMeansSmote: in none of ${nClusters} clusters are more than ${k} rows of the rarer class and a share of ${threshold.toPrecision(3)}.`,
        { hint: "Lower clusterBalanceThreshold, or try more or fewer nClusters." },
      );
    }
    const counts = share(
      clusters.map((rows) => logSparsity(rows, exponent)),
      count,
    );
    const made = new Float32Array(count * classes.columns);
    let at = 0;
    for (const [step, rows] of clusters.entries()) {
      const { indices } = await nearestNeighbors(device, rows, rows, k, { excludeSelf: true });
      made.set(interpolate({ from: rows, to: rows, neighbors: indices, k }, counts[step], seed, step), at);
      at += counts[step] * classes.columns;
    }
    return append(classes, made, count);
  },
);

/** The logarithm of mean distance^exponent / rows; equal rows are as dense as can be. */
function logSparsity({ data, rows, columns }: FeatureRows, densityExponent: number | "auto"): number {
  // imbalanced-learn's rule of thumb.
  const exponent = densityExponent === "auto" ? (Math.log(rows) / Math.log(1.6)) ** 1.8 * 0.16 : densityExponent;
  const stride = Math.ceil(rows / DENSITY_ROWS);
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < rows; i += stride) {
    for (let j = 0; j < i; j += stride) {
      let squared = 0;
      for (let c = 0; c < columns; c++) squared += (data[i * columns + c] - data[j * columns + c]) ** 2;
      sum += Math.sqrt(squared);
      pairs++;
    }
  }
  return exponent * Math.log(Math.max(sum / pairs, 1e-30)) - Math.log(rows);
}

/** `count` in proportion to e^log, whole numbers: the rest to the largest remainders, the first of equals. */
function share(logs: readonly number[], count: number): number[] {
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const total = weights.reduce((a, b) => a + b, 0);
  const exact = weights.map((weight) => (weight / total) * count);
  const counts = exact.map(Math.floor);
  const order = exact.map((_, i) => i).sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]) || a - b);
  const rest = count - counts.reduce((a, b) => a + b, 0);
  for (const i of order.slice(0, rest)) counts[i]++;
  return counts;
}
