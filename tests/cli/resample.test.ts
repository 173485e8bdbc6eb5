import { beforeAll, describe, expect, it } from "vitest";
import { namesOf, RESAMPLERS } from "../../src/experiment/variants.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
beforeAll(() => cli.write("customers.csv", customers(600)));

const train = (out: string, ...args: string[]) =>
  cli.run("train", "customers.csv", ...CHURN, "--out", out, ...QUICK, "--no-baseline", ...args);

describe("train --resample", () => {
  it("learns from resampled training rows, and validates and tests on the rows as they are", async () => {
    const [plain, over] = [
      jsonOf(await train("plain", "--refit", "never", "--json", "--quiet")),
      jsonOf(await train("over", "--refit", "never", "--resample", "smote", "--json", "--quiet")),
    ];
    expect(over.rows).toEqual(plain.rows);
    for (const part of ["train", "validation", "test"]) {
      const counts = ({ tn, fp, fn, tp }: Record<string, number>) => [tn + fp, fn + tp];
      expect(counts(over.metrics[part].confusion)).toEqual(counts(plain.metrics[part].confusion));
    }
    const { rows, positives, synthetic, method } = over.resampled;
    const before = plain.metrics.train.confusion.tp + plain.metrics.train.confusion.fn;
    expect(method).toBe("smote");
    expect(positives).toBe(rows / 2);
    expect(synthetic).toBe(positives - before);
    expect(over.priorShift).toBeCloseTo(Math.log(before / (rows / 2)), 12);
    expect([plain.resampled, plain.priorShift]).toEqual([null, 0]);
    expect(over.settings).toMatchObject({ resample: "smote" });
    expect(over.warnings).toEqual([expect.stringContaining("smoteNC gives each row one")]); // of the plans
    const saved = JSON.parse(cli.read("over/model.json"));
    expect(saved.training.settings.resample).toBe("smote");
    expect(saved.preprocessing).toEqual(JSON.parse(cli.read("plain/model.json")).preprocessing);
  });

  it("keeps the mean score at the prevalence, which the uncorrected scores are far from", async () => {
    const { priorShift, metrics } = jsonOf(
      await train("honest", "--resample", "randomOverSampler", "--epochs", "40", "--json", "--quiet"),
    );
    cli.write("unlabelled.csv", customers(2000, { labels: false, seed: 9 }));
    const { scores } = jsonOf(
      await cli.run("predict", "honest", "unlabelled.csv", "--device", "cpu", "--json", "--quiet"),
    );
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const uncorrected = scores.map((p: number) => 1 / (1 + ((1 - p) / p) * Math.exp(priorShift)));
    const { prevalence } = metrics.train;
    expect(Math.abs(mean(scores) - prevalence)).toBeLessThan(0.04);
    expect(mean(uncorrected) - prevalence).toBeGreaterThan(0.08);
  });

  it("tells what it did", async () => {
    const { code, stderr, stdout } = await train(
      "told",
      "--resample",
      "randomUnderSampler",
      "--sampling-strategy",
      "0.5",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /Resampled +randomUnderSampler: \d+ rows, \d+ of them positive \(of the refit, from training and validation rows\)/,
    );
  });

  it.each(namesOf(RESAMPLERS))("works with %s", async (name) => {
    const { code, stderr, stdout } = await train(name, "--resample", name, "--epochs", "2", "--json", "--quiet");
    expect(code, stderr).toBe(0);
    expect(jsonOf({ stdout } as never).resampled.method).toBe(name);
  });

  it("goes with balanced batches, which alone are corrected for, too", async () => {
    const { resampled, priorShift, metrics } = jsonOf(
      await train("balanced", "--balanced-batches", "--refit", "never", "--json", "--quiet"),
    );
    const { prevalence } = metrics.train;
    expect(resampled).toMatchObject({ method: "balanced batches", synthetic: 0 });
    expect(priorShift).toBeCloseTo(Math.log(prevalence / (1 - prevalence)), 12);
  });

  it("gives the bytes of an uninterrupted run when Ctrl-C came in the refit, whose rows are resampled again", async () => {
    const options = ["--resample", "smote", "--balanced-batches", "--refit", "always", "--epochs", "60"];
    const args = [...options, "--early-stopping", "50"];
    const whole = await train("whole", ...args, "--quiet");
    expect(whole.code, whole.stderr).toBe(0);
    const cut = ["train", "customers.csv", ...CHURN, ...QUICK, "--no-baseline", ...args, "--out", "cut"];
    const first = await cli.interrupt(/Once more/, "SIGINT", ...cut, "--checkpoint", "1000");
    expect(first.code, first.stderr).toBe(130);
    const second = await cli.run(...cut, "--checkpoint", "1000", "--resume");
    expect(second.code, second.stderr).toBe(0);
    expect(cli.read("cut/model.json")).toBe(cli.read("whole/model.json"));
  });

  it.each([
    [["--resample", "smot"], /argument 'smot' is invalid/],
    [
      ["--resample", "tomekLinks", "--sampling-strategy", "0.5"],
      /--sampling-strategy: --resample tomekLinks has no such option/,
    ],
    [["--k-neighbors", "3"], /--k-neighbors: a run without --resample has no such option/],
    [
      ["--resample", "smote", "--k-neighbors", "500"],
      /--resample smote: got \d+ rows of the rarer class; --k-neighbors 500 needs at least 501/,
    ],
    [
      ["--resample", "smote", "--sampling-strategy", "0.01"],
      /--resample smote: got --sampling-strategy 0.01; the rows have \d+ to \d+ \(0\.\d+\) already/,
    ],
    [["--resample", "smoteNC", "--exclude", "plan"], /0 of 2 columns are categorical/],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await train("refused", ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(() => cli.read("refused/model.json")).toThrow();
  });
});
