/** The command line in a folder of its own: in this process, or as one of its own. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { draws } from "../../src/random.ts";
import type { Ended } from "../support/program.ts";
import { bundleProgram, repository, run } from "../support/program.ts";

export interface Cli {
  /** The folder it runs in; empty to begin with. */
  readonly folder: string;
  /** The program, bundled. */
  readonly program: string;
  /** Runs it in this process; one waits for the other, as they share the folder that the process is in. */
  run(...args: readonly string[]): Promise<Ended>;
  /** Runs it as a process of its own. */
  spawn(...args: readonly string[]): Promise<Ended>;
  /** Runs it until a line of stderr matches, then sends the signal. */
  interrupt(when: RegExp, signal: NodeJS.Signals, ...args: readonly string[]): Promise<Ended>;
  /** Makes the folders on the way, too. */
  write(name: string, content: string | Uint8Array): void;
  read(name: string): string;
  /** Every file below the folder, by path, as hex. */
  files(name?: string): Record<string, string>;
}

type CommandLine = typeof import("../../src/cli/commandLine.ts");

export function useCli(): Cli {
  let program = "";
  let folder = "";
  let commandLine: CommandLine;
  let last: Promise<unknown> = Promise.resolve();
  beforeAll(async () => {
    program = await bundleProgram(path.join(repository, "src/cli/main.ts"));
    // Bundled, it loads and computes faster than from modules that Vitest has to look into.
    commandLine = await import(
      pathToFileURL(await bundleProgram(path.join(repository, "src/cli/commandLine.ts"))).href
    );
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-cli-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return {
    get folder() {
      return folder;
    },
    get program() {
      return program;
    },
    run(...args) {
      const ended = last.then(() => runHere(commandLine, program, folder, args));
      last = ended.catch(() => {});
      return ended;
    },
    spawn: (...args) => run(process.execPath, [program, ...args], { cwd: folder }),
    interrupt: (when, signal, ...args) => interrupted(program, folder, when, signal, args),
    write: (name, content) => {
      const file = path.join(folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    },
    read: (name) => fs.readFileSync(path.join(folder, name), "utf8"),
    files: (name = ".") => {
      const found = fs.readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true });
      const paths = found.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
      return Object.fromEntries(
        paths
          .sort()
          .map((file) => [path.relative(path.join(folder, name), file), fs.readFileSync(file).toString("hex")]),
      );
    },
  };
}

async function runHere(
  { runCommandLine }: CommandLine,
  program: string,
  folder: string,
  args: readonly string[],
): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const into = (name: keyof typeof said) => ({
    write(text: string, done?: () => void) {
      said[name] += text;
      if (done) setImmediate(done);
    },
  });
  const before = process.cwd();
  process.chdir(folder);
  try {
    const code = await runCommandLine(args, { stdout: into("stdout"), stderr: into("stderr"), program });
    return { code, signal: null, ...said };
  } finally {
    process.chdir(before);
  }
}

function interrupted(
  program: string,
  cwd: string,
  when: RegExp,
  signal: NodeJS.Signals,
  args: readonly string[],
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    let [stdout, stderr, sent] = ["", "", false];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (sent || !when.test(stderr)) return;
      sent = true;
      child.kill(signal);
    });
    child.on("error", reject);
    child.on("close", (code, ended) => resolve({ code, signal: ended, stdout, stderr }));
  });
}

const PLANS = ["basic", "plus", "max"];

/** Customers of whom about a fifth leave: by age and usage, with noise. */
export function customers(rows: number, { labels = true, seed = 1 } = {}): string {
  const draw = draws(seed, 0);
  const lines = [`customer_id,age,plan,usage${labels ? ",churned" : ""}`];
  for (let row = 0; row < rows; row++) {
    const at = row * 8;
    const age = 18 + draw.integer(at, 60);
    const usage = draw.normal(at + 4);
    const churned = 0.05 * (age - 48) - 1.5 * usage + 0.5 * draw.normal(at + 5) > 1.6 ? "yes" : "no";
    const plan = PLANS[draw.integer(at + 6, 3)];
    lines.push([`c${row}`, age, plan, usage.toFixed(3), ...(labels ? [churned] : [])].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** A noisy wave: the next value follows from the last ones. */
export function wave(rows: number, seed: number): string {
  const draw = draws(seed, 0);
  const text = Array.from({ length: rows }, (_, t) => {
    const close = 100 + 10 * Math.sin(t / 3) + 0.5 * draw.normal(2 * t);
    return `day${t},${close.toFixed(3)},${draw.integer(2 * t + 1, 1000)}`;
  });
  return `day,close,volume\n${text.join("\n")}\n`;
}

/** Options for a small, quick run on the CPU. */
export const QUICK = ["--layers", "8", "--epochs", "15", "--threshold-folds", "none", "--device", "cpu"];
export const CHURN = ["--target", "churned", "--id", "customer_id"];

/** The one JSON object on stdout. */
export const jsonOf = ({ stdout }: Ended) => JSON.parse(stdout);
