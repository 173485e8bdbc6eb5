/**
 * One writer of a folder at a time, over processes, threads and machines: a file that says who writes. Whether a process of
 * this machine lives, the system tells, however long it is busy; of others the file's time does, which they renew.
 */
import { randomUUID } from "node:crypto";
import { constants, readFileSync, readlinkSync } from "node:fs";
import { copyFile, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { TilegradError } from "../errors.ts";

const LOCK = ".tilegrad-lock";
/** Milliseconds between two looks at another's lock, between renewals of one's own, and after which a distant one that was not is dead. */
const LOOK = 25;
const RENEW = 1000;
const DEAD = 10_000;
/** How long another's save is waited for. */
const PATIENCE = 60_000;

interface Owner {
  readonly token: string;
  readonly host: string;
  /** Whose process numbers these are: since the machine was started, and of the container. */
  readonly numbers: string;
  readonly pid: number;
  /** When the process was, so that it is not mistaken for a later one of its number; "" where the system does not tell. */
  readonly started: string;
}

/** A file of /proc where there is one, as on Linux. */
const proc = (file: string): string | undefined => {
  try {
    return file.includes("/ns/") ? readlinkSync(file) : readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
};
const HAS_PROC = proc("/proc/self/stat") !== undefined;
const HERE = { host: hostname(), numbers: `${proc("/proc/sys/kernel/random/boot_id")} ${proc("/proc/self/ns/pid")}` };
/** Locks of this thread. */
const held = new Set<string>();

/** Runs `work` while nobody else writes to the folder, which must be there. @throws E_FILE when another does for a minute; what `work` throws */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, LOCK);
  const owner: Owner = { token: randomUUID(), ...HERE, pid: process.pid, started: startOf(process.pid) ?? "" };
  const began = performance.now();
  while (!(await take(path, owner))) {
    const other = await ownerOf(path);
    if (await isDead(path, other)) await remove(path, other);
    else if (performance.now() - began > PATIENCE) throw occupied(folder, other);
    else await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  held.add(owner.token);
  const renewal = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), RENEW);
  renewal.unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    held.delete(owner.token);
    if ((await ownerOf(path))?.token === owner.token) await rm(path, { force: true });
  }
}

/** Whether the lock is ours now. */
async function take(path: string, owner: Owner): Promise<boolean> {
  const file = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return null;
    throw error;
  });
  if (!file) return false;
  try {
    await file.writeFile(JSON.stringify(owner));
    return true;
  } catch (error) {
    await rm(path, { force: true }); // a full disk has room for a name
    throw error;
  } finally {
    await file.close();
  }
}

/** Who writes; null where the file is gone again, or not written yet. */
async function ownerOf(path: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Owner;
  } catch {
    return null;
  }
}

/** Killed, as this machine can tell; of other machines, and other threads of this process, not heard of for long. */
async function isDead(path: string, owner: Owner | null): Promise<boolean> {
  if (owner && held.has(owner.token)) return false;
  const near = owner?.host === HERE.host && owner.numbers === HERE.numbers;
  if (near && owner.pid !== process.pid) return startOf(owner.pid) !== owner.started;
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > DEAD;
}

/** When a process of this machine was started, "" where that is not told; undefined where there is none, or it has ended. */
function startOf(pid: number): string | undefined {
  if (HAS_PROC) {
    // Fields from the third on; the second, a name in brackets, may hold anything.
    const fields = proc(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, "")
      .split(" ");
    return fields && !["Z", "X"].includes(fields[0]) ? fields[19] : undefined;
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "" : undefined;
  }
}

/** Takes a dead owner's lock away; what others have put in its place meanwhile is put back. */
async function remove(path: string, dead: Owner | null): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await ownerOf(aside))?.token !== dead?.token)
    await copyFile(aside, path, constants.COPYFILE_EXCL).catch(() => {});
  await rm(aside, { force: true });
}

const occupied = (folder: string, other: Owner | null): TilegradError =>
  new TilegradError(
    "E_FILE",
    `${folder}: ${other ? `process ${other.pid} on ${other.host}` : "another process"} is saving to it.`,
    { hint: `Wait for it, or save to another folder. If no such process writes, remove ${join(folder, LOCK)}.` },
  );
