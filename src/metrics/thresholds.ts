import { checkOptions } from "../options.ts";
import { checkScored, type NumberList, type Numeric } from "./check.ts";
import {
  accuracy,
  balancedAccuracy,
  type Confusion,
  countConfusion,
  f1,
  fBeta,
  kappa,
  mcc,
  measures,
  precision,
  recall,
  youden,
} from "./confusion.ts";
import type { CostOptions } from "./costs.ts";
import { costCurve, costOptions } from "./costs.ts";
import { cutoffsOf } from "./cutoff.ts";
import { descendingOrder } from "./order.ts";
import { confusionAt, requireBothClasses, type Sweep, sweep } from "./sweep.ts";
import { checkThresholdRule, type Objective, type ThresholdRule } from "./thresholdRule.ts";

/** A threshold that predicts nothing positive: the largest finite number, since JSON has no Infinity. */
export const NOTHING_POSITIVE = Number.MAX_VALUE;

/** A chosen threshold. Plain JSON. */
export interface TunedThreshold {
  /** Predict positive when score >= threshold, both in the precision of the scores. */
  readonly threshold: number;
  /**
   * What the rule maximized or minimized, on the rows it was tuned on (for `alertsPerThousand` the recall; for
   * `fixed` and `quantile` the share of rows predicted positive).
   */
  readonly value: number;
  /** false when no threshold reaches the floor on precision: the one of the highest precision is then given. */
  readonly attained: boolean;
  readonly rule: ThresholdRule;
}

/**
 * Chooses a threshold on validation rows (never on test rows).
 *
 * The best distinct score is found, then the threshold is put halfway to the next lower one: the predictions on these
 * rows are the same, and a rounding difference between devices does not flip the row at the edge. Of equally good
 * thresholds the highest is taken; under a floor on recall, the one of the highest recall.
 *
 * @param y labels 0 or 1, [n]
 * @param scores finite, [n]
 * @throws `E_ARGUMENT` on a bad rule; `E_DATA` on bad rows, and where the rule needs both classes and one is absent
 */
export function tuneThreshold(
  labels: Numeric,
  given: Numeric,
  rule: ThresholdRule,
  options: CostOptions = {},
): TunedThreshold {
  checkOptions("tuneThreshold", options, costOptions);
  checkThresholdRule(rule);
  const { y, scores, sampleWeight } = checkScored("tuneThreshold", labels, given, options.sampleWeight);
  if ("fixed" in rule) {
    const c = countConfusion(y, scores, rule.fixed, sampleWeight);
    return { threshold: rule.fixed, value: measures(c).alertRate, attained: true, rule };
  }
  if ("minimizeCost" in rule) {
    const { threshold, cost } = costCurve(y, scores, rule.minimizeCost, options);
    const { k } = best(cost.length - 1, (point) => -cost[point + 1]);
    return { threshold: below(scores, threshold[k + 1]), value: cost[k + 1], attained: true, rule };
  }
  const s = sweep(y, scores, sampleWeight, "tuneThreshold");
  const { k, value, attained = true } = choose(s, rule);
  return { threshold: below(scores, k < 0 ? Infinity : s.thresholds[k]), value, attained, rule };
}

type SweptRule = Exclude<ThresholdRule, { fixed: number } | { minimizeCost: unknown }>;
/** Point k of the sweep (-1: nothing is positive) and the value of the rule there. */
type Choice = { k: number; value: number; attained?: boolean };

function choose(s: Sweep, rule: SweptRule): Choice {
  const points = s.thresholds.length;
  const total = s.positives + s.negatives;
  if ("quantile" in rule) {
    let k = points - 1;
    const above = (point: number) => (point < 0 ? 0 : s.tps[point] + s.fps[point]);
    while (k > 0 && (total - above(k - 1)) / total < rule.quantile) k--;
    return { k, value: above(k) / total };
  }
  requireBothClasses("tuneThreshold", s);
  if ("alertsPerThousand" in rule) {
    let k = -1;
    while (k + 1 < points && 1000 * (s.tps[k + 1] + s.fps[k + 1]) <= rule.alertsPerThousand * total) k++;
    return { k, value: confusionRecall(s, k) };
  }
  if ("recallAtLeast" in rule) {
    // From the lowest threshold up, so that of equal precisions the one of higher recall stays.
    const reversed = best(points, (j) => {
      if (j < 0 || confusionRecall(s, points - 1 - j) < rule.recallAtLeast) return -Infinity;
      return precision(confusionAt(s, points - 1 - j));
    });
    return { k: points - 1 - reversed.k, value: reversed.value };
  }
  if ("precisionAtLeast" in rule) {
    const within = best(points, (k) => {
      const c = confusionAt(s, k);
      return precision(c) >= rule.precisionAtLeast ? recall(c) : -Infinity;
    });
    if (within.value >= 0) return within;
    const nearest = best(points, (k) => precision(confusionAt(s, k)));
    return { k: nearest.k, value: confusionRecall(s, nearest.k), attained: false };
  }
  const objective = rule.maximize === "fBeta" ? (c: Confusion) => fBeta(c, rule.beta) : objectives[rule.maximize];
  return best(points, (k) => objective(confusionAt(s, k)));
}

const objectives: Readonly<Record<Objective, (c: Confusion) => number>> = {
  accuracy,
  balancedAccuracy,
  f1,
  kappa,
  mcc,
  youden,
};

const confusionRecall = (s: Sweep, k: number): number => recall(confusionAt(s, k));

/** The first point in 0..points-1 of the highest value, or -1 where that is strictly better. NaN (0/0) counts as 0. */
function best(points: number, valueAt: (k: number) => number): { k: number; value: number } {
  let k = -1;
  let value = -Infinity;
  for (let point = 0; point < points; point++) {
    const here = valueAt(point) || 0;
    if (here > value) {
      k = point;
      value = here;
    }
  }
  const nothing = valueAt(-1) || 0;
  return nothing > value ? { k: -1, value: nothing } : { k, value };
}

/**
 * The threshold of scores that take the place of others: the same where it says yes to as large a share of them, else halfway
 * between the two scores that this share lies between. So where a network is trained anew, and its scores are spread in
 * another way, it gives as many alerts as the one for which the threshold was chosen.
 * @param before finite, [n], n > 0
 * @param after finite, [m], m > 0, of rows that its network knows as well as the other did those of `before`
 */
export function carryThreshold(threshold: number, before: NumberList, after: NumberList): number {
  const yes = (list: NumberList, from: number): number => {
    const cutoff = cutoffsOf(list)(from);
    let n = 0;
    for (let i = 0; i < list.length; i++) if (list[i] >= cutoff) n++;
    return n;
  };
  const alerts = Math.round((yes(before, threshold) / before.length) * after.length);
  if (yes(after, threshold) === alerts) return threshold;
  return below(after, alerts === 0 ? Infinity : after[descendingOrder(after)[alerts - 1]]);
}

/**
 * A number in (next lower score, score], halfway and exact in float32 where one exists, so that a device that compares
 * in float32 decides alike. Scores of rows of weight 0 count: they are no points, but must keep their predictions too.
 */
function below(scores: NumberList, score: number): number {
  if (score === Infinity) return NOTHING_POSITIVE;
  let lower = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i] < score && scores[i] > lower) lower = scores[i];
  const middle = lower + (score - lower) / 2;
  const cutoffOf = cutoffsOf(scores);
  return [Math.fround(middle), middle].find((t) => cutoffOf(t) > lower && cutoffOf(t) <= score) ?? score;
}
