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
export const worstRatio = (got: Elements, want: Elements, tolerance: Tolerance = F32): number =>
  worstOf(got, want, tolerance).ratio;

/** As `worstRatio`, and which element it is of. */
export function worstOf(got: Elements, want: Elements, { rtol, atol }: Tolerance): { ratio: number; at: number } {
  let largest = 1;
  for (const w of want) largest = Math.max(largest, Math.abs(w));
  const worst = { ratio: 0, at: 0 };
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) continue;
    const error = Math.abs(got[i] - want[i]) / (atol * largest + rtol * Math.abs(want[i]));
    const ratio = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    if (ratio > worst.ratio) Object.assign(worst, { ratio, at: i });
  }
  return worst;
}
