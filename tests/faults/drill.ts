/** What drills share. Each does something awful so many times, drawn by a seed, and says what did not hold. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { draws } from "../../src/random.ts";
import { bundleProgram } from "../support/program.ts";

export interface Outcome {
  readonly tried: number;
  /** What did not hold, a line each. */
  readonly faults: readonly string[];
  /** How often what. */
  readonly note: string;
}

export interface DrillOptions {
  readonly count: number;
  readonly seed: number;
}

export type Drill = (options: DrillOptions) => Promise<Outcome>;

/** Whole numbers below `n`, one after another. */
export function numbers(seed: number): (n: number) => number {
  const draw = draws(seed, 0);
  let at = 0;
  return (n) => Math.floor(draw.uniform(at++) * n);
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "tilegrad-drill-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs a program of this folder; `heard` may end it when it has written something. */
export async function runProgram(
  name: string,
  args: readonly string[],
  { heard, shell = "" }: { heard?: (kill: () => void) => void; shell?: string } = {},
): Promise<Ended> {
  const program = await bundleProgram(path.join(import.meta.dirname, `${name}.ts`));
  const words = [process.execPath, program, ...args];
  const child = shell
    ? spawn("/bin/sh", ["-c", `${shell}; exec "$@"`, "sh", ...words])
    : spawn(words[0], words.slice(1));
  let [out, errors] = ["", ""];
  child.stdout.once("data", () => heard?.(() => child.kill("SIGKILL")));
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, lines: out.trim().split("\n"), errors };
}

/** Notes what `check` throws as a fault. */
export async function noting(faults: string[], what: string, check: () => unknown): Promise<void> {
  try {
    await check();
  } catch (error) {
    faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
