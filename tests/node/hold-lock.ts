/** Holds the lock of the folder that it is given, and computes for half a second without a turn for its timers. */
import { writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { whileLocked } from "../../src/node/lock.ts";

const folder = process.argv[2];
await whileLocked(folder, async () => {
  writeSync(1, "held\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  writeFileSync(join(folder, "done"), "");
});
