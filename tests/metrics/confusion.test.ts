import { describe, expect, it } from "vitest";
import { confusionMatrix, fBeta, measures } from "../../src/metrics/confusion.ts";
import { classificationReport } from "../../src/metrics/report.ts";
import { tuneThreshold } from "../../src/metrics/thresholds.ts";
import { thresholdTable } from "../../src/metrics/thresholdTable.ts";
import { errorOf } from "./support.ts";

const y = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
const scores = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.4, 0.5, 0.8, 0.9];

describe("confusionMatrix", () => {
  it("calls a row positive when its score reaches the threshold", () => {
    expect(confusionMatrix(y, scores, 0.5)).toEqual({ tn: 4, fp: 2, fn: 1, tp: 3 });
    expect(confusionMatrix(y, scores, 0.4)).toEqual({ tn: 3, fp: 3, fn: 0, tp: 4 });
    expect(confusionMatrix(y, scores, Infinity)).toEqual({ tn: 6, fp: 0, fn: 4, tp: 0 });
  });

  it("sums sample weights", () => {
    const weight = Float32Array.of(1, 1, 1, 1, 2, 0, 1, 1, 0.5, 1);
    expect(confusionMatrix(y, scores, 0.5, weight)).toEqual({ tn: 4, fp: 2, fn: 1, tp: 2.5 });
  });

  it("compares in the precision of the scores", () => {
    const f32 = Float32Array.of(0.7, 0.1, 0.3);
    for (const given of [f32, Array.from(f32), Float64Array.from(f32)]) {
      for (const t of [0.7, 0.1, 0.3]) {
        const yes = Array.from(f32, (score) => (score >= Math.fround(t) ? 1 : 0));
        expect(confusionMatrix(yes, given, t), `${t}`).toMatchObject({ fp: 0, fn: 0 });
        const [at] = thresholdTable(yes, given, { thresholds: [t] });
        expect(at.confusion).toMatchObject({ fp: 0, fn: 0 });
        expect(classificationReport(yes, given, { threshold: t }).accuracy).toBe(1);
        const { value } = tuneThreshold(yes, given, { fixed: t });
        expect(value).toBe(yes.filter(Boolean).length / 3);
      }
    }
    expect(confusionMatrix([1, 1], [0.7, 0.7 - 1e-12], 0.7)).toMatchObject({ fn: 1, tp: 1 });
    const next = Float32Array.of(0.5, 0.5 + 2 ** -24);
    expect(confusionMatrix([0, 1], next, tuneThreshold([0, 1], next, { maximize: "f1" }).threshold).fp).toBe(0);
  });

  it("takes typed arrays of any kind", () => {
    expect(confusionMatrix(Int32Array.from(y), Float64Array.from(scores), 0.5).tp).toBe(3);
    expect(confusionMatrix(Float32Array.from(y), Float32Array.from(scores), 0.45).tp).toBe(3);
  });
});

describe("measures", () => {
  it("match a worked example: tn 4, fp 2, fn 1, tp 3", () => {
    const m = measures({ tn: 4, fp: 2, fn: 1, tp: 3 });
    expect(m.accuracy).toBeCloseTo(7 / 10, 14);
    expect(m.precision).toBeCloseTo(3 / 5, 14);
    expect(m.recall).toBeCloseTo(3 / 4, 14);
    expect(m.specificity).toBeCloseTo(4 / 6, 14);
    expect(m.balancedAccuracy).toBeCloseTo((3 / 4 + 4 / 6) / 2, 14);
    expect(m.f1).toBeCloseTo(6 / 9, 14);
    expect(m.negativePredictiveValue).toBeCloseTo(4 / 5, 14);
    expect(m.mcc).toBeCloseTo((3 * 4 - 2 * 1) / Math.sqrt(5 * 4 * 6 * 5), 14);
    const chance = (5 * 4 + 5 * 6) / 100;
    expect(m.kappa).toBeCloseTo((0.7 - chance) / (1 - chance), 14);
    expect(m.prevalence).toBe(0.4);
    expect(m.alertRate).toBe(0.5);
    expect(m.undefined).toEqual([]);
  });

  it("weigh recall by beta in F-beta", () => {
    const c = { tn: 4, fp: 2, fn: 1, tp: 3 };
    expect(fBeta(c, 2)).toBeCloseTo((5 * 0.6 * 0.75) / (4 * 0.6 + 0.75), 14);
    expect(fBeta(c, 0)).toBeCloseTo(0.6, 14);
  });

  it("are 0 and named where they are 0/0", () => {
    const m = measures({ tn: 3, fp: 0, fn: 2, tp: 0 });
    expect([m.precision, m.mcc, m.f1]).toEqual([0, 0, 0]);
    expect(m.undefined).toEqual(["precision", "mcc"]);
  });

  it("leave kappa null when one class is there and all of it is predicted so", () => {
    const m = measures({ tn: 0, fp: 0, fn: 0, tp: 5 });
    expect(m.kappa).toBeNull();
    expect(m.accuracy).toBe(1);
    expect(m.balancedAccuracy).toBe(1);
    expect(m.undefined).toContain("balancedAccuracy");
    expect(m.undefined).toContain("kappa");
  });
});

describe("bad rows are refused by name", () => {
  it.each([
    ["lengths that differ", [0, 1], [0.5], undefined, "scores has 1 values, the labels have 2"],
    ["a label of 2", [0, 2], [0.5, 0.5], undefined, "label of row 1 is 2"],
    ["a NaN score", [0, 1], [0.5, Number.NaN], undefined, "score of row 1 is NaN"],
    ["a negative weight", [0, 1], [0.5, 0.5], [1, -1], "sampleWeight of row 1 is -1"],
    ["a weight missing", [0, 1], [0.5, 0.5], [1], "sampleWeight has 1 values"],
    ["weights all 0", [0, 1], [0.5, 0.5], [0, 0], "all 2 sample weights are 0"],
    ["no rows", [], [], undefined, "got 0 rows"],
  ])("%s", (_, labels, values, weight, message) => {
    const error = errorOf(() => confusionMatrix(labels, values, 0.5, weight));
    expect(error.code).toBe("E_DATA");
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\w.*\.$/);
  });

  it("a NaN threshold", () => {
    expect(errorOf(() => confusionMatrix([0, 1], [0, 1], Number.NaN)).code).toBe("E_ARGUMENT");
  });
});
