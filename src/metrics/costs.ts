import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { numbersOf } from "../values.ts";
import { checkScored, type NumberList, type Numeric } from "./check.ts";
import { descendingOrder } from "./order.ts";
import { hasBothClasses, sweep, sweepInOrder } from "./sweep.ts";
import { type CostMatrix, checkThresholdRule } from "./thresholdRule.ts";

/** Total cost by descending threshold; the first point, at Infinity, predicts nothing positive. */
export interface CostCurve {
  readonly threshold: Float64Array;
  readonly cost: Float64Array;
}

/** Of what is computed from costs. */
export const costOptions = {
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
  /** [n], needed when a cost is "amount". */
  amounts: is.values as Kind<Numeric>,
};

export interface CostOptions extends OptionsOf<typeof costOptions> {}

/**
 * Total cost of each threshold, one point per distinct score. Costs that are "amount" take the row's own.
 *
 * @throws `E_DATA` on bad rows or amounts, `E_ARGUMENT` on bad costs or missing amounts
 */
export function costCurve(labels: Numeric, given: Numeric, costs: CostMatrix, options: CostOptions = {}): CostCurve {
  checkOptions("costCurve", options, costOptions);
  const { y, scores, sampleWeight } = checkScored("costCurve", labels, given, options.sampleWeight);
  const amounts = options.amounts && numbersOf("costCurve", "amounts", options.amounts);
  checkThresholdRule({ minimizeCost: costs }, "costCurve");
  const order = descendingOrder(scores);
  // A row alerted on adds (fp - tn) or (tp - fn) to the cost of alerting on nothing.
  const rowCost = rowCosts(y, costs, amounts);
  let total = 0;
  for (let i = 0; i < y.length; i++) total += (sampleWeight ? sampleWeight[i] : 1) * rowCost(i, false);
  const points = sweepInOrder(order, y, scores, sampleWeight);
  const threshold = new Float64Array(points.thresholds.length + 1);
  const cost = new Float64Array(points.thresholds.length + 1);
  threshold[0] = Infinity;
  threshold.set(points.thresholds, 1);
  cost[0] = total;
  for (let k = 0, point = 0; k < order.length; k++) {
    const i = order[k];
    const w = sampleWeight ? sampleWeight[i] : 1;
    if (w === 0) continue;
    if (point === 0 || scores[i] !== threshold[point]) point++;
    total += w * (rowCost(i, true) - rowCost(i, false));
    cost[point] = total;
  }
  return { threshold, cost };
}

function rowCosts(y: NumberList, costs: CostMatrix, amounts: NumberList | undefined) {
  const { tn = 0, fp = 0, fn = 0, tp = 0 } = costs;
  if ([tn, fp, fn, tp].includes("amount")) checkAmounts(y.length, amounts);
  return (row: number, alert: boolean): number => {
    const cost = y[row] === 1 ? (alert ? tp : fn) : alert ? fp : tn;
    return cost === "amount" ? (amounts as NumberList)[row] : cost;
  };
}

function checkAmounts(rows: number, amounts: NumberList | undefined): void {
  if (amounts === undefined || amounts.length !== rows) {
    const got = amounts === undefined ? "no amounts" : `${amounts.length} amounts`;
    throw new TilegradError("E_ARGUMENT", `cost "amount": got ${got}; expected one for each of ${rows} rows.`, {
      hint: "Pass { amounts } beside the scores, in the order of the labels.",
    });
  }
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(amounts[i])) {
      throw new TilegradError(
        "E_DATA",
        `cost "amount": amount of row ${i} is ${amounts[i]}; expected a finite number.`,
        { hint: "Fill missing amounts, for example with the column's median." },
      );
    }
  }
}

/** Of an envelope. */
const POINTS = 101;

/**
 * The lower envelope of cost curves (Drummond & Holte 2006): the least normalized expected cost
 * fnr·x + fpr·(1 - x) over all thresholds, for each probability cost x = P(+)C(fn) / (P(+)C(fn) + P(-)C(fp)).
 * `trivial` is min(x, 1 - x): always or never alerting. null when one class is absent.
 */
export function costEnvelope(
  y: NumberList,
  scores: NumberList,
  sampleWeight?: Numeric,
): { probabilityCost: Float64Array; cost: Float64Array; trivial: Float64Array } | null {
  const s = sweep(y, scores, sampleWeight, "costEnvelope");
  if (!hasBothClasses(s)) return null;
  const probabilityCost = Float64Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1));
  const trivial = probabilityCost.map((x) => Math.min(x, 1 - x));
  const cost = probabilityCost.map((x) => {
    let least = x; // nothing positive: fnr 1, fpr 0
    for (let k = 0; k < s.tps.length; k++) {
      const expected = (1 - s.tps[k] / s.positives) * x + (s.fps[k] / s.negatives) * (1 - x);
      if (expected < least) least = expected;
    }
    return least;
  });
  return { probabilityCost, cost, trivial };
}
