import { beforeAll, describe, expect, it } from "vitest";
import { applyCalibration } from "../../src/metrics/calibration.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "../cli/support.ts";

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

  it("need a logit with a bias of its own", async () => {
    const { inputs } = jsonOf(await train("inputs", "--epochs", "1"));
    const trainOn = (name: string, architecture: object, ...args: readonly string[]) => {
      cli.write(`${name}.json`, JSON.stringify(architecture));
      const file = ["train", "customers.csv", ...CHURN, "--model", `${name}.json`, "--device", "cpu", "--epochs", "1"];
      return cli.run(...file, "--no-baseline", "--json", "--out", name, ...args);
    };
    const inRow = (...layers: readonly object[]) => ({ type: "sequential", input: [inputs], layers });
    const one = (config: object = {}) => ({ type: "dense", config: { units: 1, ...config } });
    // The layer's second use gives the logit.
    const shared = {
      type: "functional",
      inputs: [{ name: "x", shape: [inputs] }],
      layers: [
        { name: "first", ...one(), inputs: ["x"] },
        { name: "end", ...one(), inputs: ["first"] },
        { name: "end/2", layer: "end", inputs: ["end"] },
      ],
      outputs: ["end/2"],
    };
    const unbiased = inRow(one({ useBias: false }));
    expect((await trainOn("plain", unbiased)).code).toBe(0);
    for (const [i, wrong] of [unbiased, inRow(one({ activation: "tanh" })), shared].entries()) {
      const ended = await trainOn(`wrong${i}`, wrong, "--class-weight", "balanced");
      expect(ended.code).toBe(2);
      expect(jsonOf(ended).error.message).toContain("the model's logit is not a sum with a bias of its own");
    }
    const sigmoids = [
      inRow(one({ activation: "sigmoid" })),
      inRow(one(), { type: "activation", config: { activation: "sigmoid" } }),
    ];
    for (const [i, right] of sigmoids.entries()) {
      const ended = await trainOn(`right${i}`, right, "--class-weight", "balanced");
      expect(ended.code, ended.stderr + ended.stdout).toBe(0);
    }
  });
});
