import fs from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, useCli } from "./support.ts";

const cli = useCli();
beforeAll(() => cli.write("customers.csv", customers(600)));

const modelOf = (folder: string) =>
  Object.fromEntries(Object.entries(cli.files(folder)).filter(([name]) => !name.startsWith("checkpoint")));

describe.each([
  ["cpu", "150"],
  ["webgpu", "60"],
])("on %s", (device, epochs) => {
  const args = [
    "train",
    "customers.csv",
    ...CHURN,
    "--layers",
    "16,8",
    "--schedule",
    "linear",
    "--early-stopping",
    "50",
    "--epochs",
    epochs,
    "--device",
    device,
    "--refit",
    "always",
  ];

  it("a run stopped by Ctrl-C and resumed saves the bytes of an uninterrupted one", async () => {
    const whole = await cli.run(...args, "--out", `${device}-whole`, "--quiet");
    expect(whole.code, whole.stderr).toBe(0);

    const out = ["--out", `${device}-cut`, "--checkpoint", "1000"];
    const first = await cli.interrupt(/epoch +\d+\/\d+/, "SIGINT", ...args, ...out);
    expect(first.code, first.stderr).toBe(130);
    expect(first.stderr).toMatch(/the same command with --resume goes on/);
    expect(modelOf(`${device}-cut`)).toEqual({});

    const second = await cli.interrupt(/Once more/, "SIGINT", ...args, ...out, "--resume");
    expect(second.code, second.stderr).toBe(130);
    const third = await cli.run(...args, ...out, "--resume");
    expect(third.code, third.stderr).toBe(0);
    expect(third.stderr).toMatch(/Going on after epoch/);
    expect(modelOf(`${device}-cut`)).toEqual(modelOf(`${device}-whole`));
  }, 180_000);
});

it("a run that has not ended is not written over by the same command without --resume", async () => {
  const args = ["train", "customers.csv", ...CHURN, "--device", "cpu", "--out", "open", "--epochs", "20000"];
  const often = ["--early-stopping", "0", "--checkpoint", "1"];
  const first = await cli.interrupt(/epoch +\d+\/\d+/, "SIGINT", ...args, ...often);
  expect(first.code, first.stderr).toBe(130);
  const before = cli.files("open");
  const again = await cli.run(...args, ...often);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/open\/checkpoint holds a run that has not ended[\s\S]*--resume/);
  expect(cli.files("open")).toEqual(before);

  // A run that has ended may be run anew.
  const short = [
    "train",
    "customers.csv",
    ...CHURN,
    "--device",
    "cpu",
    "--out",
    "ended",
    "--epochs",
    "4",
    "--checkpoint",
    "2",
  ];
  expect((await cli.run(...short)).code).toBe(0);
  expect((await cli.run(...short)).code).toBe(0);
});

it("an unfinished run stays one however new the model beside it, until it has ended", async () => {
  const args = ["train", "customers.csv", ...CHURN, "--device", "cpu", "--out", "older", "--early-stopping", "0"];
  const often = ["--checkpoint", "1", "--refit", "never"];
  expect((await cli.run(...args, "--epochs", "2")).code).toBe(0);
  const killed = await cli.interrupt(/epoch +[3-9]\d*\/\d+/, "SIGKILL", ...args, ...often, "--epochs", "20000");
  expect(killed.signal).toBe("SIGKILL");
  const later = new Date(Date.now() + 3_600_000);
  fs.utimesSync(path.join(cli.folder, "older/model.json"), later, later);
  // A model trained meanwhile, without checkpoints, does not end it either.
  expect((await cli.run(...args, "--epochs", "2")).code).toBe(0);
  const again = await cli.run(...args, ...often, "--epochs", "2");
  expect(again.stderr).toMatch(/holds a run that has not ended/);
  expect((await cli.run(...args, ...often, "--epochs", "1", "--resume")).code).toBe(0);
  expect((await cli.run(...args, ...often, "--epochs", "2")).code).toBe(0);
});

it("files of others where checkpoints go are an error before any work", async () => {
  const args = ["train", "customers.csv", ...CHURN, "--device", "cpu", "--epochs", "2", "--checkpoint", "1"];
  cli.write("mine/checkpoint/notes/a.txt", "mine");
  cli.write("mine/checkpoint/refit/b.txt", "mine");
  const ended = await cli.run(...args, "--out", "mine");
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/mine\/checkpoint is for checkpoints; got mine\/checkpoint\/refit\/b\.txt/);
  expect(Object.keys(cli.files("mine"))).toEqual(["checkpoint/notes/a.txt", "checkpoint/refit/b.txt"]);
});

it("Ctrl-C without --checkpoint saves nothing and says so", async () => {
  const out = ["--out", "none", "--device", "cpu", "--epochs", "5000", "--early-stopping", "0"];
  const ended = await cli.interrupt(/epoch +\d+\/\d+/, "SIGINT", "train", "customers.csv", ...CHURN, ...out);
  expect(ended.code, ended.stderr).toBe(130);
  expect(ended.stderr).toContain("Nothing was saved");
  expect(fs.existsSync(path.join(cli.folder, "none"))).toBe(false);
});

it("resuming with another network is refused, and the checkpoint stays", async () => {
  const args = ["train", "customers.csv", ...CHURN, "--device", "cpu", "--out", "other", "--epochs", "4", "--quiet"];
  expect((await cli.run(...args, "--layers", "8", "--checkpoint", "2")).code).toBe(0);
  const before = cli.files("other");
  const ended = await cli.run(...args, "--layers", "9", "--resume");
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("this checkpoint was made with another architecture");
  expect(cli.files("other")).toEqual(before);

  // The share of positives, and so the network's first bias, changes with one label.
  const [header, first, ...rest] = customers(600).split("\n");
  const flipped = first.replace(/(yes|no)$/, (label) => (label === "yes" ? "no" : "yes"));
  cli.write("customers.csv", [header, flipped, ...rest].join("\n"));
  const changed = await cli.run(...args, "--layers", "8", "--resume");
  expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("was made with other data")]);
});
