import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { averagePrecision, ks, prAucTrapezoid, rocAuc } from "../../src/metrics/areas.ts";
import { detCurve, prCurve, rocCurve } from "../../src/metrics/curves.ts";
import { gainAt, gainCurve } from "../../src/metrics/gains.ts";
import { descendingOrder } from "../../src/metrics/order.ts";
import { draws } from "../../src/random.ts";
import { repeatRows, scoredRows } from "./support.ts";

const areas = [rocAuc, averagePrecision, prAucTrapezoid, ks] as const;

/** Weighted share of (positive, negative) pairs that are ranked rightly, ties counting half. */
function mannWhitney(y: number[], scores: number[], weight: number[]): number {
  let right = 0;
  let pairs = 0;
  y.forEach((a, i) => {
    y.forEach((b, j) => {
      if (a !== 1 || b !== 0) return;
      const w = weight[i] * weight[j];
      pairs += w;
      right += w * (scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0);
    });
  });
  return right / pairs;
}

describe("areas under curves", () => {
  it("match a worked example with a tie", () => {
    const y = [1, 0, 1, 0, 0];
    const scores = [0.9, 0.8, 0.5, 0.5, 0.1];
    expect(rocAuc(y, scores)).toBeCloseTo((3 + 1.5) / 6, 14);
    expect(averagePrecision(y, scores)).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 4), 14);
    expect(ks(y, scores)).toBeCloseTo(0.5, 14);
  });

  it("ROC-AUC is the Mann-Whitney statistic, with weights and ties", () => {
    fc.assert(
      fc.property(scoredRows, ({ y, scores, weight }) => {
        expect(rocAuc(y, scores, weight)).toBeCloseTo(mannWhitney(y, scores, weight), 12);
      }),
    );
  });

  it("a weight counts as that many copies of the row", () => {
    fc.assert(
      fc.property(scoredRows, (rows) => {
        const copies = repeatRows(rows);
        for (const area of areas) {
          expect(area(rows.y, rows.scores, rows.weight)).toBeCloseTo(area(copies.y, copies.scores) as number, 12);
        }
      }),
    );
  });

  it("depend on the ranking only: any increasing map of the scores leaves every bit", () => {
    fc.assert(
      fc.property(scoredRows, ({ y, scores, weight }) => {
        const mapped = scores.map((s) => Math.exp(3 * s) - 7);
        for (const area of areas) expect(area(y, mapped, weight)).toBe(area(y, scores, weight));
      }),
    );
  });

  it("swapping classes and signs keeps the ROC-AUC", () => {
    fc.assert(
      fc.property(scoredRows, ({ y, scores }) => {
        const swapped = rocAuc(
          y.map((label) => 1 - label),
          scores.map((s) => -s),
        );
        expect(swapped).toBeCloseTo(rocAuc(y, scores) as number, 12);
      }),
    );
  });

  it.each([0, 1])("are null when every label is %i", (label) => {
    for (const area of areas) expect(area([label, label], [0.1, 0.9])).toBeNull();
    for (const curve of [rocCurve, prCurve, detCurve, gainCurve]) expect(curve([label, label], [0.1, 0.9])).toBeNull();
  });

  it("treat 0 and -0 as one score", () => {
    expect(rocAuc([0, 1], [0, -0])).toBe(0.5);
    expect(rocAuc([1, 0], [0, -0])).toBe(0.5);
  });
});

describe("curves", () => {
  it("run from nothing positive to everything positive, and never turn back", () => {
    fc.assert(
      fc.property(scoredRows, ({ y, scores, weight }) => {
        const roc = rocCurve(y, scores, weight);
        if (roc === null) throw new Error("both classes are there");
        expect([roc.fpr[0], roc.tpr[0], roc.threshold[0]]).toEqual([0, 0, Infinity]);
        expect([roc.fpr.at(-1), roc.tpr.at(-1)]).toEqual([1, 1]);
        for (let k = 1; k < roc.fpr.length; k++) {
          expect(roc.fpr[k]).toBeGreaterThanOrEqual(roc.fpr[k - 1]);
          expect(roc.tpr[k]).toBeGreaterThanOrEqual(roc.tpr[k - 1]);
          expect(roc.threshold[k]).toBeLessThan(roc.threshold[k - 1]);
        }
      }),
    );
  });

  it("the DET curve is the ROC curve with misses for hits", () => {
    const y = [1, 0, 1, 0];
    const scores = [0.9, 0.8, 0.4, 0.1];
    const det = detCurve(y, scores);
    expect(Array.from(det?.fnr ?? [])).toEqual([1, 0.5, 0.5, 0, 0]);
    expect(Array.from(det?.fpr ?? [])).toEqual([0, 0, 0.5, 0.5, 1]);
  });

  it("the PR curve ends at precision 1, recall 0, without a threshold", () => {
    const pr = prCurve([1, 0, 1], [0.9, 0.8, 0.4]);
    expect(Array.from(pr?.precision ?? [])).toEqual([2 / 3, 1 / 2, 1, 1]);
    expect(Array.from(pr?.recall ?? [])).toEqual([1, 0.5, 0.5, 0]);
    expect(Array.from(pr?.threshold ?? [])).toEqual([0.4, 0.8, 0.9]);
  });

  it("gain and lift tell what the top of the list holds", () => {
    const y = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0];
    const scores = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    const curve = gainCurve(y, scores);
    if (curve === null) throw new Error("both classes are there");
    expect(gainAt(curve, 0.2).gain).toBeCloseTo(2 / 3, 14);
    expect(gainAt(curve, 0.2).lift).toBeCloseTo(10 / 3, 14);
    expect(gainAt(curve, 1)).toEqual({ gain: 1, lift: 1 });
  });

  it("a cut through tied scores takes a proportional part of the tie", () => {
    const curve = gainCurve([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5]);
    if (curve === null) throw new Error("both classes are there");
    expect(gainAt(curve, 0.25).gain).toBeCloseTo(0.25, 14);
  });
});

describe("descendingOrder", () => {
  it("sorts many float64 and float32 scores as a comparison sort does, ties by row", () => {
    const draw = draws(3, 0);
    const n = 20_000; // beyond where the radix sort takes over
    const fine = Float64Array.from({ length: n }, (_, i) => draw.normal(i) * 10 ** ((i % 40) - 20));
    const tied = Float32Array.from({ length: n }, (_, i) => Math.round(draw.uniform(i) * 100) / 100 - 0.5);
    for (const scores of [fine, tied]) {
      const want = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
      expect(Array.from(descendingOrder(scores))).toEqual(want);
    }
  });

  it("handles constant scores, zeros of both signs and the extremes", () => {
    const n = 10_000;
    const scores = Float64Array.from({ length: n }, (_, i) => [0, -0, 5e-324, -5e-324, 1.7e308, -1.7e308][i % 6]);
    const want = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
    expect(Array.from(descendingOrder(scores))).toEqual(want);
    expect(descendingOrder(new Float32Array(n).fill(0.25))[n - 1]).toBe(n - 1);
  });
});
