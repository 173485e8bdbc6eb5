import { beforeAll, describe, expect, it } from "vitest";
import type { Ended } from "../support/program.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
let trained: Ended;
beforeAll(async () => {
  cli.write("customers.csv", customers(600));
  cli.write("others.csv", customers(200, { seed: 2 }));
  cli.write("new.csv", customers(50, { labels: false, seed: 3 }));
  const rows = Array.from({ length: 600 }, (_, i) => i);
  cli.write("rows.json", JSON.stringify({ churn: { train: rows.slice(0, 450), test: rows.slice(450, 580) } }));
  trained = await train("--out", "model", "--json");
});

const train = (...args: string[]) => cli.run("train", "customers.csv", ...CHURN, ...QUICK, ...args);
const MEASURES = [
  "accuracy",
  "balancedAccuracy",
  "precision",
  "recall",
  "f1",
  "rocAuc",
  "prAuc",
  "logLoss",
  "brier",
  "mcc",
];

describe("train", () => {
  it("puts one JSON object on stdout, everything else on stderr", () => {
    expect(trained.code, trained.stderr).toBe(0);
    const result = jsonOf(trained);
    expect(result.device).toEqual({
      backend: "cpu",
      adapter: expect.any(String),
      driver: expect.any(String),
      software: true,
    });
    expect(result.positive).toBe("yes");
    expect(result.rows).toEqual({ file: 600, train: 384, validation: 96, test: 120, unused: 0 });
    expect(result.history.loss).toHaveLength(result.epochs);
    expect(result.history.loss.at(-1)).toBeLessThan(result.history.loss[0]);
    for (const [part, rows] of Object.entries({ train: 384, validation: 96, test: 120 })) {
      const { confusion, ...metrics } = result.metrics[part];
      expect(confusion.tn + confusion.fp + confusion.fn + confusion.tp).toBe(rows);
      for (const name of MEASURES) expect(metrics[name], name).toBeTypeOf("number");
    }
    expect(result.metrics.test.rocAuc).toBeGreaterThan(0.85);
    expect(result.threshold).toBe(result.metrics.test.threshold);
    expect(result.timing.totalMs).toBeGreaterThan(0);
    expect(trained.stderr).toContain("Test rows, never used above");
  });

  it("saves what predict and evaluate need: preprocessing, threshold and its rule, labels, settings, seed", () => {
    const model = JSON.parse(cli.read("model/model.json"));
    expect(model.threshold.rule).toBe("f1");
    expect(model.labels).toEqual({ positive: "yes", negative: "no" });
    const inputs = ["age", "plan=basic", "plan=max", "plan=plus", "usage"];
    expect(model.preprocessing.featureNames.sort()).toEqual(inputs);
    expect(model.training.seed).toBe(0);
    expect(model.training.settings).toMatchObject({
      target: "churned",
      data: "customers.csv",
      epochs: 15,
      layers: [8],
      learningRate: 0.001,
      dropout: [0],
      l2: expect.any(Number),
    });
  });

  it("gives the same files in two runs with one seed, others with another", async () => {
    await train("--out", "again", "--quiet");
    await train("--out", "other", "--quiet", "--seed", "1");
    expect(cli.files("again")).toEqual(cli.files("model"));
    expect(Object.keys(cli.files("other"))).not.toEqual(Object.keys(cli.files("model")));
  });

  it("replaces an old model, and leaves one set of weights behind", async () => {
    const ended = await train("--out", "other", "--quiet");
    expect(ended).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(cli.files("other")).toEqual(cli.files("model"));
  });

  it("fits nothing on test rows: other cells in them change no weight", async () => {
    const lines = cli.read("customers.csv").trimEnd().split("\n");
    cli.write(
      "strange.csv",
      [...lines.slice(0, 451), ...lines.slice(451).map((l, i) => `t${i},1e9,gold,-1e9,${l.split(",")[4]}`)].join("\n"),
    );
    const splits = ["--splits", "rows.json#churn", "--json", "--quiet"];
    const usual = jsonOf(await train("--out", "usual", ...splits));
    const ended = await cli.run("train", "strange.csv", ...CHURN, ...QUICK, "--out", "strange", ...splits);
    const strange = jsonOf(ended);
    expect(usual.rows).toEqual({ file: 600, train: 360, validation: 90, test: 130, unused: 20 });
    expect(Object.keys(cli.files("strange"))).toEqual(Object.keys(cli.files("usual")));
    expect(strange.threshold).toBe(usual.threshold);
    expect(strange.warnings.join("\n")).toContain('column "plan"');
    for (const warning of strange.warnings) expect(ended.stderr).toContain(`warning: ${warning}\n`);
  });

  it("tests on another file", async () => {
    const result = jsonOf(await train("--out", "file", "--test", "others.csv", "--json", "--quiet"));
    expect(result.rows).toMatchObject({ train: 480, validation: 120, test: 200 });
  });

  it.each([
    ["focal", true],
    ["hinge", true],
    ["squaredHinge", true],
    ["mse", false],
  ])("trains with the loss %s; it says that scores are no probabilities: %s", async (loss, warns) => {
    const ended = await train("--out", loss, "--loss", loss, "--json", "--class-weight", "balanced");
    expect(ended.code, ended.stderr).toBe(0);
    expect(jsonOf(ended).metrics.test.rocAuc).toBeGreaterThan(0.8);
    expect(ended.stderr.includes(`no probabilities with --loss ${loss}`)).toBe(warns);
  });

  it.each([
    ["momentum", "linear"],
    ["nesterov", "cosine"],
    ["amsgrad", "step"],
    ["adamw", "exponential"],
    ["rmsprop", "constant"],
    ["adagrad", "constant"],
    ["sgd", "constant"],
  ])("trains with the optimizer %s and the schedule %s", async (optimizer, schedule) => {
    const ended = await train(
      "--out",
      optimizer,
      "--optimizer",
      optimizer,
      "--schedule",
      schedule,
      "--json",
      "--quiet",
    );
    expect(ended.code, ended.stderr).toBe(0);
    const { loss } = jsonOf(ended).history;
    expect(loss.at(-1)).toBeLessThan(loss[0]);
  });

  it("chooses the threshold by other rules", async () => {
    const alerts = jsonOf(await train("--out", "alerts", "--threshold", "alerts:100", "--json", "--quiet"));
    expect(alerts.metrics.validation.alertRate).toBeLessThanOrEqual(0.1);
    expect(alerts.metrics.validation.alertRate).toBeGreaterThan(0.08);
    const fixed = jsonOf(await train("--out", "fixed", "--threshold", "0.3", "--json", "--quiet"));
    expect(fixed.threshold).toBe(0.3);
  });
});

