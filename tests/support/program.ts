import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { bundleForEsbuild } from "../../tools/bundle.mjs";
import { newestChange } from "../../tools/changes.mjs";
import { wgslForEsbuild } from "../../tools/wgsl.mjs";

export const repository = path.join(import.meta.dirname, "..", "..");

const SOURCES = ["src", "shaders", "bench", "tools", "package.json", "package-lock.json"];

/**
 * Bundles a TypeScript file for Node and gives the file to run; packages stay outside the bundle. A bundle that bears the time
 * of the newest source is the one of these sources: whoever comes first, in whichever process, makes it for all.
 */
export async function bundleProgram(file: string): Promise<string> {
  const name = path.relative(repository, file).replace(/\.ts$/, "").replaceAll(path.sep, "-");
  const outfile = path.join(repository, ".cache", "tests", `${name}.mjs`);
  const newest = new Date(
    Math.max(...[...SOURCES, file].map((source) => newestChange(path.resolve(repository, source)))),
  );
  if (fs.existsSync(outfile) && fs.statSync(outfile).mtimeMs === newest.getTime()) return outfile;
  const temporary = `${outfile}.${process.pid}`;
  await build({
    entryPoints: [file],
    outfile: temporary,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    loader: { ".py": "text" },
    plugins: [wgslForEsbuild(), bundleForEsbuild()],
    logLevel: "silent",
  });
  fs.utimesSync(temporary, newest, newest);
  fs.renameSync(temporary, outfile);
  return outfile;
}

export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until it is killed; default 60,000. */
  readonly timeout?: number;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const env = { ...process.env, ...options.env };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? repository,
      env,
      timeout: options.timeout ?? 60_000,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
