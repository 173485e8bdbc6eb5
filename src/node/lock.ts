/**
 * One writer of a folder at a time, over processes, threads and machines: a file that says who writes. Its time is renewed as
 * long as its owner lives, so one that has stood still belongs to nobody.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { TilegradError } from "../errors.ts";

const LOCK = ".tilegrad-lock";
/** Milliseconds between two looks at another's lock, between renewals of one's own, and after which one that was not is dead. */
const LOOK = 25;
const RENEW = 1000;
const DEAD = 10_000;
/** How long another's save is waited for. */
const PATIENCE = 60_000;

interface Owner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
}

/** Runs `work` while nobody else writes to the folder, which must be there. @throws E_FILE when another does for a minute; what `work` throws */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, LOCK);
  const owner: Owner = { token: randomUUID(), host: hostname(), pid: process.pid };
  const began = performance.now();
  while (!(await take(path, owner))) {
    const other = await ownerOf(path);
    if (await isDead(path, other)) await remove(path, other);
    else if (performance.now() - began > PATIENCE) throw occupied(folder, other);
    else await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  const renewal = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), RENEW);
  renewal.unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    if ((await ownerOf(path))?.token === owner.token) await rm(path, { force: true });
  }
}

/** Whether the lock is ours now. */
async function take(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
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

/** Killed, as its machine can tell, or not heard of for long. */
async function isDead(path: string, owner: Owner | null): Promise<boolean> {
  if (owner?.host === hostname() && !isRunning(owner.pid)) return true;
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > DEAD;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
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
    { hint: "Wait for it, or save to another folder." },
  );
