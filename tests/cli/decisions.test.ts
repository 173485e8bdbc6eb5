import { beforeAll, describe, expect, it } from "vitest";
import { applyCalibration } from "../../src/metrics/calibration.ts";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
/** Of the rows that most of these tests evaluate on. */
const SEEN = "the rows that the model was trained on are among these: its metrics here are too good.";
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

// The focal loss's weight of positives makes scores far too high for the prevalence: there is something to mend.
const SKEWED = ["--loss", "focal", "--alpha", "0.9", "--refit", "always"];
const scored = async (command: string, folder: string) =>
  jsonOf(await cli.run(command, folder, "customers.csv", "--device", "cpu", "--quiet", "--json"));

describe("--calibrate", () => {
  it("makes scores probabilities, in train, evaluate and predict alike", async () => {
    const plain = await train("plain", ...SKEWED);
    const raw = (await scored("predict", "plain")).scores.map(Math.fround);
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
      const calibrated = Float32Array.from(applyCalibration(result.calibration, raw));
      expect(Float32Array.from(scores)).toEqual(calibrated);
      expect(positives).toBe(scores.filter((score: number) => score >= result.threshold).length);
      if (method !== "platt") continue;
      const { metrics, diagnostics } = await scored("evaluate", method);
      expect(metrics.test.confusion.tp + metrics.test.confusion.fp).toBe(positives);
      const bins: { weight: number; meanPredicted: number }[] = diagnostics.calibration;
      const sum = scores.reduce((total: number, score: number) => total + score, 0);
      expect(bins.reduce((total, bin) => total + bin.weight * (bin.meanPredicted ?? 0), 0)).toBeCloseTo(sum, 3);
    }
  });

  it("needs validation rows", async () => {
    const error = await refused("--calibrate", "platt", "--validation", "0");
    expect(error).toMatchObject({ code: "E_ARGUMENT" });
    expect(error.message).toContain("--calibrate platt: there are no validation rows");
  });
});

describe("a score given back as --threshold", () => {
  it("says yes to its own row, in CSV, JSON and evaluate alike", async () => {
    await train("saved");
    cli.write("few.csv", customers(400).split("\n").slice(0, 9).join("\n"));
    const at = (command: string, ...args: readonly string[]) =>
      cli.run(command, "saved", "few.csv", "--device", "cpu", "--quiet", ...args);
    const { scores }: { scores: number[] } = jsonOf(await at("predict", "--json"));
    expect(new Set(scores.map((score) => Math.fround(score))).size).toBe(8);
    for (const score of scores) {
      const lines = (await at("predict", "--threshold", `${score}`)).stdout.trim().split("\n").slice(1);
      expect(lines.map((line) => line.split(",")[1])).toEqual(scores.map(String));
      expect(lines.map((line) => line.split(",")[2])).toEqual(scores.map((other) => (other >= score ? "yes" : "no")));
      const yes = scores.filter((other) => other >= score).length;
      const { tp, fp } = jsonOf(await at("evaluate", "--threshold", `${score}`, "--json")).metrics.test.confusion;
      expect(tp + fp).toBe(yes);
      const predicted = jsonOf(await at("predict", "--threshold", `${score}`, "--json"));
      expect(predicted).toMatchObject({ positives: yes, threshold: score });
    }
  });
});

describe("what is said of a model", () => {
  it("names rows that it was trained on, and no verdict where it is logistic regression itself", async () => {
    const args = ["train", "customers.csv", ...CHURN, ...QUICK, "--out"];
    const network = await cli.run(...args, "network");
    expect(network.stdout).toMatch(/By PR-AUC .*paired difference/);
    const simple = await cli.run(...args, "simple", "--model", "mlp", "--layers", "");
    expect(simple.code, simple.stderr).toBe(0);
    expect(simple.stdout).not.toMatch(/By PR-AUC|prefer it/);
    const again = await cli.run("evaluate", "network", "customers.csv", "--device", "cpu", "--quiet");
    expect(again.stderr).toMatch(/warning: .*that the model was trained on are among these/);
    cli.write("others.csv", customers(400, { seed: 9 }));
    expect((await cli.run("evaluate", "network", "others.csv", "--device", "cpu", "--quiet")).stderr).toBe("");
  });

  it("leaves scores as they were learned with --no-correction", async () => {
    const weighted = ["--class-weight", "0:1,1:5", "--refit", "never", "--epochs", "3"];
    const [corrected, raw] = [
      await train("corrected", ...weighted),
      await train("raw", ...weighted, "--no-correction"),
    ];
    expect(corrected.priorShift).toBeCloseTo(-Math.log(5), 5);
    expect(raw.priorShift).toBe(0);
    const sums = [corrected, raw].map(({ diagnostics }) =>
      diagnostics.calibration.reduce((sum: number, bin: { meanPredicted: number }) => sum + bin.meanPredicted, 0),
    );
    expect(sums[1]).toBeGreaterThan(sums[0]);
  });
});

