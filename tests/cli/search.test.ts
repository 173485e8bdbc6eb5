import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, jsonOf, useCli } from "./support.ts";

const cli = useCli();
const SMALL = [...CHURN, "--device", "cpu", "--layers", "8", "--json", "--quiet"];
beforeAll(() => {
  const lines = customers(300).trimEnd().split("\n");
  // Ten rows to a region; every row of time in its place.
  const more = lines.map((line, i) => (i === 0 ? `${line},region` : `${line},r${Math.floor((i - 1) / 10)}`));
  cli.write("customers.csv", `${more.join("\n")}\n`);
});

const cv = async (...args: string[]) => {
  const ended = await cli.run("cv", "customers.csv", ...SMALL, "--epochs", "8", ...args);
  expect(ended.code, ended.stderr).toBe(0);
  return jsonOf(ended);
};

interface Fold {
  rows: { train: number; validation: number; test: number };
  test: { rows: number; prAuc: number; f1: number; confusion: { tp: number; fp: number; fn: number; tn: number } };
  threshold: number;
}

describe("cv", () => {
  it("tests every row once, and gives mean and deviation of the folds", async () => {
    const { folds, summary, baseline, pooled } = await cv("--folds", "4", "--exclude", "region");
    expect(folds.map(({ rows }: Fold) => rows.train + rows.validation + rows.test)).toEqual([300, 300, 300, 300]);
    expect(folds.reduce((n: number, { rows }: Fold) => n + rows.test, 0)).toBe(300);
    const values = folds.map(({ test }: Fold) => test.prAuc);
    const mean = values.reduce((a: number, b: number) => a + b, 0) / 4;
    const deviation = Math.sqrt(values.reduce((a: number, b: number) => a + (b - mean) ** 2, 0) / 3);
    expect(summary.prAuc.mean).toBeCloseTo(mean, 12);
    expect(summary.prAuc.std).toBeCloseTo(deviation, 12);
    expect(baseline.rocAuc.mean).toBeGreaterThan(0.9);
    expect(pooled.rows).toBe(300);
    for (const kind of ["tp", "fp", "fn", "tn"] as const) {
      const sum = folds.reduce((n: number, { test }: Fold) => n + test.confusion[kind], 0);
      expect(pooled.confusion[kind]).toBe(sum);
    }
  });

  it("repeats in other orders, and gives the same numbers for the same seed", async () => {
    const twice = ["--folds", "2", "--repeats", "2", "--no-baseline", "--exclude", "region"];
    const [a, b] = [await cv(...twice), await cv(...twice)];
    expect(a.folds).toHaveLength(4);
    expect(a.baseline).toBeNull();
    expect({ ...a, timing: null }).toEqual({ ...b, timing: null });
    expect(a.folds[0].test.prAuc).not.toBe(a.folds[2].test.prAuc);
  });

  it("keeps groups together, goes forward in time, and leaves one out", async () => {
    const grouped = await cv("--folds", "3", "--group", "region", "--no-baseline");
    for (const { rows } of grouped.folds) expect(rows.test % 10).toBe(0);
    for (const { rows } of grouped.folds) expect(rows.validation % 10).toBe(0);
    const timed = await cv("--folds", "3", "--time", "--no-baseline", "--exclude", "region");
    expect(timed.folds.map(({ rows }: Fold) => rows)).toEqual([
      { train: 60, validation: 15, test: 75 },
      { train: 120, validation: 30, test: 75 },
      { train: 180, validation: 45, test: 75 },
    ]);
    cli.write("few.csv", customers(40, { seed: 3 }));
    const ended = await cli.run("cv", "few.csv", ...SMALL, "--epochs", "3", "--leave-one-out", "--no-baseline");
    const single = jsonOf(ended);
    expect(single.folds).toHaveLength(40);
    expect(single.summary.rocAuc).toBeNull();
    expect(single.pooled.rows).toBe(40);
    expect(single.pooled.rocAuc).toBeGreaterThan(0.5);
  });

  it("knows nothing of a fold's test rows: other cells there change no other fold's threshold, nor this one's", async () => {
    const args = ["--folds", "2", "--time", "--no-baseline", "--exclude", "region"];
    const usual = await cv(...args);
    // In time order the last 100 rows are tested only, in the second fold.
    const lines = cli.read("customers.csv").trimEnd().split("\n");
    const strange = lines.map((l, i) => (i <= 200 ? l : l.replace(/^(\w+),\d+,\w+,[-.\d]+/, "$1,9000,gold,-77")));
    cli.write("strange.csv", `${strange.join("\n")}\n`);
    const changed = jsonOf(await cli.run("cv", "strange.csv", ...SMALL, "--epochs", "8", ...args));
    expect(changed.folds.map(({ threshold }: Fold) => threshold)).toEqual(
      usual.folds.map(({ threshold }: Fold) => threshold),
    );
    expect(changed.folds[0]).toEqual(usual.folds[0]);
    expect(changed.folds[1].test.prAuc).not.toBe(usual.folds[1].test.prAuc);
  });

  it("finds the same, whatever number of folds run at a time", async () => {
    const results = [];
    for (const jobs of ["1", "3"]) {
      const { timing: _timing, command: _command, ...found } = await cv("--folds", "4", "--jobs", jobs);
      results.push(found);
    }
    expect(results[1]).toEqual(results[0]);
  });

  it("interrupted, offers no option that it does not have", async () => {
    const args = [
      "cv",
      "customers.csv",
      ...CHURN,
      "--device",
      "cpu",
      "--layers",
      "8",
      "--epochs",
      "8",
      "--repeats",
      "50",
      "--jobs",
      "2",
    ];
    const ended = await cli.interrupt(/1 of 250 done/, "SIGINT", ...args);
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain("stopped. Nothing was saved.");
    expect(ended.stderr).not.toContain("--checkpoint");
  });

  it("says which options do not go together", async () => {
    const ended = await cli.run("cv", "customers.csv", ...SMALL, "--time", "--group", "region");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("--group and --time: got both");
  });
});

