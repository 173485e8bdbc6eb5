import { expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { problem, trainerOf, withDropout, wrapDevice } from "./support.ts";

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
