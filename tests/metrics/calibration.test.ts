import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applyCalibration,
  type Calibration,
  type CalibrationMethod,
  fitCalibration,
  priorCorrection,
  weightCorrection,
} from "../../src/metrics/calibration.ts";
import { fitIsotonic } from "../../src/metrics/isotonic.ts";
import { ece, logLoss } from "../../src/metrics/probability.ts";
import { sigmoid } from "../../src/numeric.ts";
import { draws } from "../../src/random.ts";
import { errorOf, repeatRows, scoredRows } from "./support.ts";

const methods: CalibrationMethod[] = ["platt", "isotonic", "temperature", "beta"];

/** Labels drawn with P(y = 1) = truth(z) at standard normal z. */
function rowsOf(truth: (z: number) => number, n = 4000): { y: number[]; z: number[] } {
  const draw = draws(11, 1);
  const z = Array.from({ length: n }, (_, i) => 1.5 * draw.normal(i));
  return { z, y: z.map((value, i) => Number(draw.uniform(n + i) < truth(value))) };
}

describe("fitCalibration", () => {
  it("Platt finds the slope and intercept that the labels were drawn with", () => {
    const { y, z } = rowsOf((value) => sigmoid(0.5 * value - 1));
    const fitted = fitCalibration("platt", y, z, { from: "logit" });
    if (fitted.method !== "platt") throw new Error("not Platt");
    expect(fitted.slope).toBeCloseTo(0.5, 1);
    expect(fitted.intercept).toBeCloseTo(-1, 1);
  });

  it("temperature finds how overconfident the logits were", () => {
    const { y, z } = rowsOf((value) => sigmoid(value / 3));
    const fitted = fitCalibration("temperature", y, z, { from: "logit" });
    if (fitted.method !== "temperature") throw new Error("not temperature");
    expect(Math.abs(fitted.temperature - 3)).toBeLessThan(0.3); // about 3 standard errors at 4000 rows
  });

  it.each(methods)("%s mends overconfident probabilities on other rows", (method) => {
    const { y, z } = rowsOf((value) => sigmoid(value / 3), 8000);
    const p = z.map(sigmoid);
    const calibration = fitCalibration(method, y.slice(0, 4000), p.slice(0, 4000));
    const test = y.slice(4000);
    const before = p.slice(4000);
    const after = applyCalibration(JSON.parse(JSON.stringify(calibration)) as Calibration, before);
    expect(ece(test, before)).toBeGreaterThan(0.1);
    expect(ece(test, after)).toBeLessThan(0.04);
    expect(logLoss(test, after)).toBeLessThan(logLoss(test, before));
  });

  it("Platt is at the minimum of its loss: its gradient vanishes", () => {
    const { y, z } = rowsOf((value) => sigmoid(2 * value + 1), 500);
    const fitted = fitCalibration("platt", y, z, { from: "logit" });
    const positive = y.filter((label) => label === 1).length;
    const target = y.map((label) => (label ? (positive + 1) / (positive + 2) : 1 / (y.length - positive + 2)));
    const p = applyCalibration(fitted, z);
    const gradient = [0, 0];
    target.forEach((t, i) => {
      gradient[0] += (p[i] - t) * z[i];
      gradient[1] += p[i] - t;
    });
    for (const g of gradient) expect(Math.abs(g)).toBeLessThan(1e-4);
  });

  it.each(methods)("%s stays finite and rising on separable, constant and reversed scores", (method) => {
    for (const scores of [
      [0, 0.1, 0.9, 1],
      [0.5, 0.5, 0.5, 0.5],
      [0.9, 0.8, 0.2, 0.1],
    ]) {
      const grid = Array.from({ length: 21 }, (_, i) => i / 20);
      const out = applyCalibration(fitCalibration(method, [0, 0, 1, 1], scores), grid);
      for (const p of out) expect(p >= 0 && p <= 1).toBe(true);
      if (method === "platt") continue; // Platt follows the data: reversed scores give a falling map
      for (let i = 1; i < out.length; i++) expect(out[i]).toBeGreaterThanOrEqual(out[i - 1]);
    }
  });

  it.each(methods)("%s: a weight counts as that many copies of the row", (method) => {
    fc.assert(
      fc.property(scoredRows, (rows) => {
        const copies = repeatRows(rows);
        const weighted = fitCalibration(method, rows.y, rows.scores, { sampleWeight: rows.weight });
        const repeated = fitCalibration(method, copies.y, copies.scores);
        const grid = Array.from({ length: 9 }, (_, i) => i / 8);
        const a = applyCalibration(weighted, grid);
        applyCalibration(repeated, grid).forEach((p, i) => {
          expect(a[i]).toBeCloseTo(p, 6);
        });
      }),
      { numRuns: 30 },
    );
  });

  it("needs both classes, and probabilities unless told", () => {
    expect(errorOf(() => fitCalibration("platt", [1, 1], [0.2, 0.3])).message).toContain("all rows are positive");
    expect(errorOf(() => fitCalibration("platt", [0, 1], [-3, 3])).code).toBe("E_DATA");
    expect(errorOf(() => fitCalibration("magic" as never, [0, 1], [0, 1])).code).toBe("E_ARGUMENT");
  });
});

