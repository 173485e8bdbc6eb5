import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, QUICK, useCli } from "./support.ts";

const cli = useCli();
const ROWS = 400;
const TEST = Array.from({ length: 100 }, (_, i) => 4 * i + 1);

/** The same file name in two folders, so that nothing but the test rows differs. */
beforeAll(() => {
  const lines = customers(ROWS).trimEnd().split("\n");
  const others = customers(ROWS, { seed: 77 }).trimEnd().split("\n");
  // Other customers with other ages, plans and usage, and the labels turned round.
  const changed = lines.map((line, i) => {
    if (!TEST.includes(i - 1)) return line;
    const label = line.endsWith(",yes") ? "no" : "yes";
    return `${others[i].replace(/,(yes|no)$/, "").replace(/,(\d+),/, ",1$1,")},${label}`;
  });
  cli.write("customers.csv", `${lines.join("\n")}\n`);
  cli.write("changed.csv", `${changed.join("\n")}\n`);
  const train = Array.from({ length: ROWS }, (_, row) => row).filter((row) => !TEST.includes(row));
  cli.write("rows.json", JSON.stringify({ half: { train, test: TEST } }));
});

/** All that a model folder holds, but for the name of the file. */
const fitted = (folder: string) => {
  const { training, ...model } = JSON.parse(cli.read(`${folder}/model.json`));
  const { data: _, ...settings } = training.settings;
  const weights = Object.entries(cli.files(folder)).filter(([name]) => name !== "model.json");
  return { ...model, training: { ...training, settings }, weights };
};

describe("changing every test row, features and labels, changes nothing that is fitted", () => {
  it.each([
    ["with the defaults", []],
    ["with SMOTE", ["--resample", "smote", "--refit", "always"]],
    [
      "with ADASYN, balanced batches and a threshold by costs",
      ["--resample", "adasyn", "--balanced-batches", "--threshold", "cost:fp=1,fn=7"],
    ],
    ["with a threshold by folds", ["--threshold-folds", "3", "--calibrate", "platt"]],
    ["with a calibration", ["--calibrate", "isotonic", "--class-weight", "effective:0.99"]],
    [
      "with SMOTE-ENN and min-max scaling",
      ["--resample", "smoteEnn", "--scaling", "minmax", "--threshold", "recall>=0.8"],
    ],
  ])("%s", async (name, args) => {
    const common = [
      ...CHURN,
      "--positive",
      "yes",
      "--splits",
      "rows.json#half",
      ...QUICK,
      "--quiet",
      "--json",
      ...args,
    ];
    const folders = ["customers.csv", "changed.csv"].map((file) => [file, `${name.replaceAll(/\W/g, "")}-${file}`]);
    const metrics = [];
    for (const [file, out] of folders) {
      const { code, stderr, stdout } = await cli.run("train", file, ...common, "--out", out);
      expect(code, stderr).toBe(0);
      metrics.push(JSON.parse(stdout).metrics);
    }
    expect(fitted(folders[0][1])).toEqual(fitted(folders[1][1]));
    expect(metrics[0].validation).toEqual(metrics[1].validation);
    expect(metrics[0].train).toEqual(metrics[1].train);
    expect(metrics[0].test).not.toEqual(metrics[1].test);
  });
});
