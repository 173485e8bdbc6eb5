import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { readOracle } from "../oracles/files.ts";
import { runMetrics } from "../oracles/metrics.ts";
import { runSampling } from "../oracles/sampling.ts";

describe("metrics agree with scikit-learn", () => {
  it.each(runMetrics(readOracle("metrics")))("on $id", ({ ratio, error }) => {
    expect(error).toBeUndefined();
    expect(ratio).toBeLessThanOrEqual(1);
  });
});

const sampling = await runSampling(readOracle("sampling"), openCpu());

describe("class weights, stratified splits and SMOTE agree with scikit-learn and imbalanced-learn", () => {
  it.each(sampling)("on $id", (result) => {
    expect(result).not.toHaveProperty("unsupported");
    expect(result).not.toHaveProperty("error");
    expect(result).toHaveProperty("ratio", expect.closeTo(0, 0.5));
  });
});

describe("the comparison itself", () => {
  it("notices a number that is wrong in the eighth digit, and a missing curve point", () => {
    const oracle = readOracle<{ cases: { expected: { roc_auc: number; roc_curve: { fpr: number[] } } }[] }>("metrics")!;
    oracle.cases[0].expected.roc_auc *= 1 + 1e-8;
    oracle.cases[1].expected.roc_curve.fpr.pop();
    const [first, second, third] = runMetrics(oracle);
    expect(first.ratio).toBeGreaterThan(1);
    expect(first.error).toContain("roc_auc");
    expect(second.ratio).toBe(Infinity);
    expect(third.ratio).toBeLessThanOrEqual(1);
  });
});
