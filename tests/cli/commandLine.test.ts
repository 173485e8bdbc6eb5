import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/commandLine.ts";
import { CHURN, customers, QUICK } from "./support.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-cli-"));
  fs.writeFileSync(path.join(folder, "customers.csv"), customers(200));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

async function runHere(...args: readonly string[]) {
  const said = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") => ({
    write(text: string, done?: () => void) {
      said[name] += text;
      done?.();
    },
  });
  const status = await runCommandLine(args, { stdout: into("stdout"), stderr: into("stderr") });
  return { status, ...said };
}

const listeners = () => [process, process.stdout, process.stderr].flatMap((each) => each.eventNames()).map(String);

describe("the command line in this process", () => {
  it("gives the status that a process would end with, and what it would print", async () => {
    const data = path.join(folder, "customers.csv");
    const before = listeners();
    const trained = await runHere("train", data, ...CHURN, ...QUICK, "--out", path.join(folder, "model"), "--json");
    expect(trained).toMatchObject({ status: 0, stderr: expect.stringContaining("epoch") });
    const { target, command } = JSON.parse(trained.stdout);
    expect({ target, command }).toMatchObject({ target: "churned", command: expect.stringContaining("--json") });
    expect(await runHere("train", data, "--json")).toMatchObject({
      status: 2,
      stdout: expect.stringContaining("required option '--out"),
    });
    expect(await runHere("--version")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await runHere("describe", "--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("Usage:") });
    expect(await runHere()).toMatchObject({ status: 2, stderr: expect.stringContaining("Commands:") });
    expect(await runHere("describe", data, "--target", "churned")).toMatchObject({ status: 0, stderr: "" });
    expect(listeners()).toEqual(before);
    expect(process.exitCode).toBeUndefined();
  });
});
