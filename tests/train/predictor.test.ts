import { expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { largestDifference, onDevices, problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

onDevices((device) => {
  it.each([1, 31, 32, 33, 256, 257, 512, 513, 1024, 1025, 5000])(
    "predict gives %i rows the scores they have in other company",
    async (rows) => {
      const trainer = trainerOf(device(), withDropout());
      const x = problem(5000, { seed: 3 }).x;
      const all = await trainer.predict(x);
      expect(all).toHaveLength(5000);
      const some = await trainer.predict(x.subarray(0, 5 * rows));
      expect(largestDifference(some, all.subarray(0, rows))).toBeLessThan(2e-7);
      trainer.dispose();
    },
  );

  it("predict gives calls made at once the scores of calls made one after another", async () => {
    const trainer = trainerOf(device(), withDropout());
    const parts = [0, 1, 2, 3].map((i) => problem(20 + i, { seed: 5 + i }).x);
    const atOnce = await Promise.all(parts.map((x) => trainer.predict(x)));
    for (const [i, x] of parts.entries()) expect(await trainer.predict(x)).toEqual(atOnce[i]);
    trainer.dispose();
  });

  it("predict drops nothing, and gives raw outputs on request", async () => {
    const trainer = trainerOf(device(), withDropout());
    const { x } = problem(70);
    const [scores, outputs] = [await trainer.predict(x), await trainer.outputs(x)];
    expect(
      largestDifference(
        scores,
        outputs.map((z) => 1 / (1 + Math.exp(-z))),
      ),
    ).toBeLessThan(1e-7);
    expect(await trainer.predict(x)).toEqual(scores);
    trainer.dispose();
  });
});

it("predict rejects once when reading fails, and leaves no rejection that nobody hears", async () => {
  const cpu = openCpu();
  const device: Device = wrapDevice(cpu, {
    tensor(...given) {
      const tensor = cpu.tensor(...given);
      if (!/output$/.test(given[1])) return tensor;
      return { ...tensor, read: () => Promise.reject(new Error("device lost")) };
    },
  });
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  const trainer = trainerOf(device, withDropout(), {});
  // Enough rows for several windows.
  const { x } = problem(9000);
  await expect(trainer.predict(x)).rejects.toThrow("device lost");
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", hear);
  expect(unheard).toEqual([]);
});
