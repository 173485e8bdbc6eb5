import { beforeAll, describe, expect, it } from "vitest";
import { applyCalibration } from "../../src/metrics/calibration.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const COMMON = [...CHURN, "--positive", "yes", ...QUICK, "--quiet", "--json", "--no-baseline"];

beforeAll(() => {
  cli.write("customers.csv", customers(400));
});

const train = async (out: string, ...args: readonly string[]) => {
  const ended = await cli.run("train", "customers.csv", ...COMMON, "--out", out, ...args);
  expect(ended.code, ended.stderr).toBe(0);
  return jsonOf(ended);
};
const refused = async (...args: readonly string[]) => {
  const ended = await cli.run("train", "customers.csv", ...COMMON, "--out", "never", ...args);
  expect(ended.code).toBe(2);
  return jsonOf(ended).error;
};

// Balanced weights make scores far too high for the prevalence: there is something to mend.
const SKEWED = ["--class-weight", "balanced", "--refit", "always"];
const scored = async (command: string, folder: string) =>
  jsonOf(await cli.run(command, folder, "customers.csv", "--device", "cpu", "--quiet", "--json"));

describe("--calibrate", () => {
  it("makes scores probabilities, in train, evaluate and predict alike", async () => {
    const plain = await train("plain", ...SKEWED);
    const raw = (await scored("predict", "plain")).scores;
    for (const method of ["platt", "isotonic", "temperature", "beta"]) {
      const result = await train(method, ...SKEWED, "--calibrate", method);
      const saved = JSON.parse(cli.read(`${method}/model.json`));
      expect(saved.calibration).toEqual(result.calibration);
      expect(result.calibration.method).toBe(method);
      expect(saved.threshold.value).toBe(result.threshold);
      // A temperature alone cannot mend a base rate.
      const better = method === "temperature" ? 1.001 : 0.9;
      expect(result.metrics.validation.logLoss).toBeLessThan(better * plain.metrics.validation.logLoss);
      const { scores, positives } = await scored("predict", method);
      expect(scores).toEqual(Array.from(Float32Array.from(applyCalibration(result.calibration, raw))));
      expect(positives).toBe(scores.filter((score: number) => score >= result.threshold).length);
      if (method !== "platt") continue;
      const { metrics, diagnostics } = await scored("evaluate", method);
      expect(metrics.test.confusion.tp + metrics.test.confusion.fp).toBe(positives);
      const highest = scores.filter((score: number) => score >= 0.9).length;
      expect(diagnostics.calibration.at(-1).weight).toBe(highest);
    }
  });

  it("needs validation rows", async () => {
    const error = await refused("--calibrate", "platt", "--validation", "0");
    expect(error).toMatchObject({ code: "E_ARGUMENT" });
    expect(error.message).toContain("--calibrate platt: there are no validation rows");
  });
});

describe("--class-weight effective:BETA", () => {
  it("is Cui et al.'s weights of the training rows, and refuses a beta of 1", async () => {
    const { metrics, settings } = await train("effective", "--class-weight", "effective:0.99", "--refit", "never");
    expect(settings.classWeight).toEqual({ effective: 0.99 });
    const { tn, fp, fn, tp } = metrics.train.confusion;
    const raw = [tn + fp, fn + tp].map((count) => 0.01 / (1 - 0.99 ** count));
    const weights = raw.map((weight) => (2 * weight) / (raw[0] + raw[1]));
    const { lossFunction } = JSON.parse(cli.read("effective/model.json")).training;
    expect(lossFunction.config.classWeight["0"]).toBeCloseTo(weights[0], 12);
    expect(lossFunction.config.classWeight["1"]).toBeCloseTo(weights[1], 12);
    const ended = await cli.run("train", "customers.csv", ...COMMON, "--out", "never", "--class-weight", "effective:1");
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.message).toContain("Expected a number at least 0 and below 1");
  });
});
