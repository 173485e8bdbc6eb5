import { expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { openTestGpu } from "../devices.ts";
import { bitsOf, problem, trainerOf, withDropout } from "./support.ts";

const data = problem(70);

it("times every kernel of a training step and leaves the trainer as it is", { timeout: 120_000 }, async () => {
  const device = await openTestGpu();
  const trainer = trainerOf(device, withDropout(), { plan: "dispatch" });
  await trainer.fit(data, { epochs: 1, batchSize: 16 });
  const before = await bitsOf(trainer);
  const bytes = device.memory().bytes;
  const { kernels, us, ceilings, traceEvents } = await trainer.profile(data, { batchSize: 16, steps: 6 });
  expect(await bitsOf(trainer)).toEqual(before);
  expect(kernels).toHaveLength(trainer.dispatches);
  expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(kernels.reduce((sum, kernel) => sum + kernel.us, 0)).toBeCloseTo(us, 6);
  for (const { us, flops, gflopsPerSecond } of kernels) {
    expect(us).toBeGreaterThan(0);
    expect(gflopsPerSecond).toBeCloseTo(flops / us / 1000, 9);
  }
  for (const rate of ["gflopsPerSecond", "gigabytesPerSecond"] as const) {
    expect(Math.max(...kernels.map((kernel) => kernel[rate]))).toBeLessThanOrEqual(ceilings[rate]);
  }
  expect(ceilings.gigabytesPerSecond).toBeGreaterThan(0.05);
  // Eight steps: two epochs of the four whole batches there are.
  expect(traceEvents).toHaveLength(8 * kernels.length);
  expect(traceEvents.every((e, i) => i === 0 || e.ts >= traceEvents[i - 1].ts)).toBe(true);
  // What stays is the staging memory that reading needs.
  const kept = device.memory().buffers.filter(({ label }) => label !== "staging");
  expect(kept.reduce((sum, b) => sum + b.bytes, 0)).toBeLessThanOrEqual(bytes);
  trainer.dispose();
});

it("says that a CPU has no kernels to time", async () => {
  const trainer = trainerOf(openCpu(), withDropout(), {});
  await expect(trainer.profile(data)).rejects.toMatchObject({
    code: "E_DEVICE",
    message: /CPU reference.*expected a GPU/,
  });
});
