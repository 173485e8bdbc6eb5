import * as is from "../kinds.ts";
import { checkFields, checkValue } from "../options.ts";
import type { Numeric } from "./check.ts";
import { hasBothClasses, sweep } from "./sweep.ts";

/** What working down the list, highest score first, brings. */
export interface GainCurve {
  /** Share of all rows taken so far, by weight; the first point is 0. */
  readonly fraction: Float64Array;
  /** Share of all positives found so far (cumulative gain). */
  readonly gain: Float64Array;
  /** gain / fraction: how many times better than taking rows at random; at 0 that of the first point. */
  readonly lift: Float64Array;
}

/** Cumulative gain and lift, one point per distinct score. null when one class is absent. */
export function gainCurve(y: Numeric, scores: Numeric, sampleWeight?: Numeric): GainCurve | null {
  const s = sweep(y, scores, sampleWeight, "gainCurve");
  if (!hasBothClasses(s)) return null;
  const n = s.tps.length;
  const fraction = new Float64Array(n + 1);
  const gain = new Float64Array(n + 1);
  const lift = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) {
    fraction[k + 1] = (s.tps[k] + s.fps[k]) / (s.positives + s.negatives);
    gain[k + 1] = s.tps[k] / s.positives;
    lift[k + 1] = gain[k + 1] / fraction[k + 1];
  }
  lift[0] = lift[1];
  return { fraction, gain, lift };
}

/**
 * Gain and lift of the top `fraction` of rows, e.g. 0.1 for the first decile. Where the cut falls among tied scores
 * the positives of the tie are shared out evenly. null when one class is absent.
 */
export function gainAt(curve: GainCurve, fraction: number): { gain: number; lift: number } {
  checkFields(
    "gainAt",
    curve,
    { fraction: is.values, gain: is.values, lift: is.values },
    "a curve, as gainCurve gives",
  );
  checkValue("gainAt", "fraction", fraction, is.number);
  let k = 1;
  while (k < curve.fraction.length - 1 && curve.fraction[k] < fraction) k++;
  const from = curve.fraction[k - 1];
  const share = Math.min(1, Math.max(0, (fraction - from) / (curve.fraction[k] - from)));
  const gain = curve.gain[k - 1] + share * (curve.gain[k] - curve.gain[k - 1]);
  return { gain, lift: fraction > 0 ? gain / fraction : curve.lift[0] };
}
