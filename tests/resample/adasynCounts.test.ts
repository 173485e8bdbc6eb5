import { expect, it } from "vitest";
import { adasynCounts } from "../../src/resample/adasyn.ts";

/** What imbalanced-learn 0.10 computes: np.rint(r / r.sum() * n) with r = others / k. */
it("rounds ADASYN's counts as NumPy does, operation by operation", () => {
  // 3/5 + 1/5 + 2/5 is 1.2000000000000002 in f64, so half a sample is a little less.
  expect(adasynCounts([3, 1, 2], 5, 3)).toEqual([1, 0, 1]);
  expect(adasynCounts([1, 1, 1, 1], 5, 10)).toEqual([2, 2, 2, 2]);
  expect(adasynCounts([1, 1], 4, 3)).toEqual([2, 2]);
});
