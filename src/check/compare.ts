/** How close a device must come to the f64 reference, and how far off a result is in units of that. */
import type { Elements } from "../graph/types.ts";

export interface Tolerance {
  readonly rtol: number;
  /** Absolute, per unit of the largest expected magnitude (at least 1). */
  readonly atol: number;
}

/** f32 against f64: PyTorch's own f32 stays below a third of it on the same inputs. */
export const F32: Tolerance = { rtol: 2e-5, atol: 2e-6 };

/** The worst |got - want| / (atol max(1, max|want|) + rtol |want|); at most 1 is within tolerance. NaN is infinitely bad. */
export function worstRatio(got: Elements, want: Elements, { rtol, atol }: Tolerance = F32): number {
  let largest = 1;
  for (const w of want) largest = Math.max(largest, Math.abs(w));
  let worst = 0;
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) continue;
    const ratio = Math.abs(got[i] - want[i]) / (atol * largest + rtol * Math.abs(want[i]));
    worst = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : Math.max(worst, ratio);
  }
  return worst;
}
