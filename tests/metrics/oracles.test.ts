import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
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

const sampling = present ? await runSampling(JSON.parse(readFileSync(samplingFile, "utf8")), openCpu()) : [];

describe.runIf(present)(
  "class weights, stratified splits and SMOTE agree with scikit-learn and imbalanced-learn",
  () => {
    it.each(sampling)("on $id", (result) => {
      expect(result).not.toHaveProperty("unsupported");
      expect(result).not.toHaveProperty("error");
      expect(result).toHaveProperty("ratio", expect.closeTo(0, 0.5));
    });
  },
);

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
