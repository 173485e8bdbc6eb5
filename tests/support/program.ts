import { spawn } from "node:child_process";
import path from "node:path";
import { build } from "esbuild";
import { wgslForEsbuild } from "../../tools/wgsl.mjs";

export const repository = path.join(import.meta.dirname, "..", "..");

/** Bundles a TypeScript file for Node and gives the file to run; packages stay outside the bundle. */
export async function bundleProgram(file: string): Promise<string> {
  const outfile = path.join(repository, ".cache", "tests", `${path.basename(file, ".ts")}-${process.pid}.mjs`);
  await build({
    entryPoints: [file],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    loader: { ".py": "text" },
    plugins: [wgslForEsbuild()],
    logLevel: "silent",
  });
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
