/** Child processes for the npm scripts. Node only, no packages. */
import { spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Runs a program that shares this terminal and ends with this process; gives its exit status (1 when it could not start or a
 * signal ended it).
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    const end = () => child.kill();
    process.on("exit", end);
    child.on("close", (code) => {
      process.off("exit", end);
      resolve(code ?? 1);
    });
  });
}

/** Runs a program and gives what it wrote to stdout, or `undefined` when it failed. */
export function capture(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs a file of this project, or of an installed package, with Node. */
export const runNode = (file, args = [], options = {}) =>
  run(process.execPath, [path.join(root, file), ...args], options);

/** Runs npm, the one that started us when there is one. */
export function runNpm(args, options = {}) {
  const npm = process.env.npm_execpath;
  if (npm?.endsWith(".js")) return run(process.execPath, [npm, ...args], options);
  return run("npm", args, { shell: process.platform === "win32", ...options });
}
