import type { Numeric } from "./check.ts";
import { hasBothClasses, type Sweep, sweep } from "./sweep.ts";

/** Points by descending threshold; the first, at Infinity, predicts nothing positive. */
export interface RocCurve {
  readonly fpr: Float64Array;
  readonly tpr: Float64Array;
  readonly threshold: Float64Array;
}

/** Points by ascending threshold, then one more (precision 1, recall 0) that has no threshold. */
export interface PrCurve {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** One shorter than `precision` and `recall`. */
  readonly threshold: Float64Array;
}

/** Both error rates by descending threshold; the first point, at Infinity, predicts nothing positive. */
export interface DetCurve {
  readonly fpr: Float64Array;
  readonly fnr: Float64Array;
  readonly threshold: Float64Array;
}

/** False against true positive rate, one point per distinct score, none dropped. null when one class is absent. */
export function rocCurve(y: Numeric, scores: Numeric, sampleWeight?: Numeric): RocCurve | null {
  return sweptRocCurve(sweep(y, scores, sampleWeight, "rocCurve"));
}

/** Precision against recall, one point per distinct score. null when one class is absent. */
export function prCurve(y: Numeric, scores: Numeric, sampleWeight?: Numeric): PrCurve | null {
  const s = sweep(y, scores, sampleWeight, "prCurve");
  if (!hasBothClasses(s)) return null;
  const n = s.tps.length;
  const precision = new Float64Array(n + 1);
  const recall = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) {
    precision[n - 1 - k] = s.tps[k] / (s.tps[k] + s.fps[k]);
    recall[n - 1 - k] = s.tps[k] / s.positives;
  }
  precision[n] = 1;
  return { precision, recall, threshold: s.thresholds.slice().reverse() };
}

/** Detection error trade-off: false positive against false negative rate. null when one class is absent. */
export function detCurve(y: Numeric, scores: Numeric, sampleWeight?: Numeric): DetCurve | null {
  const roc = sweptRocCurve(sweep(y, scores, sampleWeight, "detCurve"));
  return roc && { fpr: roc.fpr, fnr: roc.tpr.map((tpr) => 1 - tpr), threshold: roc.threshold };
}

/** `rocCurve` of a sweep. */
function sweptRocCurve(s: Sweep): RocCurve | null {
  if (!hasBothClasses(s)) return null;
  const fpr = new Float64Array(s.fps.length + 1);
  const tpr = new Float64Array(s.tps.length + 1);
  const threshold = new Float64Array(s.thresholds.length + 1);
  threshold[0] = Infinity;
  for (let k = 0; k < s.tps.length; k++) {
    fpr[k + 1] = s.fps[k] / s.negatives;
    tpr[k + 1] = s.tps[k] / s.positives;
    threshold[k + 1] = s.thresholds[k];
  }
  return { fpr, tpr, threshold };
}
