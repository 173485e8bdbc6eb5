import { beforeAll, describe, expect, it } from "vitest";
import { applyCalibration } from "../../src/metrics/calibration.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
beforeAll(() => {
  cli.write("customers.csv", customers(600));
  cli.write("others.csv", customers(2000, { seed: 9 }));
});

const train = (out: string, ...args: readonly string[]) =>
  cli.run("train", "customers.csv", ...CHURN, "--out", out, ...QUICK, "--no-baseline", "--json", ...args);
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

describe("scores after training on weighted classes", () => {
  it.each([
    ["balanced", ["--class-weight", "balanced"], (p: number) => (1 - p) / p],
    [
      "by posWeight and balanced batches",
      ["--pos-weight", "3", "--balanced-batches"],
      (p: number) => (3 * (1 - p)) / p,
    ],
    ["of the squared error", ["--loss", "mse", "--class-weight", "0:1,1:8"], () => 8],
  ])("%s are probabilities at the prevalence of the rows", async (name, args, ratioAt) => {
    const out = name.replaceAll(" ", "-");
    const ended = await train(out, ...args, "--epochs", "60", "--refit", "never");
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/Corrected +logits by -\d\.\d\d \(scores are probabilities/);
    const { priorShift, metrics } = jsonOf(ended);
    expect(priorShift).toBeCloseTo(-Math.log(ratioAt(metrics.train.prevalence)), 12);
    const evaluated = jsonOf(await cli.run("evaluate", out, "others.csv", "--device", "cpu", "--json", "--quiet"));
    const { prevalence, logLoss } = evaluated.metrics.test;
    const { scores } = jsonOf(await cli.run("predict", out, "others.csv", "--device", "cpu", "--json", "--quiet"));
    const raw = applyCalibration({ method: "prior", from: "probability", shift: -priorShift }, scores);
    const tooHigh = mean([...raw]) - prevalence;
    expect(tooHigh).toBeGreaterThan(0.08);
    expect(Math.abs(mean(scores) - prevalence)).toBeLessThan(tooHigh / 2);
    expect(logLoss).toBeLessThan(0.3);
  });

  it("are left alone where no constant would mend them, and where all classes weigh alike", async () => {
    const runs = [
      ["--loss", "focal", "--class-weight", "balanced"],
      ["--loss", "hinge", "--class-weight", "balanced"],
      ["--class-weight", "0:2,1:2"],
    ];
    for (const [i, args] of runs.entries()) {
      const ended = await train(`alone${i}`, ...args, "--epochs", "2");
      expect(ended.code, ended.stderr).toBe(0);
      expect(jsonOf(ended).priorShift).toBe(0);
      expect(ended.stderr).not.toContain("Corrected");
    }
  });

  it("need a last layer with a bias", async () => {
    const layers = [{ type: "dense", config: { units: 1, useBias: false } }];
    const inputs = jsonOf(await train("inputs", "--epochs", "1")).inputs;
    cli.write("unbiased.json", JSON.stringify({ type: "sequential", input: [inputs], layers }));
    const file = ["train", "customers.csv", ...CHURN, "--model", "unbiased.json", "--device", "cpu", "--epochs", "1"];
    const args = [...file, "--no-baseline", "--json", "--out", "unbiased"];
    expect((await cli.run(...args)).code).toBe(0);
    const ended = await cli.run(...args, "--class-weight", "balanced");
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.message).toBe("resampled rows or weighted classes: the last layer (dense) has no bias.");
  });
});
