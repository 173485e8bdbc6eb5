import { beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/program.ts";
import { CHURN, customers, QUICK, useCli } from "./support.ts";

const cli = useCli();
const CPU = ["--device", "cpu"];
const SHORT = [...CPU, "--layers", "4", "--epochs", "2", "--quiet"];

// What the other tests run in their own process, once as a process of its own.
describe("as a process", () => {
  beforeAll(async () => {
    cli.write("customers.csv", customers(600));
    cli.write("others.csv", customers(600, { seed: 2 }));
    await cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--out", "model");
  });

  it.each([
    ["train", ["customers.csv", ...CHURN, ...SHORT, "--out", "again"]],
    ["evaluate", ["model", "others.csv", ...CPU, "--quiet"]],
    ["predict", ["model", "customers.csv", ...CPU, "--quiet"]],
    ["cv", ["customers.csv", ...CHURN, ...SHORT, "--folds", "2"]],
    ["compare", ["customers.csv", ...CHURN, ...SHORT, "--folds", "2", "--loss", "bce,focal"]],
    ["tune", ["customers.csv", ...CHURN, ...SHORT, "--try", "layers=2,3", "--out", "search"]],
    ["inspect", ["customers.csv", "--target", "churned", ...CPU]],
    ["describe", ["customers.csv", "--target", "churned"]],
  ])("%s ends with 0, and has its result alone on stdout", async (command, args) => {
    const { code, signal, stdout, stderr } = await cli.spawn(command, ...args, "--json");
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  });

  it("says nothing of what Dawn makes of a driver's limits", async () => {
    const { code, stderr } = await cli.spawn("predict", "model", "customers.csv", "--device", "swiftshader", "--quiet");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("speaks to people on stderr and ends with 2 where its input is wrong", async () => {
    const told = await cli.spawn("train", "customers.csv", ...CHURN, ...QUICK, "--out", "told", "--json");
    expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining("Test rows, never used above") });
    expect(JSON.parse(told.stdout).target).toBe("churned");
    const wrong = await cli.spawn("train", "none.csv", ...CHURN, ...QUICK, "--out", "never");
    expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("error: none.csv") });
    expect(await cli.spawn()).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("Commands:") });
  });

  const shell = (script: string, ...args: readonly string[]) =>
    run("bash", ["-c", script, cli.program, process.execPath, cli.program, ...args], { cwd: cli.folder });

  it.each([[], ["--json"]])("writes every byte of a result, or ends with 1: %j", async (...more) => {
    cli.write("many.csv", customers(6000));
    const predict = ["predict", "model", "many.csv", ...CPU, "--quiet", ...more];
    const whole = await cli.spawn(...predict);
    // A file may have 40 KiB here, as on a disk that fills.
    const cut = await shell('ulimit -f 40; "$@" > out', ...predict);
    expect(cut).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("stdout: cannot write it, the file is larger"),
    });
    expect((await shell('"$@" > out', ...predict)).code).toBe(0);
    expect(cli.read("out")).toBe(whole.stdout);
  });

  it("goes on when those who read what it says have seen enough, and saves the model", async () => {
    const train = ["train", "customers.csv", ...CHURN, ...QUICK, "--out", "watched"];
    const { code, stdout } = await shell('set -o pipefail; "$@" 2>&1 | head -1', ...train);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect((await cli.run("evaluate", "watched", "customers.csv", ...CPU, "--json")).code).toBe(0);
  });
});
