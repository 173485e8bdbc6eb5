import { expect, it } from "vitest";
import { CHURN, customers, jsonOf, QUICK, useCli } from "./support.ts";

const cli = useCli();
const quick = QUICK.filter((word, i) => word !== "--device" && QUICK[i - 1] !== "--device");

it("train --profile writes a trace of the step's kernels, beside a table", { timeout: 120_000 }, async () => {
  cli.write("customers.csv", customers(300));
  const profiled = ["--profile", "trace.json", "--device", "swiftshader", "--refit", "never"];
  const ended = await cli.run("train", "customers.csv", ...CHURN, ...quick, "--out", "model", "--json", ...profiled);
  expect(ended.code, ended.stderr).toBe(0);
  const { profile, settings } = jsonOf(ended);
  expect(profile.kernels.length).toBeGreaterThan(0);
  expect(settings).not.toHaveProperty("profile");
  expect(ended.stderr).toMatch(/kernel +us +share +GFLOP\/s \(of best\) +GB\/s \(of best\)/);
  const { traceEvents } = JSON.parse(cli.read("trace.json"));
  expect(traceEvents[0]).toMatchObject({ ph: "X", ts: 0, name: profile.kernels[0].kernel });
  expect(traceEvents.length % profile.kernels.length).toBe(0);
});

it("train --profile needs a GPU, and says so before anything is read", async () => {
  const ended = await cli.run(
    "train",
    "none.csv",
    ...CHURN,
    "--out",
    "other",
    "--device",
    "cpu",
    "--profile",
    "t.json",
  );
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/--profile: got --device cpu; expected a GPU/);
});
