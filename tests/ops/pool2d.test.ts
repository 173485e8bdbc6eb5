import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { sum } from "../../src/ops/broadcast.ts";
import { input } from "../../src/ops/constant.ts";
import { f32 } from "../../src/ops/op.ts";
import { maxPool2d } from "../../src/ops/pool2d.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { openTestGpu } from "../devices.ts";

let device: Device;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

describe("maxPool2d", () => {
  it("gives the whole gradient to the first of equal maxima, windows overlapping or not", async () => {
    for (const target of [openCpu(), device]) {
      for (const [strides, want] of [
        [2, [1, 0, 1, 0, 0, 0]],
        [1, [1, 1, 1, 0, 0, 0]],
      ] as const) {
        const x = input("x", [1, 2, 3, 1]);
        const y = maxPool2d(x, {
          poolSize: 2,
          strides,
          padding: [
            [0, 0],
            [0, 1],
          ],
        });
        const [dx] = gradients(sum(y), [x]);
        const bindings = { x: target.tensor(f32(1, 2, 3, 1), "x", [1, 1, 1, 1, 1, 1]) };
        const step = await target.compile({ outputs: { dx }, updates: [] }, { bindings, label: "ties" });
        target.enqueue(step, {});
        await target.flush();
        expect(Array.from(await step.outputs.dx.read())).toEqual(want);
      }
    }
  });
});
