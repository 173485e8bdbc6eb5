import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { draws } from "../../src/random.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const train = (...args: string[]) => cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--quiet", ...args);
let result: ReturnType<typeof jsonOf>;
beforeAll(async () => {
  cli.write("customers.csv", customers(600));
  cli.write("others.csv", customers(300, { seed: 2 }));
  const trained = await train("--out", "model", "--report", "report.json", "--json");
  expect(trained.code, trained.stderr).toBe(0);
  result = jsonOf(trained);
});

describe("--report", () => {
  it(".json holds what --json prints", () => {
    expect(JSON.parse(cli.read("report.json"))).toEqual(result);
  });

  it(".svg and .png show all plots; the PNG has text in it", async () => {
    for (const ending of ["svg", "png"]) {
      const ended = await cli.run("evaluate", "model", "others.csv", "--device", "cpu", "--report", `plots.${ending}`);
      expect(ended.code, ended.stderr).toBe(0);
    }
    const svg = cli.read("plots.svg");
    const names = [...svg.matchAll(/data-plot="(\w+)"/g)].map(([, name]) => name);
    expect(names).toEqual(
      "confusion pr roc gain det cost scores cdf thresholds calibration importance attribution".split(" "),
    );
    const png = fs.readFileSync(path.join(cli.folder, "plots.png"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * Number(width), 2 * Number(height)]);
    expect(png.length).toBeGreaterThan(250_000);
  });

  it("and the texts of train, evaluate and cv say where a model of random labels is no better than guessing", async () => {
    const draw = draws(3, 1, 1);
    const coins = Array.from({ length: 240 }, (_, row) => [0, 1, 2].map((c) => draw.uniform(12 * row + 4 * c)));
    cli.write("coins.csv", ["a,b,y", ...coins.map(([a, b, y]) => `${a},${b},${y < 0.4 ? "yes" : "no"}`)].join("\n"));
    const how = ["--target", "y", "--positive", "yes", "--device", "cpu", "--epochs", "3", "--no-baseline"];
    const report = ["--report", "coins.html"];
    for (const args of [
      ["train", "coins.csv", ...how, "--out", "coin", ...report],
      ["evaluate", "coin", "coins.csv", "--device", "cpu", ...report],
      ["cv", "coins.csv", ...how, "--folds", "3"],
    ]) {
      const ended = await cli.run(...args);
      expect(ended.code, ended.stderr).toBe(0);
      if (args[0] !== "evaluate") expect(ended.stdout, args[0]).toMatch(/guessing \(/);
      // On the rows that it learned from a model may be better than guessing.
      if (args[0] === "cv") continue;
      const said = /^.*guessing \(.*$/m.exec(ended.stdout)?.[0].trim() ?? "";
      expect(cli.read("coins.html").includes(said), said).toBe(true);
    }
  });

  it("is written though only one test row is positive, or none", async () => {
    const [header, ...rows] = cli.read("others.csv").trim().split("\n");
    const yes = rows.filter((row) => /(^|,)yes(,|$)/.test(row));
    const no = rows.filter((row) => !yes.includes(row));
    for (const [name, kept] of [
      ["one", [yes[0], ...no]],
      ["none", no],
    ] as const) {
      cli.write(`${name}.csv`, [header, ...kept].join("\n"));
      const options = ["--device", "cpu", "--report", `${name}.json`];
      const ended = await cli.run("evaluate", "model", `${name}.csv`, ...options);
      expect(ended.code, ended.stderr).toBe(0);
      const { importance, metrics } = JSON.parse(cli.read(`${name}.json`));
      expect(metrics.test.rows).toBe(kept.length);
      if (name === "none") expect(importance).toBeNull();
      else expect(importance.permutation.length).toBeGreaterThan(0);
    }
  });

  it("says before any work what it cannot write", async () => {
    const wrong = await train("--out", "unmade", "--report", "report.doc");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--report: got "report.doc"; expected a name ending in .html, .json, .svg, .png.');
    const nowhere = await train("--out", "unmade", "--report", "customers.csv/report.html");
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain("a part of the path is a file");
    expect(fs.existsSync(path.join(cli.folder, "unmade"))).toBe(false);
  });

  it("changes nothing in the model", async () => {
    await train("--out", "plain");
    expect(cli.files("plain")).toEqual(cli.files("model"));
  });
});

describe("what train says beside the network", () => {
  it("is a warning of rows that occur twice and of columns that hold the answer", async () => {
    const lines = cli.read("customers.csv").trimEnd().split("\n");
    const told = lines.map(
      (line, i) => `${line},${i === 0 ? "cancelled_on" : line.endsWith("yes") ? 20 + (i % 9) : 0}`,
    );
    cli.write("leaky.csv", `${[...told, told[5]].join("\n")}\n`);
    const ended = await cli.run("train", "leaky.csv", ...CHURN, ...QUICK, "--epochs", "1", "--out", "leaky", "--json");
    expect(ended.stderr).toContain("warning: 1 row equal an earlier one");
    expect(ended.stderr).toContain("warning: almost perfect alone, and so perhaps the answer itself: cancelled_on");
    expect(jsonOf(ended).warnings).toHaveLength(2);
  });

  it("is logistic regression on the same rows, and the prevalence", async () => {
    const { baseline, metrics } = result;
    expect(baseline).toMatchObject({ model: "logistic regression", converged: true });
    expect(baseline.metrics.test.rows).toBe(metrics.test.rows);
    // The customers follow a linear rule: here it does as well as anything can.
    expect(baseline.metrics.test.rocAuc).toBeGreaterThan(0.9);
    expect(baseline.metrics.validation.f1).toBeGreaterThan(0.6);
    const { stdout } = await cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--out", "model");
    expect(stdout).toMatch(/^ +model +logistic +baseline$/m);
    expect(stdout).toContain(baseline.metrics.test.prAuc.toFixed(4));
    expect(jsonOf(await train("--out", "none", "--no-baseline", "--json")).baseline).toBeNull();
  });

  it("is the importance of each column, one-hot inputs together", async () => {
    const { importance } = jsonOf(await train("--out", "model", "--importance", "--json"));
    const names = importance.permutation.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["age", "plan", "usage"]);
    expect(importance.attribution.map(({ name }: { name: string }) => name)).toEqual(names);
    const [age, plan, usage] = importance.permutation;
    expect(usage.mean).toBeGreaterThan(0.2);
    expect(usage.mean).toBeGreaterThan(age.mean);
    expect(Math.abs(plan.mean)).toBeLessThan(0.05); // no plan makes customers leave
    expect(importance).toEqual(result.importance);
  });

  it("are intervals with a report, in which the value lies", () => {
    const { intervals, prAuc } = result.metrics.test;
    expect(intervals.prAuc.low).toBeLessThan(prAuc);
    expect(intervals.prAuc.high).toBeGreaterThan(prAuc);
  });

  it("are costs by the rule that chose the threshold", async () => {
    const { diagnostics, threshold } = jsonOf(await train("--out", "cost", "--threshold", "cost:fp=1,fn=7", "--json"));
    expect(diagnostics.costs).toEqual({ fp: 1, fn: 7 });
    const row = diagnostics.thresholds.find((r: { threshold: number }) => r.threshold === threshold);
    expect(row.cost).toBe(row.confusion.fp + 7 * row.confusion.fn);
  });
});
