import { beforeAll, describe, expect, it } from "vitest";
import { CHURN, customers, QUICK, useCli } from "./support.ts";

const cli = useCli();
const CPU = ["--device", "cpu"];
const SHORT = [...CPU, "--layers", "4", "--epochs", "2", "--quiet"];

// What the other tests run in their own process, once as a process of its own.
describe("as a process", () => {
  beforeAll(async () => {
    cli.write("customers.csv", customers(600));
    await cli.run("train", "customers.csv", ...CHURN, ...QUICK, "--out", "model");
  });

  it.each([
    ["train", ["customers.csv", ...CHURN, ...SHORT, "--out", "again"]],
    ["evaluate", ["model", "customers.csv", ...CPU, "--quiet"]],
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

  it("speaks to people on stderr and ends with 2 where its input is wrong", async () => {
    const told = await cli.spawn("train", "customers.csv", ...CHURN, ...QUICK, "--out", "told", "--json");
    expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining("Test rows, never used above") });
    expect(JSON.parse(told.stdout).target).toBe("churned");
    const wrong = await cli.spawn("train", "none.csv", ...CHURN, ...QUICK, "--out", "never");
    expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("error: none.csv") });
    expect(await cli.spawn()).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("Commands:") });
  });
});