describe("--threshold-folds", () => {
  it("saves the threshold that folds of the training and validation rows give, and changes nothing else", async () => {
    const [plain, folded] = [await train("one"), await train("folded", "--threshold-folds", "3")];
    expect([plain.thresholdFolds, folded.thresholdFolds]).toEqual([null, 3]);
    expect(folded.threshold).not.toBe(plain.threshold);
    expect(folded.metrics.test.prAuc).toBe(plain.metrics.test.prAuc);
    const saved = JSON.parse(cli.read("folded/model.json"));
    expect(saved.threshold).toEqual({ value: folded.threshold, rule: "f1" });
    expect(saved.training.settings.thresholdFolds).toBe(3);
  });

  it("is told, streams, and keeps groups together", async () => {
    const lines = customers(400).trimEnd().split("\n");
    const regions = lines.map((line, i) => (i === 0 ? `${line},region` : `${line},r${Math.floor((i - 1) / 10)}`));
    cli.write("regions.csv", `${regions.join("\n")}\n`);
    const run = (out: string, ...args: readonly string[]) =>
      cli.run("train", "regions.csv", ...CHURN, ...QUICK, "--out", out, "--group", "region", ...args);
    const [memory, stream] = [
      await run("regions", "--threshold-folds", "2", "--report", "regions.html"),
      await run("regions-streamed", "--threshold-folds", "2", "--stream", "--json"),
    ];
    expect(memory.code, memory.stderr).toBe(0);
    expect(memory.stdout).toContain("(f1 on 2 folds of the rows that are not for testing)");
    expect(cli.read("regions.html")).toContain("on 2 folds of the rows that are not for testing, never on test rows");
    expect(stream.code, stream.stderr).toBe(0);
    expect(cli.files("regions-streamed")).toEqual(cli.files("regions"));
    const { rows } = jsonOf(stream);
    for (const part of ["train", "validation", "test"]) expect(rows[part] % 10).toBe(0);
    expect(cli.read("regions/model.json")).not.toContain("region=");
  });

  it("refuses a threshold that is given, too many folds, and folds by group and by time at once", async () => {
    const given = await refused("--threshold", "0.5", "--threshold-folds", "3");
    expect(given.message).toContain("--threshold-folds: --threshold 0.5 has no such option");
    expect((await refused("--threshold-folds", "1000")).message).toContain("folds: got 1000");
    const both = await refused("--group", "plan", "--time");
    expect(both.message).toContain("--group and --time: got both");
  });
});

describe("a threshold by which all rows have the same answer", () => {
  it("is refused where no score can reach it, and where a cost is left out", async () => {
    for (const given of ["1.5", "-0.2"]) {
      expect((await refused(`--threshold=${given}`)).message).toContain(`got ${given}; expected a number in [0, 1]`);
    }
    expect((await refused("--threshold", "cost:fp=1")).message).toContain("no cost of a miss");
    for (const [command, given] of [
      ["predict", "2"],
      ["evaluate", "-3"],
    ]) {
      const ended = await cli.run(command, "one", "customers.csv", `--threshold=${given}`);
      expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("a number in [0, 1]")]);
    }
  });

  it("is a warning, with --quiet too, and is shown as none", async () => {
    const never = ["train", "customers.csv", ...CHURN, ...QUICK, "--threshold", "alerts:0", "--out", "silent"];
    const { code, stdout, stderr } = await cli.run(...never);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^warning: at the threshold none of \d+ rows is a yes\.$/m);
    expect(stdout).toContain("threshold none alerts on 0");
    const all = ["evaluate", "silent", "customers.csv", "--device", "cpu", "--threshold", "0", "--quiet", "--json"];
    const { warnings } = jsonOf(await cli.run(...all));
    expect(warnings).toEqual([SEEN, "at the threshold each of 400 rows is a yes."]);
    expect((await cli.run(...all)).stderr).toBe(`warning: ${warnings[0]}\nwarning: ${warnings[1]}\n`);
  });
});

