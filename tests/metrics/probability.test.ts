import { describe, expect, it } from "vitest";
import { brier, calibrationCurve, ece, logLoss, mce } from "../../src/metrics/probability.ts";
import { errorOf } from "./support.ts";

describe("logLoss and brier", () => {
  it("match a worked example with weights", () => {
    const weight = [1, 3];
    expect(logLoss([1, 0], [0.8, 0.4], { sampleWeight: weight })).toBeCloseTo(
      -(Math.log(0.8) + 3 * Math.log(0.6)) / 4,
      14,
    );
    expect(brier([1, 0], [0.8, 0.4], weight)).toBeCloseTo((0.04 + 3 * 0.16) / 4, 14);
  });

  it("stay finite at 0 and 1, by eps", () => {
    expect(logLoss([1], [0])).toBeCloseTo(-Math.log(1e-15), 10);
    expect(logLoss([1], [0], { eps: 1e-7 })).toBeCloseTo(-Math.log(1e-7), 10);
    expect(logLoss([1, 0], [1, 0])).toBeCloseTo(0, 14);
  });

  it("leave rows of weight 0 out, even where eps 0 makes them infinite", () => {
    expect(logLoss([1, 1], [0, 0.5], { sampleWeight: [0, 1], eps: 0 })).toBeCloseTo(Math.LN2, 14);
  });

  it("refuse logits", () => {
    for (const measure of [logLoss, brier, ece]) {
      const error = errorOf(() => measure([0, 1], [-1.5, 2]));
      expect(error.code).toBe("E_DATA");
      expect(error.hint).toContain("sigmoid");
    }
  });
});

describe("calibration", () => {
  it("puts each score in its bin, edges by the closed side", () => {
    const y = [0, 0, 1, 1, 1];
    const scores = [0, 0.3, 0.3, 0.7, 1];
    const counts = (closed: "left" | "right") => calibrationCurve(y, scores, { closed }).map((bin) => bin.count);
    expect(counts("left")).toEqual([1, 0, 0, 2, 0, 0, 0, 1, 0, 1]);
    expect(counts("right")).toEqual([1, 0, 2, 0, 0, 0, 1, 0, 0, 1]);
  });

  it("puts as many rows in each quantile bin, ties together", () => {
    const scores = [0.01, 0.02, 0.02, 0.02, 0.03, 0.05, 0.06, 0.9];
    const bins = calibrationCurve([0, 0, 0, 1, 0, 0, 1, 1], scores, { bins: 4, strategy: "quantile" });
    expect(bins.map(({ low, high, count }) => [low, high, count])).toEqual([
      [0, 0.02, 1],
      [0.02, 0.03, 3],
      [0.03, 0.06, 2],
      [0.06, 1, 2],
    ]);
    expect(bins[3]).toMatchObject({ meanPredicted: 0.48, observed: 1 });
  });

  it("places every edge b / bins in the bin that owns it", () => {
    for (const bins of [3, 7, 10, 49]) {
      for (let b = 0; b <= bins; b++) {
        const at = (closed: "left" | "right") =>
          calibrationCurve([1], [b / bins], { bins, closed }).findIndex((bin) => bin.count === 1);
        expect(at("left")).toBe(Math.min(b, bins - 1));
        expect(at("right")).toBe(Math.max(b - 1, 0));
      }
    }
  });

  it("errors are the mean and the largest gap between predicted and observed", () => {
    const y = [0, 0, 0, 1, 1, 1, 0, 1];
    const scores = [0.15, 0.15, 0.15, 0.15, 0.85, 0.85, 0.85, 0.85];
    expect(ece(y, scores)).toBeCloseTo(0.1, 14);
    expect(mce(y, [0.15, 0.15, 0.15, 0.15, 0.95, 0.95, 0.95, 0.95])).toBeCloseTo(0.2, 14);
    expect(ece(y, scores, { sampleWeight: [1, 1, 1, 0, 0, 0, 0, 0] })).toBeCloseTo(0.15, 14);
  });

  it("of the confidence asks whether the prediction at 0.5 is right", () => {
    expect(ece([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25], { of: "confidence" })).toBeCloseTo(0, 14);
  });

  it("refuses a number of bins that is not whole", () => {
    expect(errorOf(() => ece([0, 1], [0, 1], { bins: 2.5 })).code).toBe("E_ARGUMENT");
  });
});