describe("a saved model", () => {
  it("has the metrics on the test rows that train printed", async () => {
    const splits = ["--splits", "rows.json#churn", "--json", "--quiet"];
    const before = jsonOf(await train("--out", "saved", ...splits));
    const evaluated = jsonOf(await cli.run("evaluate", "saved", "customers.csv", "--device", "cpu", ...splits));
    expect(evaluated.rows).toBe(130);
    expect(evaluated.metrics.test).toEqual(before.metrics.test);
  });

  it("predicts rows without the label column, with their ids, in their order", async () => {
    const { code, stdout, stderr } = await cli.run(
      "predict",
      "model",
      "new.csv",
      "--device",
      "cpu",
      "--out",
      "scores.csv",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toBe("");
    const lines = cli.read("scores.csv").trimEnd().split("\n");
    expect(lines[0]).toBe("customer_id,score,prediction");
    expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(Array.from({ length: 50 }, (_, i) => `c${i}`));
    const { threshold } = JSON.parse(cli.read("model/model.json"));
    for (const line of lines.slice(1)) {
      const [, score, prediction] = line.split(",");
      expect(prediction).toBe(Number(score) >= threshold.value ? "yes" : "no");
    }
  });

  it("writes scores to stdout, numbers its rows where there are no ids, and takes another threshold", async () => {
    cli.write("no-ids.csv", cli.read("new.csv").replace(/^[^,]*,/gm, ""));
    const { stdout } = await cli.run(
      "predict",
      "model",
      "no-ids.csv",
      "--device",
      "cpu",
      "--threshold",
      "0",
      "--quiet",
    );
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("row,score,prediction");
    expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(lines.slice(1).every((line) => line.endsWith(",yes"))).toBe(true);
  });

  it("predicts the same scores on the GPU and on the CPU, to float32's rounding", async () => {
    const scores = async (device: string) =>
      jsonOf(await cli.run("predict", "model", "new.csv", "--device", device, "--json", "--quiet")).scores as number[];
    const [gpu, cpu] = [await scores("webgpu"), await scores("cpu")];
    expect(Math.max(...gpu.map((score, i) => Math.abs(score - cpu[i])))).toBeLessThan(1e-5);
  });
});