it("--threshold warns where no threshold reaches the floor", async () => {
  cli.write(
    "alike.csv",
    `age,plan,churned\n${Array.from({ length: 60 }, (_, i) => `${i % 2},a,${i % 3 ? "no" : "yes"}\n`).join("")}`,
  );
  const args = ["train", "alike.csv", "--target", "churned", "--positive", "yes", ...QUICK, "--json", "--no-baseline"];
  const ended = await cli.run(...args, "--out", "unmet", "--threshold", "precision>=0.9");
  expect(ended.code, ended.stderr).toBe(0);
  const { thresholdAttained, warnings } = jsonOf(ended);
  expect(thresholdAttained).toBe(false);
  const unmet = warnings.find((warning: string) => warning.startsWith("no threshold"));
  expect(unmet).toMatch(/^no threshold reaches precision>=0.9 on the rows it is chosen on/);
  expect(ended.stderr).toContain(`warning: ${unmet}`);
});

/** The same customers, with one more column. */
const withColumn = (name: string, cell: (label: string, row: number) => string | number): string =>
  customers(400)
    .trimEnd()
    .split("\n")
    .map((line, i) => `${line},${i === 0 ? name : cell(line.slice(line.lastIndexOf(",") + 1), i - 1)}\n`)
    .join("");
const weighted = (weight: (label: string, row: number) => string | number) => withColumn("weight", weight);

describe("--sample-weight", () => {
  const run = (file: string, out: string, ...args: readonly string[]) =>
    cli.run("train", file, ...COMMON, "--out", out, ...args);
  // Hinge losses begin at a bias of 0, whatever the class weights are.
  const hinge = ["--loss", "hinge", "--early-stopping", "0", "--epochs", "5", "--refit", "never"];

  it("weighs losses and metrics, is no input, and is used by evaluate where the column is there", async () => {
    cli.write(
      "weighted.csv",
      weighted((label) => (label === "yes" ? 10 : 1)),
    );
    const [byColumn, streamed, byClass] = await Promise.all([
      run("weighted.csv", "column", ...hinge, "--sample-weight", "weight", "--calibrate", "platt"),
      run("weighted.csv", "streamed", ...hinge, "--sample-weight", "weight", "--calibrate", "platt", "--stream"),
      run("customers.csv", "class", ...hinge, "--class-weight", "0:1,1:10"),
    ]);
    const parameters = (folder: string) =>
      Object.values(cli.files(folder)).filter((_, i) => !Object.keys(cli.files(folder))[i].endsWith("model.json"));
    expect(byColumn.code, byColumn.stderr).toBe(0);
    expect(parameters("column")).toEqual(parameters("class"));
    expect(streamed.code, streamed.stderr).toBe(0);
    expect(parameters("streamed")).toEqual(parameters("column"));
    const [result, plain] = [jsonOf(byColumn), jsonOf(byClass)];
    expect(jsonOf(streamed).metrics).toEqual(result.metrics);
    expect(result.settings.sampleWeight).toBe("weight");
    for (const part of ["train", "validation", "test"]) {
      const [{ confusion, rows, prevalence }, { confusion: c }] = [result.metrics[part], plain.metrics[part]];
      const positives = c.tp + c.fn;
      expect(confusion.tp + confusion.fn).toBe(10 * positives);
      expect(prevalence).toBeCloseTo((10 * positives) / (10 * positives + rows - positives), 12);
    }
    const evaluated = async (file: string) =>
      jsonOf(await cli.run("evaluate", "column", file, "--device", "cpu", "--quiet", "--json"));
    const [weights, none] = [await evaluated("weighted.csv"), await evaluated("customers.csv")];
    expect(weights.metrics.test.confusion.tp).toBe(10 * none.metrics.test.confusion.tp);
    expect(weights.metrics.test.confusion.fp).toBe(none.metrics.test.confusion.fp);
    expect(weights.warnings).toEqual([SEEN]);
    expect(none.warnings).toEqual([SEEN, 'there is no column "weight": all rows weigh alike.']);
  });

  it("refuses texts, missing and negative weights, unknown columns, and resampling beside it", async () => {
    const bad = [
      ["texts", weighted(() => "much"), [], "E_DATA", "has texts; expected numbers >= 0"],
      [
        "mixed",
        weighted((_, row) => (row === 3 ? "much" : 1)),
        [],
        "E_DATA",
        'line 5, column "weight": non-numeric cell',
      ],
      [
        "negative",
        weighted((_, row) => (row === 3 ? -2 : 1)),
        [],
        "E_DATA",
        "the weight is -2; expected a number >= 0",
      ],
      ["missing", weighted((_, row) => (row === 3 ? "" : 1)), [], "E_DATA", "the weight is missing"],
      ["absent", customers(400), [], "E_DATA", 'there is no column "weight"'],
      [
        "smote",
        weighted(() => 1),
        ["--resample", "smote"],
        "E_ARGUMENT",
        "--resample smote and --sample-weight: got both",
      ],
    ] as const;
    await Promise.all(
      bad.map(async ([name, content, args, code, message]) => {
        cli.write(`${name}.csv`, content);
        const ended = await run(`${name}.csv`, "never", "--sample-weight", "weight", ...args);
        const { error } = jsonOf(ended);
        expect(ended.code).toBe(2);
        expect(error.code).toBe(code);
        expect(error.message).toContain(message);
      }),
    );
  });
});

