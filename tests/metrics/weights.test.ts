import { describe, expect, it } from "vitest";
import {
  classWeightBalanced,
  classWeightToSampleWeight,
  effectiveNumberWeights,
  focalAlpha,
  logOddsBias,
  posWeightAuto,
} from "../../src/metrics/weights.ts";
import { errorOf } from "./support.ts";

const y = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];

describe("class weights", () => {
  it("balanced gives both classes the same total", () => {
    const classWeight = classWeightBalanced(y);
    expect(classWeight).toEqual({ 0: 0.625, 1: 2.5 });
    const weight = classWeightToSampleWeight(y, classWeight);
    expect(weight.reduce((a, b) => a + b)).toBe(10);
  });

  it("balanced handles more classes than two", () => {
    expect(classWeightBalanced([0, 1, 1, 2])).toEqual({ 0: 4 / 3, 1: 2 / 3, 2: 4 / 3 });
  });

  it("effective numbers go from equal weights (beta 0) to inverse frequency (beta near 1)", () => {
    expect(effectiveNumberWeights(y, 0)).toEqual({ 0: 1, 1: 1 });
    const near = effectiveNumberWeights(y, 1 - 1e-9);
    expect(near[1] / near[0]).toBeCloseTo(4, 6);
    const half = effectiveNumberWeights(y, 0.5);
    expect(half[1] / half[0]).toBeCloseTo((1 - 0.5 ** 8) / (1 - 0.5 ** 2), 12);
    expect(half[0] + half[1]).toBeCloseTo(2, 12);
  });
});

describe("weights from the prevalence", () => {
  it("of 2 positives in 10", () => {
    expect(posWeightAuto(y)).toBeCloseTo(4, 14);
    expect(focalAlpha(y)).toBeCloseTo(0.8, 14);
    expect(logOddsBias(y)).toBeCloseTo(Math.log(0.25), 14);
  });

  it("count sample weights", () => {
    expect(posWeightAuto([0, 1], [1, 3])).toBeCloseTo(1 / 3, 14);
  });

  it("need both classes", () => {
    for (const weight of [posWeightAuto, focalAlpha, logOddsBias]) {
      expect(errorOf(() => weight([0, 0])).message).toContain("all rows are negative");
      expect(errorOf(() => weight([1])).code).toBe("E_DATA");
    }
  });
});
