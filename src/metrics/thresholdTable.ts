import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import type { NumberList, Numeric } from "./check.ts";
import { type Confusion, measures } from "./confusion.ts";
import { costCurve, costOptions } from "./costs.ts";
import { cutoffsOf } from "./cutoff.ts";
import { confusionAt, sweep } from "./sweep.ts";
import type { CostMatrix } from "./thresholdRule.ts";

/** What one threshold would mean in practice. */
export interface ThresholdRow {
  readonly threshold: number;
  readonly confusion: Confusion;
  /** Rows predicted positive, by weight. */
  readonly alerts: number;
  readonly alertRate: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Total cost; null when no costs are given. */
  readonly cost: number | null;
}

const thresholdTableOptions = {
  ...costOptions,
  /** Default 0.05, 0.10, ..., 0.95. */
  thresholds: is.values as Kind<NumberList>,
  /** Of the four outcomes of a row; default: no cost is told. */
  costs: is.object as Kind<CostMatrix>,
};

export interface ThresholdTableOptions extends OptionsOf<typeof thresholdTableOptions> {}

/**
 * Precision, recall, F1, alerts and cost at each threshold, in the order given.
 *
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @throws `E_DATA` on bad rows or amounts, `E_ARGUMENT` on bad costs or missing amounts
 */
export function thresholdTable(y: Numeric, scores: Numeric, options: ThresholdTableOptions = {}): ThresholdRow[] {
  const {
    thresholds = Array.from({ length: 19 }, (_, i) => (i + 1) / 20),
    costs,
    amounts,
    sampleWeight,
  } = checkOptions("thresholdTable", options, thresholdTableOptions);
  const s = sweep(y, scores, sampleWeight, "thresholdTable");
  const cost = costs && costCurve(y, scores, costs, { amounts, sampleWeight }).cost;
  const cutoffOf = cutoffsOf(s.thresholds);
  return Array.from(thresholds, (threshold) => {
    const k = lastAtLeast(s.thresholds, cutoffOf(threshold));
    const confusion = confusionAt(s, k);
    const { alertRate, precision, recall, f1 } = measures(confusion);
    const alerts = confusion.tp + confusion.fp;
    return { threshold, confusion, alerts, alertRate, precision, recall, f1, cost: cost ? cost[k + 1] : null };
  });
}

/** The last index of a descending list whose value is at least `bound`, or -1. */
function lastAtLeast(descending: Float64Array, bound: number): number {
  let [from, to] = [0, descending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (descending[middle] >= bound) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}
