/** The drills, short; `npm run drills -- --count N` does them by the hundred and tells what happened. */
import { expect, it } from "vitest";
import { lostInChromium, lostInNode } from "./devices.ts";
import type { Drill } from "./drill.ts";
import { killedRuns, killedSaves } from "./kills.ts";
import { mutations } from "./mutations.ts";
import { fullDisks, twoWriters } from "./writers.ts";

/** By what holds, with how often each is done here. */
const drills: readonly [claim: string, drill: Drill, short: number][] = [
  ["a save that is killed leaves the old model or the new one, whole", killedSaves, 8],
  ["a run that is killed goes on from its checkpoint to the same bits", killedRuns, 4],
  ["two writers of one folder both come out whole", twoWriters, 3],
  ["a disk that fills keeps the old model, and says so", fullDisks, 4],
  ["damaged files are read or refused by every reader, soon and in little memory", mutations, 25],
  ["a device that is lost in Node is E_LOST, and the run goes on on another", lostInNode, 2],
  ["a device that is lost in Chromium is E_LOST, and another trains", lostInChromium, 1],
];
const { DRILL_COUNT: long, DRILL_SEED: seed = 20 } = process.env;

it.each(drills)(
  "%s",
  async (claim, drill, short) => {
    const count = Number(long ?? short);
    const { tried, faults, note } = await drill({ count, seed: Number(seed) });
    if (long) console.log(`${claim}: ${tried} tried, ${faults.length} faults; ${note}`);
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThanOrEqual(count);
  },
  long ? 24 * 3600_000 : undefined,
);
