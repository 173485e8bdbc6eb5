import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runMetrics } from "../oracles/metrics.ts";
import { runSampling } from "../oracles/sampling.ts";

const file = new URL("../../../shared/oracles/metrics.json", import.meta.url);
const samplingFile = new URL("sampling.json", file);
const present = existsSync(file);
if (!present) console.info("metrics oracles: ../shared/oracles is not there; nothing to compare with.");

describe.runIf(present)("metrics agree with scikit-learn", () => {
  const results = present ? runMetrics(JSON.parse(readFileSync(file, "utf8"))) : [];
  it.each(results)("on $id", ({ ratio, error }) => {
    expect(error).toBeUndefined();
    expect(ratio).toBeLessThanOrEqual(1);
  });
});

describe.runIf(present)("class weights and stratified splits agree with scikit-learn", () => {
  const all = present ? runSampling(JSON.parse(readFileSync(samplingFile, "utf8"))) : [];
  const results = all.flatMap((result) => ("unsupported" in result ? [] : [result]));
  it.each(results)("on $id", ({ ratio, error }) => {
    expect(error).toBeUndefined();
    expect(ratio).toBeLessThanOrEqual(1);
  });
});

describe.runIf(present)("the comparison itself", () => {
  it("notices a number that is wrong in the eighth digit, and a missing curve point", () => {
    const oracle = JSON.parse(readFileSync(file, "utf8"));
    oracle.cases[0].expected.roc_auc *= 1 + 1e-8;
    oracle.cases[1].expected.roc_curve.fpr.pop();
    const [first, second, third] = runMetrics(oracle);
    expect(first.ratio).toBeGreaterThan(1);
    expect(first.error).toContain("roc_auc");
    expect(second.ratio).toBe(Infinity);
    expect(third.ratio).toBeLessThanOrEqual(1);
  });
});
