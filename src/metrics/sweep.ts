import { TilegradError } from "../errors.ts";
import { checkScored, type NumberList, type Numeric } from "./check.ts";
import type { Confusion } from "./confusion.ts";
import { descendingOrder } from "./order.ts";

/**
 * What every threshold would give: one point per distinct score, descending. At `thresholds[k]` the positives found
 * weigh `tps[k]` and the false alarms `fps[k]`. Curves, areas and tuned thresholds all derive from it, so the rows
 * are sorted once.
 */
export interface Sweep {
  readonly thresholds: Float64Array;
  readonly tps: Float64Array;
  readonly fps: Float64Array;
  /** Weight of all positive rows. */
  readonly positives: number;
  /** Weight of all negative rows. */
  readonly negatives: number;
}

/**
 * Sorts the rows by score and accumulates their weights by class. Rows of weight 0 give no point.
 *
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @param sampleWeight [n], >= 0
 * @throws `E_DATA` on lengths that differ, labels other than 0 and 1, non-finite scores, bad weights, no rows
 */
export function sweep(labels: Numeric, given: Numeric, weights?: Numeric, where = "sweep"): Sweep {
  const { y, scores, sampleWeight } = checkScored(where, labels, given, weights);
  return sweepInOrder(descendingOrder(scores), y, scores, sampleWeight);
}

/** `sweep` for checked rows whose descending order is known, as when only the weights change. */
export function sweepInOrder(order: Uint32Array, y: NumberList, scores: NumberList, weight?: NumberList): Sweep {
  const thresholds = new Float64Array(order.length);
  const tps = new Float64Array(order.length);
  const fps = new Float64Array(order.length);
  let last = -1;
  let tp = 0;
  let fp = 0;
  for (let k = 0; k < order.length; k++) {
    const i = order[k];
    const w = weight === undefined ? 1 : weight[i];
    if (w === 0) continue;
    if (last < 0 || scores[i] !== thresholds[last]) thresholds[++last] = scores[i];
    if (y[i] === 1) tp += w;
    else fp += w;
    tps[last] = tp;
    fps[last] = fp;
  }
  const points = last + 1;
  return {
    thresholds: thresholds.subarray(0, points),
    tps: tps.subarray(0, points),
    fps: fps.subarray(0, points),
    positives: tp,
    negatives: fp,
  };
}

/** Both classes are present: ranking measures exist. */
export const hasBothClasses = (s: Sweep): boolean => s.positives > 0 && s.negatives > 0;

/** Throws `E_DATA` unless both classes are present. */
export function requireBothClasses(where: string, s: Sweep): void {
  if (hasBothClasses(s)) return;
  const present = s.positives > 0 ? "positive" : "negative";
  throw new TilegradError("E_DATA", `${where}: all rows are ${present}; expected rows of both classes.`, {
    hint: "Split with stratification, or give more rows.",
  });
}

/** The confusion matrix at point k of a sweep; k = -1: nothing is predicted positive. */
export function confusionAt(s: Sweep, k: number): Confusion {
  const tp = k < 0 ? 0 : s.tps[k];
  const fp = k < 0 ? 0 : s.fps[k];
  return { tn: s.negatives - fp, fp, fn: s.positives - tp, tp };
}
