import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/io/checkpoint.ts";
import { Batches } from "../../src/train/batches.ts";
import { checkpointOf, restoreCheckpoint } from "../../src/train/saving.ts";
import { bitsOf, failure, problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

/** 13 positives in 100 rows. */
const labels = Float32Array.from({ length: 100 }, (_, row) => (row % 8 === 3 ? 1 : 0));
const ordersOf = (options: object, epochs: number, seed = 1) => {
  const batches = new Batches(100, seed, { batchSize: 16, balancedBatches: true, ...options }, 0, 0, labels);
  return Array.from({ length: epochs }, (_, epoch) => {
    const steps = batches.steps({ from: epoch, to: epoch + 1, skip: 0, step: 0 }, () => 0.1);
    const taken: Uint32Array[] = [];
    while (steps.next()) taken.push(steps.order.slice(steps.first, steps.first + steps.count));
    return taken;
  });
};

describe("balanced batches", () => {
  it("are half positives each, the last one too, and an epoch has as many rows as the data", () => {
    for (const epoch of ordersOf({}, 4)) {
      expect(epoch.map((rows) => rows.length)).toEqual([16, 16, 16, 16, 16, 16, 4]);
      for (const rows of epoch) expect(rows.filter((row) => labels[row] === 1).length).toBe(rows.length / 2);
    }
  });

  it("take every row of a class before any of it again, across epochs", () => {
    const order = ordersOf({}, 9).flatMap((epoch) => epoch.flatMap((rows) => [...rows]));
    const counts = new Uint32Array(100);
    for (const row of order) counts[row]++;
    const of = (label: number) => [...counts].filter((_, row) => labels[row] === label);
    expect([Math.min(...of(1)), Math.max(...of(1))]).toEqual([34, 35]);
    expect([Math.min(...of(0)), Math.max(...of(0))]).toEqual([5, 6]);
  });

  it("have another order in each epoch and for each seed, the same for the same", () => {
    const [first, second] = ordersOf({}, 2);
    expect(first).not.toEqual(second);
    expect(ordersOf({}, 2)).toEqual([first, second]);
    expect(ordersOf({}, 1, 2)[0]).not.toEqual(first);
    expect([...ordersOf({ shuffle: false }, 1)[0][0]].slice(0, 6)).toEqual([3, 0, 11, 1, 19, 2]);
  });

  it("refuse labels other than 0 and 1, one class alone, and an order of the user's own", async () => {
    const { x, y } = problem(20);
    const fitting = (labelled: { x: Float32Array; y: Float32Array }, more = {}) =>
      failure(trainerOf(openCpu(), withDropout()).fit(labelled, { epochs: 1, balancedBatches: true, ...more }));
    expect((await fitting({ x, y: y.map((v) => v / 2) })).message).toMatch(/label of row \d+ is 0.5; expected 0 or 1/);
    expect((await fitting({ x, y: y.map(() => 1) })).message).toBe(
      "balancedBatches: all 20 labels are 1; expected both 0 and 1.",
    );
    expect((await fitting({ x, y }, { order: () => [0] })).code).toBe("E_ARGUMENT");
  });

  it("go on after an interruption in the middle of an epoch, to the same bits", async () => {
    const data = problem(70);
    const options = { epochs: 4, batchSize: 16, balancedBatches: true };
    const whole = trainerOf(openCpu(), withDropout());
    await whole.fit(data, options);
    const cut = trainerOf(wrapDevice(openCpu(), { maxQueue: 1 }), withDropout());
    for await (const event of cut.run(data, options)) if (event.type === "steps" && event.step === 8) break;
    const saved = decodeCheckpoint(encodeCheckpoint(await checkpointOf(cut, [])), "checkpoint");
    const resumed = trainerOf(openCpu(), withDropout());
    restoreCheckpoint(resumed, saved, [], "checkpoint");
    await resumed.fit(data, options);
    expect(await bitsOf(resumed)).toEqual(await bitsOf(whole));
  });
});
