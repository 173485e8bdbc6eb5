import type { Numeric } from "./check.ts";
import { hasBothClasses, type Sweep, sweep } from "./sweep.ts";

/**
 * Area under the ROC curve: the probability that a positive outscores a negative, ties counting half.
 * null when only one class is present. In [0, 1].
 */
export function rocAuc(y: Numeric, scores: Numeric, sampleWeight?: Numeric): number | null {
  return sweptRocAuc(sweep(y, scores, sampleWeight, "rocAuc"));
}

/** Average precision, sum of (R_n - R_(n-1)) P_n: no interpolation. null when only one class is present. */
export function averagePrecision(y: Numeric, scores: Numeric, sampleWeight?: Numeric): number | null {
  return sweptAveragePrecision(sweep(y, scores, sampleWeight, "averagePrecision"));
}

/**
 * Area under the precision-recall curve by trapezoids, from (recall 0, precision 1). It is optimistic
 * (Davis & Goadrich 2006); prefer `averagePrecision`. null when only one class is present.
 */
export function prAucTrapezoid(y: Numeric, scores: Numeric, sampleWeight?: Numeric): number | null {
  const s = sweep(y, scores, sampleWeight, "prAucTrapezoid");
  if (!hasBothClasses(s)) return null;
  let area = 0;
  for (let k = 0, tp = 0, before = 1; k < s.tps.length; k++) {
    const here = s.tps[k] / (s.tps[k] + s.fps[k]);
    area += (s.tps[k] - tp) * (here + before) * 0.5;
    tp = s.tps[k];
    before = here;
  }
  return area / s.positives;
}

/** Kolmogorov-Smirnov distance of the two classes' scores, max |tpr - fpr|. null when only one class is present. */
export function ks(y: Numeric, scores: Numeric, sampleWeight?: Numeric): number | null {
  return sweptKs(sweep(y, scores, sampleWeight, "ks"));
}

/** `rocAuc` of a sweep. */
export function sweptRocAuc(s: Sweep): number | null {
  if (!hasBothClasses(s)) return null;
  let area = 0;
  for (let k = 0, tp = 0, fp = 0; k < s.tps.length; k++) {
    area += (s.fps[k] - fp) * (s.tps[k] + tp) * 0.5;
    tp = s.tps[k];
    fp = s.fps[k];
  }
  return area / (s.positives * s.negatives);
}

/** `averagePrecision` of a sweep. */
export function sweptAveragePrecision(s: Sweep): number | null {
  if (!hasBothClasses(s)) return null;
  let area = 0;
  for (let k = 0, tp = 0; k < s.tps.length; k++) {
    area += (s.tps[k] - tp) * (s.tps[k] / (s.tps[k] + s.fps[k]));
    tp = s.tps[k];
  }
  return area / s.positives;
}

/** `ks` of a sweep. */
export function sweptKs(s: Sweep): number | null {
  if (!hasBothClasses(s)) return null;
  let widest = 0;
  for (let k = 0; k < s.tps.length; k++) {
    widest = Math.max(widest, Math.abs(s.tps[k] / s.positives - s.fps[k] / s.negatives));
  }
  return widest;
}
