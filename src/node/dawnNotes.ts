/**
 * Drivers in software offer a million dynamic buffers, of which Dawn takes 16. It says so in two lines at every start, from C++
 * straight to the process's stderr, and has no switch for that. It looks for adapters within one call: meanwhile stderr leads
 * to a file, and what else was written there comes out afterwards.
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { resolvePeer } from "./peers.ts";

const STDERR = 2;
const REDUCED =
  /^Warning: maxDynamic\w+ artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.\n/gm;

/** @param work what is done before it returns, not what it may promise */
export function withoutReductions<T>(work: () => T): T {
  const descriptors = descriptorsOf();
  if (!descriptors) return work();
  const { dup, dup2, close } = descriptors;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-"));
  const file = fs.openSync(path.join(folder, "stderr"), "wx+", 0o600);
  fs.rmSync(folder, { recursive: true });
  const stderr = dup(STDERR);
  dup2(file, STDERR);
  try {
    return work();
  } finally {
    dup2(stderr, STDERR);
    close(stderr);
    const said = Buffer.alloc(fs.fstatSync(file).size);
    fs.readSync(file, said, 0, said.length, 0);
    fs.closeSync(file);
    const rest = said.toString().replace(REDUCED, "");
    if (rest !== "") process.stderr.write(rest);
  }
}

interface Descriptors {
  readonly dup: (descriptor: number) => number;
  readonly dup2: (from: number, to: number) => number;
  readonly close: (descriptor: number) => number;
}

/** The C library's; without koffi, which the software GPU from npm needs, the lines are put up with. */
function descriptorsOf(): Descriptors | null {
  if (process.platform !== "linux" || !resolvePeer("koffi")) return null;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const libc = koffi.load("libc.so.6");
    return {
      dup: libc.func("int dup(int)"),
      dup2: libc.func("int dup2(int, int)"),
      close: libc.func("int close(int)"),
    };
  } catch {
    return null;
  }
}
