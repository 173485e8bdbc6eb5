/** Optional packages, found at run time: their absence is a typed error that says what to install. Node only. */
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { TilegradError } from "../errors.ts";

const require = createRequire(import.meta.url);

export type Peer =
  | "webgpu"
  | "koffi"
  | "@sparticuz/chromium"
  | "@resvg/resvg-js"
  | "hyparquet"
  | "hyparquet-compressors";

/** The `E_PEER` error for missing packages; `purpose` completes "... needs", `instead` the hint. */
export function missingPeer(purpose: string, peers: readonly Peer[], instead = "", cause?: unknown): TilegradError {
  const names = peers.map((name) => `"${name}"`).join(", ");
  return new TilegradError("E_PEER", `${purpose} needs the optional package${peers.length > 1 ? "s" : ""} ${names}.`, {
    hint: `Install with: npm install ${peers.join(" ")}${instead}`,
    cause,
  });
}

/** Whether an import failed because the package is not there, rather than for a fault inside it. */
function isAbsent(cause: unknown, name: string): boolean {
  const { code, message } = cause as NodeJS.ErrnoException;
  return (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && message.includes(name);
}

/** Awaits a dynamic import of an optional package; throws `E_PEER`, as `missingPeer`, when it is not installed. */
export async function importPeer<T>(name: Peer, purpose: string, load: () => Promise<T>, instead = ""): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw isAbsent(cause, name) ? missingPeer(purpose, [name], instead, cause) : cause;
  }
}

/** The main file of an installed package, or `undefined`. */
export function resolvePeer(name: Peer): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** The main file of an optional package as a URL, for a worker to import; throws `E_PEER`, as `missingPeer`. */
export function peerUrl(name: Peer, purpose: string): string {
  const file = resolvePeer(name);
  if (file === undefined) throw missingPeer(purpose, [name]);
  return pathToFileURL(file).href;
}

/** The archives inside `@sparticuz/chromium` (its exports do not name them) and its version, or `undefined`. */
export function chromiumArchives(): { folder: string; version: string } | undefined {
  const main = resolvePeer("@sparticuz/chromium"); // .../build/cjs/index.cjs
  if (!main) return undefined;
  const root = path.join(path.dirname(main), "..", "..");
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
  return { folder: path.join(root, "bin"), version };
}

/** The user's own cache, whether it is there or not. */
export const cachePath = (): string =>
  path.join(process.env["XDG_CACHE_HOME"] || path.join(os.homedir(), ".cache"), "tilegrad");

/** Where files are kept between runs: the user's own cache, else a private folder of this process. */
export function cacheFolder(): string {
  const folder = cachePath();
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
    return folder;
  } catch {
    return fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-"));
  }
}