describe("fitIsotonic", () => {
  it("pools violators: a worked example", () => {
    const fitted = fitIsotonic([1, 2, 4, 3, 5], [1, 2, 3, 4, 5]);
    expect(fitted).toEqual({ x: [1, 2, 3, 4, 5], y: [1, 2, 3.5, 3.5, 5] });
  });

  it("is the best non-decreasing fit: no block can be moved for the better", () => {
    fc.assert(
      fc.property(scoredRows, ({ y, scores, weight }) => {
        const { x, y: fitted } = fitIsotonic(y, scores, weight);
        for (let k = 1; k < x.length; k++) {
          expect(x[k]).toBeGreaterThan(x[k - 1]);
          expect(fitted[k]).toBeGreaterThanOrEqual(fitted[k - 1]);
        }
        // min-max formula: the fit at s is the max over a <= s of the min over b >= s of the mean of scores in [a, b]
        for (const s of new Set(scores.filter((_, i) => weight[i] > 0))) {
          const mean = (a: number, b: number) => {
            let [sum, total] = [0, 0];
            scores.forEach((v, i) => {
              if (v < a || v > b) return;
              sum += weight[i] * y[i];
              total += weight[i];
            });
            return sum / total;
          };
          const kept = scores.filter((_, i) => weight[i] > 0);
          const want = Math.max(
            ...kept.filter((a) => a <= s).map((a) => Math.min(...kept.filter((b) => b >= s).map((b) => mean(a, b)))),
          );
          const [got] = applyCalibration({ method: "isotonic", from: "probability", x, y: fitted }, [s]);
          expect(got).toBeCloseTo(want, 12);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("prior correction", () => {
  it("is Bayes' rule for another base rate", () => {
    const [p] = applyCalibration(priorCorrection(0.5, 0.01), [0.5]);
    expect(p).toBeCloseTo(0.01, 14);
    const odds = (0.9 / 0.1) * (0.01 / 0.99);
    expect(applyCalibration(priorCorrection(0.5, 0.01), [0.9])[0]).toBeCloseTo(odds / (1 + odds), 14);
  });

  it("leaves 0 and 1, and undoes itself", () => {
    expect(Array.from(applyCalibration(priorCorrection(0.5, 0.1), [0, 1]))).toEqual([0, 1]);
    const there = applyCalibration(priorCorrection(0.3, 0.02), [1e-9, 0.2, 0.999]);
    const back = applyCalibration(priorCorrection(0.02, 0.3), there);
    [1e-9, 0.2, 0.999].forEach((p, i) => {
      expect(back[i] / p).toBeCloseTo(1, 10);
    });
  });

  it("of a class weight is that of resampling by the same ratio", () => {
    const byWeight = applyCalibration(weightCorrection(9), [0.3])[0];
    expect(byWeight).toBeCloseTo(applyCalibration(priorCorrection(0.5, 0.1), [0.3])[0], 14);
    expect(applyCalibration(weightCorrection(9, "logit"), [0])[0]).toBeCloseTo(0.1, 14);
  });

  it("refuses a prevalence of 0 or 1", () => {
    expect(errorOf(() => priorCorrection(0, 0.5)).code).toBe("E_ARGUMENT");
    expect(errorOf(() => priorCorrection(0.5, 1)).code).toBe("E_ARGUMENT");
  });
});
