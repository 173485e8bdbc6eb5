import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const table = (...rows: string[]) => `${["a,b,y", ...rows].join("\n")}\n`;
/** 40 rows with both labels. */
const good = Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i % 4 === 0 ? "yes" : "no"}`);

beforeAll(async () => {
  cli.write("good.csv", table(...good));
  cli.write("empty.csv", "");
  cli.write("cat.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13));
  cli.write("header.csv", "a,b,y\n");
  cli.write("one-class.csv", table(...good.map((row) => row.replace("yes", "no"))));
  cli.write("three.csv", table(...good, "1,2,maybe"));
  cli.write("text.csv", table(...good.slice(0, 20), "oops,2,no", ...good.slice(20)));
  cli.write("ragged.csv", table(...good, "1,2"));
  cli.write("infinite.csv", table(...good, "inf,2,no"));
  cli.write("huge.csv", table(...good, "1e999,2,no"));
  cli.write("unlabelled.csv", table(...good, "1,2,"));
  cli.write("single.csv", table(...good.map((row, i) => (i === 0 ? row : row.replace("yes", "no")))));
  cli.write("two.csv", table(...good.map((row, i) => (i < 5 ? row : row.replace("yes", "no")))));
  cli.write(
    "splits.json",
    JSON.stringify({
      none: null,
      s: { train: [0, 1, 2, 3, 4], test: [4, 5, 8] },
      far: { train: [0, 1, 4, 5], test: [99] },
    }),
  );
  cli.write("file", "");
  fs.mkdirSync(path.join(cli.folder, "full"));
  cli.write("full/notes.txt", "mine");
  fs.mkdirSync(path.join(cli.folder, "foreign"));
  cli.write("foreign/model.json", '{"format":"layers-model"}');
  cli.write("unended/checkpoint/checkpoint.json", "{}");
  cli.write("amounts.csv", table(...good.map((row, i) => row.replace(/yes|no/, String(10 * i)))));
  cli.write("customers.csv", customers(200));
  await cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--out", "model", "--quiet");
});

const train = (file: string, ...more: string[]) => [
  "train",
  file,
  "--target",
  "y",
  "--out",
  "out",
  "--device",
  "cpu",
  ...more,
];

/** What is wrong, the command, the error's code, and what its message names. */
const cases: [string, string[], string, RegExp][] = [
  ["a time without --tune", ["doctor", "--seconds", "5"], "E_ARGUMENT", /--seconds: doctor without --tune has no such/],
  [
    "rows without --model",
    ["doctor", "--tune", "--batch", "8"],
    "E_ARGUMENT",
    /--batch: doctor --tune without --model/,
  ],
  ["a missing file", train("nope.csv"), "E_FILE", /nope\.csv: cannot read it, there is no such file/],
  [
    "a missing file without target",
    ["inspect", "nope.csv", "--device", "cpu"],
    "E_FILE",
    /nope\.csv: cannot read it, there is no such file/,
  ],
  ["an image as the file", train("cat.png"), "E_DATA", /cat\.png: got a binary file; expected lines of text/],
  [
    "a rule out of range",
    train("good.csv", "--threshold", "recall>=1.5"),
    "E_ARGUMENT",
    /threshold "recall>=1.5": recallAtLeast is 1.5/,
  ],
  ["a folder as the file", train("full"), "E_FILE", /full: cannot read it, it is a folder/],
  ["an empty file", train("empty.csv"), "E_DATA", /empty\.csv: the file is empty/],
  ["a header without rows", train("header.csv"), "E_DATA", /no data lines/],
  ["a missing target column", ["train", "good.csv", "--target", "Y", "--out", "out"], "E_DATA", /no column "Y"/],
  ["one class only", train("one-class.csv"), "E_DATA", /one class only \("no" in all rows\)/],
  ["a class with a single row", train("single.csv"), "E_DATA", /single\.csv: y = yes has 1 row to divide;/],
  [
    "a class of two rows",
    train("two.csv"),
    "E_DATA",
    /two\.csv: y = yes has 1 row to divide \(the others of its 2 are/,
  ],
  [
    "too many folds",
    ["cv", "good.csv", "--target", "y", "--folds", "12"],
    "E_ARGUMENT",
    /10 rows of y = yes .*at most 10/,
  ],
  ["a misspelt --out", ["train", "good.csv", "--target", "y", "--outt", "m"], "E_ARGUMENT", /unknown option '--outt'/],
  ["more than two labels without --positive", train("three.csv"), "E_DATA", /got 3 labels: "maybe", "no", "yes"/],
  ["a positive label that no row has", train("good.csv", "--positive", "ja"), "E_DATA", /positive label "ja"/],
  ["a row without label", train("unlabelled.csv"), "E_DATA", /unlabelled\.csv, line 42, column "y"/],
  [
    "a text in a numeric column",
    train("text.csv"),
    "E_DATA",
    /text\.csv, line 22, column "a": non-numeric cell "oops"/,
  ],
  ["a ragged row", train("ragged.csv"), "E_DATA", /ragged\.csv, line 42: got 2 fields; expected 3/],
  ["an infinite feature", train("infinite.csv"), "E_DATA", /infinite\.csv, line 42, column "a"/],
  ["a number beyond float64", train("huge.csv"), "E_DATA", /huge\.csv, line 42, column "a"/],
  ["an unknown option", train("good.csv", "--epoch", "3"), "E_ARGUMENT", /unknown option '--epoch'/],
  ["an unknown command", ["tran", "good.csv"], "E_ARGUMENT", /unknown command 'tran'/],
  ["a surplus argument", train("good.csv", "more.csv"), "E_ARGUMENT", /too many arguments/],
  [
    "a missing required option",
    ["train", "good.csv", "--target", "y"],
    "E_ARGUMENT",
    /required option '--out <folder>'/,
  ],
  ["a number out of range", train("good.csv", "--epochs", "0"), "E_ARGUMENT", /'0' is invalid.*positive integer/],
  [
    "an option of another loss",
    train("good.csv", "--gamma", "2"),
    "E_ARGUMENT",
    /--gamma: the loss bce has no such option/,
  ],
  [
    "an option of another schedule",
    train("good.csv", "--end-rate", "0"),
    "E_ARGUMENT",
    /--end-rate: the schedule constant/,
  ],
  ["an unknown threshold rule", train("good.csv", "--threshold", "best"), "E_ARGUMENT", /threshold rule "best"/],
  [
    "splits and test",
    train("good.csv", "--splits", "splits.json#s", "--test", "0.1"),
    "E_ARGUMENT",
    /--splits and --test/,
  ],
  ["a split that is not there", train("good.csv", "--splits", "splits.json#t"), "E_FILE", /no split "t"/],
  [
    "a split that is null",
    train("good.csv", "--splits", "splits.json#none"),
    "E_FILE",
    /no split "none"; there are s, far/,
  ],
  ["a row in train and test", train("good.csv", "--splits", "splits.json#s"), "E_FILE", /row 4 is listed twice/],
  ["a row that does not exist", train("good.csv", "--splits", "splits.json#far"), "E_ARGUMENT", /row 99/],
  ["an output that is a file", train("good.csv", "--out", "file"), "E_FILE", /file: got a file; expected a folder/],
  ["an output below a file", train("good.csv", "--out", "file/model"), "E_FILE", /file\/model: cannot write it/],
  ["an output with other files", train("good.csv", "--out", "full"), "E_FILE", /"notes\.txt" and no tilegrad model/],
  [
    "another program's model.json",
    train("good.csv", "--out", "foreign"),
    "E_FILE",
    /"model\.json" and no tilegrad model/,
  ],
  ["resuming without a checkpoint", train("good.csv", "--resume"), "E_FILE", /nothing to resume, no checkpoint in out/],
  [
    "a model that is not there",
    ["evaluate", "nope", "good.csv", "--device", "cpu"],
    "E_FILE",
    /nope: there is no model/,
  ],
  [
    "a table without the model's columns",
    ["predict", "model", "good.csv", "--device", "cpu"],
    "E_DATA",
    /no columns "plan", "age", "usage"; /,
  ],
  [
    "a run that has not ended",
    ["predict", "unended", "good.csv", "--device", "cpu"],
    "E_FILE",
    /unended: got a checkpoint/,
  ],
  ["inspecting a table without a target", ["inspect", "good.csv", "--device", "cpu"], "E_ARGUMENT", /no --target/],
];

describe("bad input ends with status 2, a typed error, and nothing written", () => {
  it.each(cases)("%s", async (_, args, code, message) => {
    const before = cli.files();
    const ended = await cli.run(...args, "--json");
    expect(ended.stderr).toMatch(/^((note|warning): .*\n)*(Device: .*\n)?error: /);
    expect(ended.code).toBe(2);
    const { error } = jsonOf(ended);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(ended.stderr).toContain(error.message);
    expect(cli.files()).toEqual(before);
    expect(fs.existsSync(path.join(cli.folder, "out"))).toBe(false);
  });
});

describe("hints", () => {
  it.each([
    ["a column", ["train", "customers.csv", "--target", "churn", "--out", "out"], 'hint: Did you mean "churned"?'],
    ["an option", train("good.csv", "--epoch", "3"), "hint: Did you mean --epochs?"],
    ["a choice", train("good.csv", "--scaling", "standrad"), "hint: Did you mean standard?"],
    ["a device", ["predict", "model", "good.csv", "--device", "gpu"], "hint: Did you mean webgpu?"],
    ["a split", train("good.csv", "--splits", "splits.json#fat"), 'hint: Did you mean "far"?'],
  ])("name %s that was meant", async (_, args, hint) => {
    expect((await cli.run(...args)).stderr).toContain(hint);
  });

  it.each([
    ["a column of categories with a few numbers", train("text.csv"), "--categorical a "],
    ["amounts as the target", train("amounts.csv"), "which is regression"],
    ["a folder without a model", ["predict", "full", "good.csv"], "tilegrad train --out"],
    [
      "a loss that is not finite",
      train("good.csv", "--learning-rate", "1e30", "--batch", "4", "--device", "cpu"),
      "--clip-norm",
    ],
    ["a checkpoint instead of a model", ["evaluate", "unended", "good.csv", "--device", "cpu"], "--resume"],
  ])("say what to do about %s", async (_, args, hint) => {
    const { stderr } = await cli.run(...args);
    expect(stderr.split("\n").find((line) => line.startsWith("hint: "))).toContain(hint);
  });
});

describe("a damaged model", () => {
  /** The model with one file changed. */
  function damaged(name: string, file: RegExp, change: (content: Buffer) => Uint8Array): void {
    fs.cpSync(path.join(cli.folder, "model"), path.join(cli.folder, name), { recursive: true });
    const found = fs.readdirSync(path.join(cli.folder, name)).find((candidate) => file.test(candidate)) as string;
    const target = path.join(cli.folder, name, found);
    fs.writeFileSync(target, change(fs.readFileSync(target)));
  }
  const replaced = (from: RegExp, to: string) => (content: Buffer) => Buffer.from(content.toString().replace(from, to));

  it.each<[string, RegExp, (content: Buffer) => Uint8Array]>([
    ["truncated weights", /^weights/, (content) => content.subarray(0, content.length - 8)],
    [
      "a flipped bit in the weights",
      /^weights/,
      (content) => content.map((byte, i) => (i === content.length - 5 ? byte ^ 1 : byte)),
    ],
    ["a truncated model.json", /^model/, (content) => content.subarray(0, content.length >> 1)],
    ["a model of another shape", /^model/, replaced(/"input": \[\d+\]/, '"input": [7]')],
    ["preprocessing of other columns", /^model/, replaced(/"kind": "numeric"/, '"kind": "other"')],
    ["no threshold", /^model/, replaced(/"threshold": \{[^}]*\},/, "")],
  ])("with %s is E_FILE", async (name, file, change) => {
    damaged(name, file, change);
    const ended = await cli.run("predict", name, "customers.csv", "--device", "cpu", "--json", "--out", `${name}.csv`);
    expect(ended.code).toBe(2);
    expect(jsonOf(ended).error.code).toBe("E_FILE");
    expect(fs.existsSync(path.join(cli.folder, `${name}.csv`))).toBe(false);
  });
});

it("shows the commands and ends with status 2 when none is named", async () => {
  const { code, stdout, stderr } = await cli.run();
  expect(code).toBe(2);
  expect(stdout).toBe("");
  for (const name of ["train", "evaluate", "predict", "inspect", "doctor", "describe"]) expect(stderr).toContain(name);
});
