import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, QUICK, useCli } from "./support.ts";

const cli = useCli();
const train = (data: string, ...more: string[]) => [
  "train",
  data,
  ...CHURN,
  "--device",
  "cpu",
  "--out",
  "new",
  ...more,
];

beforeAll(async () => {
  cli.write("new.csv", customers(200));
  cli.write("splits.json", "{}");
  cli.write("net.json", "{}");
  fs.mkdirSync(path.join(cli.folder, "photos/yes"), { recursive: true });
  cli.write("photos/yes/1.png", "");
  fs.symlinkSync("new.csv", path.join(cli.folder, "symbolic.csv"));
  fs.symlinkSync("model", path.join(cli.folder, "same"));
  fs.linkSync(path.join(cli.folder, "new.csv"), path.join(cli.folder, "hard.csv"));
  fs.linkSync(path.join(cli.folder, "new.csv"), path.join(cli.folder, "table.json"));
  const ended = await cli.run("train", "new.csv", ...CHURN, ...QUICK, "--epochs", "2", "--out", "model", "--quiet");
  expect(ended.code, ended.stderr).toBe(0);
});

describe("an output that would replace what the command reads or keeps is refused", () => {
  const cases: [string[], RegExp][] = [
    [["predict", "model", "new.csv", "--out", "new.csv"], /--out: new\.csv is an input/],
    [["predict", "model", "new.csv", "--out", "./model/../new.csv"], /is an input/],
    [["predict", "model", "new.csv", "--out", "symbolic.csv"], /is an input/],
    [["predict", "model", "symbolic.csv", "--out", "new.csv"], /is an input/],
    [["predict", "model", "new.csv", "--out", "hard.csv"], /is an input/],
    [["predict", "model", "new.csv", "--out", "/dev/null"], /got a device or a pipe/],
    [["predict", "model", "new.csv", "--out", "/dev/stdout"], /got a device or a pipe/],
    [["predict", "model", "new.csv", "--out", "same/model.json"], /is a file of the model/],
    [["evaluate", "model", "table.json", "--report", "table.json"], /--report: table\.json is an input/],
    [["evaluate", "model", "new.csv", "--splits", "splits.json#a", "--report", "splits.json"], /is an input/],
    [train("table.json", "--report", "table.json"), /is an input/],
    [train("new.csv", "--test", "table.json", "--report", "table.json"), /is an input/],
    [train("new.csv", "--model", "net.json", "--report", "net.json"), /is an input/],
    [train("new.csv", "--report", "new/model.json"), /is a file of the model/],
    [train("photos", "--image", "2x2", "--report", "photos/yes/1.png"), /is an input/],
    [train("new.csv", "--device", "swiftshader", "--profile", "table.json"), /--profile: table\.json is an input/],
    [train("new.csv", "--device", "swiftshader", "--profile", "t.json", "--report", "./t.json"), /is the report/],
    [train("new.csv", "--device", "swiftshader", "--profile", "trace.csv"), /expected a name ending in \.json/],
    [["compare", "table.json", ...CHURN, "--loss", "bce,focal", "--report", "table.json"], /is an input/],
    [["tune", "new.csv", ...CHURN, "--try", "model=net.json", "--out", "s", "--report", "net.json"], /is an input/],
    [["tune", "new.csv", ...CHURN, "--try", "epochs=1", "--out", "s", "--report", "s/journal.json"], /is the journal/],
  ];
  it.each(cases)("%j", async (args, message) => {
    const before = cli.files();
    const ended = await cli.run(...args);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(2);
    expect(cli.files()).toEqual(before);
  });
});

it("other files in the model's folder are replaced", async () => {
  const args = ["predict", "model", "new.csv", "--out", "model/scores.csv", "--device", "cpu"];
  expect((await cli.run(...args)).code).toBe(0);
  expect((await cli.run(...args)).code).toBe(0);
  expect(cli.read("model/scores.csv").split("\n")).toHaveLength(202);
});