const TUNE = ["tune", "customers.csv", ...SMALL, "--exclude", "region", "--epochs", "9"];
const GRID = ["--try", "layers=4,16x8", "--try", "learning-rate=0.0003,0.01"];

describe("tune", () => {
  it("tries every combination on validation rows, and tests the best alone", async () => {
    const found = jsonOf(await cli.run(...(TUNE as [string]), ...GRID, "--out", "grid"));
    expect(found.trials).toHaveLength(4);
    const values = found.trials.map(({ value }: { value: number }) => value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(found.best.choice["learning-rate"]).toBe("0.01");
    expect(found.test.rows).toBe(60);
    expect(found.test.rocAuc).toBeGreaterThan(0.85);
  });

  it("killed, goes on without repeating what is finished, to the same result", async () => {
    const args = [...(TUNE as [string]), ...GRID, "--folds", "2", "--epochs", "40"].filter((a) => a !== "--quiet");
    const whole = jsonOf(await cli.run(args[0], ...args.slice(1), "--out", "whole"));
    await cli.interrupt(/trial [12] of 4/, "SIGKILL", ...args, "--out", "killed", "--jobs", "2");
    const journal = path.join(cli.folder, "killed", "journal.json");
    const before = JSON.parse(fs.readFileSync(journal, "utf8")).entries;
    const finished = Object.keys(before).length;
    expect(finished).toBeGreaterThanOrEqual(1);
    expect(finished).toBeLessThan(4);
    const resumed = await cli.run(args[0], ...args.slice(1), "--out", "killed", "--jobs", "3");
    expect(resumed.stderr).toContain(`Going on: ${finished} trials were finished before.`);
    const strip = ({ trials, test }: { trials: { choice: unknown; value: number }[]; test: unknown }) => ({
      trials: trials.map(({ choice, value }) => ({ choice, value })),
      test,
    });
    expect(strip(jsonOf(resumed))).toEqual(strip(whole));
    // What was finished was taken over as it was, its time included.
    expect(JSON.parse(fs.readFileSync(journal, "utf8")).entries).toMatchObject(before);
  });

  it("refuses the journal of another search", async () => {
    const ended = await cli.run("tune", "customers.csv", ...SMALL, "--try", "layers=3", "--out", "grid");
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.message).toContain("the journal of another search");
  });

  it("refuses a journal when a level's name, the row lists, or the model in the file are others", async () => {
    const rows = Array.from({ length: 300 }, (_, row) => row);
    const lists = (rows: number[]) => JSON.stringify({ a: { train: rows.slice(60), test: rows.slice(0, 60) } });
    const model = (units: number) =>
      JSON.stringify({
        type: "sequential",
        input: [5],
        layers: [
          { type: "dense", config: { units, activation: "relu" } },
          { type: "dense", config: { units: 1 } },
        ],
      });
    const csv = cli.read("customers.csv");
    const args = ["--target", "churned", "--id", "customer_id", "--exclude", "region", "--device", "cpu", "--json"];
    const more = [
      "--splits",
      "lists.json#a",
      "--model",
      "net.json",
      "--epochs",
      "2",
      "--try",
      "learning-rate=0.01,0.02",
    ];
    const again = async (name: string, changed: string, usual: string) => {
      cli.write(name, changed);
      const ended = await cli.run("tune", "data.csv", ...args, ...more, "--out", "asked");
      cli.write(name, usual);
      return ended;
    };
    cli.write("data.csv", csv);
    cli.write("lists.json", lists(rows));
    const first = await again("net.json", model(4), model(4));
    expect(first.code, first.stderr).toBe(0);
    expect((await again("net.json", model(4), model(4))).stderr).toContain("Going on: 2 trials");
    for (const [name, changed, usual] of [
      ["data.csv", csv.replaceAll("basic", "cheap"), csv],
      ["lists.json", lists([...rows].reverse()), lists(rows)],
      ["net.json", model(8), model(4)],
    ]) {
      const ended = await again(name, changed, usual);
      expect(jsonOf(ended).error?.message, name).toContain("the journal of another search");
    }
  });

  it("refuses a journal when the test file says something else", async () => {
    const args = [
      ...(TUNE as [string]),
      "--test",
      "test.csv",
      "--try",
      "layers=4,8",
      "--epochs",
      "2",
      "--out",
      "tested",
    ];
    const lines = cli.read("customers.csv").trimEnd().split("\n");
    cli.write("test.csv", `${lines.slice(0, 100).join("\n")}\n`);
    expect(jsonOf(await cli.run(...(args as [string]))).test.rows).toBe(99);
    cli.write("test.csv", `${lines.slice(0, 99).join("\n")}\n`);
    const { error } = jsonOf(await cli.run(...(args as [string])));
    expect(error.code).toBe("E_FILE");
    expect(error.message).toContain(`${path.join("tested", "journal.json")}: the journal of another search`);
    expect(error.hint).toContain("Choose a new folder with --out");
    expect(error.hint).toContain("files that did not change");
  });

  it("takes no outer fold of another number of folds from the journal", async () => {
    const nested = async (folds: string, out: string) => {
      const args = ["--try", "layers=4,16", "--epochs", "3", "--nested", folds, "--out", out];
      if (out === "fresh") args.push("--jobs", "2");
      return jsonOf(await cli.run(...(TUNE as [string]), ...args)).nested;
    };
    await nested("2", "outer");
    expect(await nested("3", "outer")).toEqual(await nested("3", "fresh"));
    const { entries } = JSON.parse(cli.read("outer/journal.json"));
    expect(Object.keys(entries)).toHaveLength(2 * (1 + 2 + 3));
  });

  it("draws the same candidates for the same seed, and halves them", async () => {
    const halving = [
      "--search",
      "halving",
      "--trials",
      "9",
      "--try",
      "learning-rate=0.001..0.1",
      "--try",
      "dropout=0,0.3",
    ];
    const a = jsonOf(await cli.run(...(TUNE as [string]), ...halving, "--out", "h1"));
    const b = jsonOf(await cli.run(...(TUNE as [string]), ...halving, "--out", "h2"));
    expect(a.trials.map((t: { choice: unknown }) => t.choice)).toEqual(
      b.trials.map((t: { choice: unknown }) => t.choice),
    );
    const budgets = a.trials.map((t: { budget: number }) => t.budget);
    expect(budgets).toEqual([9, 3, 3, 1, 1, 1, 1, 1, 1]);
    for (const { choice } of a.trials) {
      expect(Number(choice["learning-rate"])).toBeGreaterThanOrEqual(0.001);
      expect(Number(choice["learning-rate"])).toBeLessThanOrEqual(0.1);
    }
  });

  it("says what the search itself achieves, in outer folds", async () => {
    const { nested } = jsonOf(
      await cli.run(...(TUNE as [string]), "--try", "layers=4,16", "--nested", "2", "--out", "n"),
    );
    expect(nested.folds).toHaveLength(2);
    expect(nested.folds.map(({ test }: Fold) => test.rows)).toEqual([150, 150]);
    expect(nested.summary.prAuc.folds).toBe(2);
  });

  it.each([
    ["learning-rates=1,2", 'there is no option "learning-rates" to try', "Did you mean learning-rate?"],
    ["optimizer=adam,adamm", '--optimizer: got "adamm"', ""],
    ["momentum=0.5", "momentum=0.5: --momentum: adam has no such option", ""],
    ["layers=1..5", "a grid has no ranges", "--search random"],
  ])("finds what is wrong with %s before anything runs", async (text, message, hint) => {
    const ended = await cli.run(...(TUNE as [string]), "--try", text, "--out", "unmade");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toContain(hint);
    expect(fs.existsSync(path.join(cli.folder, "unmade"))).toBe(false);
  });
});

