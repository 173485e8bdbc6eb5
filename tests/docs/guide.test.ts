import fs from "node:fs";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { useCli } from "../cli/support.ts";
import { repository } from "../support/program.ts";

const cli = useCli();
const guide = fs.readFileSync(path.join(repository, "docs", "rare-yes.md"), "utf8");
const commands = [...guide.matchAll(/^ {4}tilegrad (.*)$/gm)].map(([, line]) => line);

beforeAll(() => {
  fs.mkdirSync(path.join(cli.folder, "demo/data"), { recursive: true });
  fs.copyFileSync(
    path.join(repository, "demo/data/breast_cancer.csv"),
    path.join(cli.folder, "demo/data/breast_cancer.csv"),
  );
});

it("every command of the guide runs as it is written", async () => {
  expect(commands.length).toBeGreaterThanOrEqual(8);
  for (const line of commands) {
    const args = line.split(" ").map((word) => word.replaceAll('"', ""));
    // Shorter, and on the CPU: what the numbers are is not asked here.
    const quick = args[0] === "describe" ? [] : ["--device", "cpu"];
    const short = ["train", "cv", "compare", "tune"].includes(args[0]) ? ["--epochs", "2", "--layers", "8"] : [];
    const ended = await cli.run(...args, ...quick, ...short);
    expect(ended.code, `${line}\n${ended.stderr}`).toBe(0);
  }
  for (const file of ["report.html", "compare.html", "evaluation.html"]) {
    expect(cli.read(file)).toMatch(/^<!doctype html>/);
  }
  expect(cli.read("scores.csv").split("\n")).toHaveLength(571);
}, 120_000);