describe("--amount", () => {
  const BY_AMOUNT = ["--threshold", "cost:fp=5,fn=amount", "--amount", "size"];
  const sizes = (row: number) => (row % 7) * (row % 3 === 0 ? 0.25 : 4);
  const run = (file: string, out: string, ...args: readonly string[]) =>
    cli.run("train", file, ...COMMON, "--out", out, ...args);

  it("costs each row its own, in train, evaluate and cv, in memory and streamed, and is no input", async () => {
    cli.write(
      "sized.csv",
      withColumn("size", (_, row) => sizes(row)),
    );
    const report = ["--report", "sized.html"];
    const cross = ["--device", "cpu", "--layers", "8", "--epochs", "3", "--quiet", "--json", "--no-baseline"];
    const [memory, streamed, folds, told] = await Promise.all([
      run("sized.csv", "sized", ...BY_AMOUNT, ...report),
      run("sized.csv", "sized-streamed", ...BY_AMOUNT, "--stream", "--threshold-folds", "2"),
      cli.run("cv", "sized.csv", ...CHURN, ...cross, ...BY_AMOUNT, "--folds", "2"),
      cli.run("train", "sized.csv", ...CHURN, "--positive", "yes", ...QUICK, "--json", ...BY_AMOUNT, "--out", "told"),
    ]);
    for (const { code, stderr } of [memory, streamed, folds, told]) expect(code, stderr).toBe(0);
    const { cost, baseline, metrics } = jsonOf(told);
    expect(cost).toEqual(jsonOf(memory).cost);
    expect(cost.alwaysAlert).toBe(5 * (metrics.test.confusion.tn + metrics.test.confusion.fp));
    expect(baseline.cost).toMatchObject({ neverAlert: cost.neverAlert, alwaysAlert: cost.alwaysAlert });
    expect(told.stderr).toContain("size (prices errors)");
    expect(told.stderr).toMatch(
      /Cost {2}\S+ at the threshold; logistic regression at its own \S+, never alert \S+, alert always \S+\n/,
    );
    expect(cli.read("sized.html")).toContain("a false alarm 5, a miss the row’s amount");
    const { preprocessing } = JSON.parse(cli.read("sized/model.json"));
    expect(preprocessing.dropped).toContainEqual({ name: "size", reason: "excluded" });

    const { scores } = jsonOf(await cli.run("predict", "sized", "sized.csv", "--device", "cpu", "--quiet", "--json"));
    const labels = cli
      .read("sized.csv")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",")[4] === "yes");
    const costAt = (threshold: number) =>
      labels.reduce((sum, yes, i) => sum + (scores[i] >= threshold ? (yes ? 0 : 5) : yes ? sizes(i) : 0), 0);
    const evaluate = (file: string, ...args: readonly string[]) =>
      cli.run("evaluate", "sized", file, "--device", "cpu", "--quiet", "--json", ...args);
    const [whole, stream, without] = (
      await Promise.all([evaluate("sized.csv"), evaluate("sized.csv", "--stream"), evaluate("customers.csv")])
    ).map(jsonOf);
    for (const { threshold, cost } of whole.diagnostics.thresholds) expect(cost).toBeCloseTo(costAt(threshold), 9);
    expect(whole.cost.atThreshold).toBeCloseTo(costAt(whole.threshold), 9);
    expect(whole.cost.neverAlert).toBeCloseTo(costAt(2), 9);
    expect(whole.cost.alwaysAlert).toBe(costAt(0));
    expect(without.cost).toBeNull();
    expect(stream.diagnostics).toEqual(whole.diagnostics);
    expect(without.warnings).toEqual([SEEN, 'there is no column "size": costs are not by amount.']);
    expect(without.diagnostics.costs).toMatchObject({ fp: 1 });

    // Where a miss costs a thousand times as much, hardly a yes may be missed.
    cli.write(
      "large.csv",
      withColumn("size", (_, row) => 1000 * sizes(row)),
    );
    const large = jsonOf(await run("large.csv", "large", ...BY_AMOUNT));
    expect(large.threshold).toBeLessThan(jsonOf(memory).threshold);
  });

  it("is searched with: a candidate of tune need not use it, but one must", async () => {
    cli.write(
      "priced.csv",
      withColumn("size", (_, row) => sizes(row)),
    );
    const small = ["--device", "cpu", "--layers", "4", "--epochs", "2", "--quiet", "--json", "--amount", "size"];
    const tune = (rules: string, out: string) =>
      cli.run("tune", "priced.csv", ...CHURN, ...small, "--try", `threshold=${rules}`, "--measure", "f1", "--out", out);
    const [mixed, idle] = await Promise.all([tune("f1|cost:fp=5,fn=amount", "mixed"), tune("f1|mcc", "idle")]);
    expect(mixed.code, mixed.stderr).toBe(0);
    expect(jsonOf(mixed).trials).toHaveLength(2);
    expect(idle.code).toBe(2);
    expect(jsonOf(idle).error.message).toContain("--amount: --threshold f1, mcc has no such option");
  });

  it("refuses texts, missing and negative amounts, unknown columns, and costs and columns without each other", async () => {
    const sized = (cell: string | number) => withColumn("size", (_, row) => (row === 3 ? cell : 1));
    const bad = [
      ["texts", withColumn("size", () => "much"), BY_AMOUNT, '--amount: column "size" has texts'],
      ["negative", sized(-2), BY_AMOUNT, 'line 5, column "size": the amount is -2; expected a number >= 0'],
      ["missing", sized(""), BY_AMOUNT, 'line 5, column "size": the amount is missing'],
      ["absent", customers(400), BY_AMOUNT, 'there is no column "size"'],
      ["none", sized(1), ["--threshold", "cost:fp=5,fn=amount"], "there are no amounts"],
      ["idle", sized(1), ["--amount", "size"], "--amount: --threshold f1 has no such option"],
    ] as const;
    await Promise.all(
      bad.map(async ([name, content, args, message]) => {
        cli.write(`amount-${name}.csv`, content);
        const ended = await run(`amount-${name}.csv`, "never", ...args);
        expect(ended.code).toBe(2);
        expect(jsonOf(ended).error.message).toContain(message);
      }),
    );
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
    expect(jsonOf(ended).error.message).toContain("Expected a number in [0, 1)");
  });
});
