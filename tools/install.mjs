/** Installs what package-lock.json asks for, when it is not there. Works before anything is installed. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { root, runNpm } from "./process.mjs";

const readLock = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

/** Why the `node_modules` of `folder` is not what its lockfile says, or `undefined`. */
export function whyStale(folder) {
  // npm records what it installed in a lockfile of its own inside node_modules.
  const installedFile = path.join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile)) return "node_modules is absent";
  const installed = readLock(installedFile);
  for (const [name, { version, optional, link }] of Object.entries(readLock(path.join(folder, "package-lock.json")))) {
    const found = installed[name]?.version;
    // Packages for other platforms are optional and rightly absent.
    if (name === "" || link || found === version || (optional && !found)) continue;
    return `${name} is ${found ?? "absent"}, package-lock.json says ${version}`;
  }
  return undefined;
}

/** Runs `npm ci --ignore-scripts` in `folder` (relative to the project) when its packages are absent or behind. */
export async function ensureInstalled(folder = ".") {
  const at = path.join(root, folder);
  const reason = whyStale(at);
  if (!reason) return;
  const where = folder === "." ? "" : ` in ${folder}`;
  console.error(`Installing packages${where} (${reason}): npm ci --ignore-scripts`);
  const status = await runNpm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: at,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error(`npm ci failed${where} with status ${status}.`);
}