describe("compare", () => {
  it("puts every combination through the same folds, in one table and one plot", async () => {
    const lists = ["--loss", "bce,focal", "--optimizer", "adam,sgd", "--folds", "2", "--report", "compare.html"];
    const told = SMALL.filter((arg) => arg !== "--quiet");
    const ended = await cli.run("compare", "customers.csv", ...told, "--exclude", "region", "--epochs", "6", ...lists);
    expect(ended.code, ended.stderr).toBe(0);
    const { compared, baseline } = jsonOf(ended);
    expect(compared).toHaveLength(4);
    const means = compared.map(({ summary }: { summary: { prAuc: { mean: number } } }) => summary.prAuc.mean);
    const simpler = Math.max(...means) <= baseline.prAuc.mean;
    expect(ended.stderr).toMatch(/By .*logistic regression/);
    if (!simpler) expect(ended.stderr).not.toContain("logistic regression is better");
    expect(means).toEqual([...means].sort((a, b) => b - a));
    expect(baseline.prAuc.mean).toBeGreaterThan(0.7);
    const html = cli.read("compare.html");
    expect(html.match(/data-plot="comparison"/g)).toHaveLength(1);
    expect(html.match(/<table[ >]/g)).toHaveLength(1);
    // bce with adam is what cv would have found.
    const alone = await cv("--folds", "2", "--epochs", "6", "--exclude", "region");
    const same = compared.find(({ choice }: { choice: object }) =>
      JSON.stringify(choice).includes('"bce","optimizer":"adam"'),
    );
    expect(same.folds.map(({ test }: Fold) => test)).toEqual(alone.folds.map(({ test }: Fold) => test));
  });

  it("prints each warning of the folds once, though every candidate has it", async () => {
    // In time order the last 100 rows are tested only, in the second fold.
    const lines = cli.read("customers.csv").trimEnd().split("\n");
    const late = lines.map((line, i) => (i > 290 ? line.replace(/basic|plus|max/, "gold") : line));
    cli.write("late.csv", `${late.join("\n")}\n`);
    const args = [...CHURN, "--device", "cpu", "--exclude", "region", "--epochs", "2", "--no-baseline", "--json"];
    const ended = await cli.run("compare", "late.csv", ...args, "--folds", "2", "--time", "--loss", "bce,mse");
    const warned = ended.stderr.split("\n").filter((line) => line.startsWith("warning: "));
    expect(warned).toHaveLength(1);
    expect(warned[0]).toContain('"gold"');
    const { compared } = jsonOf(ended);
    for (const { warnings } of compared) expect(warned).toEqual([`warning: ${warnings[0]}`]);
  });

  it("compares resampling with none, and needs something to compare", async () => {
    const args = ["--exclude", "region", "--epochs", "4", "--folds", "2"];
    const ended = await cli.run("compare", "customers.csv", ...SMALL, ...args, "--resample", "none,smote");
    expect(
      jsonOf(ended)
        .compared.map(({ choice }: { choice: { resample: string } }) => choice.resample)
        .sort(),
    ).toEqual(["none", "smote"]);
    const nothing = await cli.run("compare", "customers.csv", ...SMALL, ...args);
    expect(nothing.stderr).toContain("no option has several values");
  });
});
