import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { results, topological } from "../../src/graph/traverse.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { mul, relu } from "../../src/ops/core/elementwise.ts";
import { f32 } from "../../src/ops/op.ts";
import { maxPool2d } from "../../src/ops/pool/pool2d.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { simplify } from "../../src/passes/simplify.ts";
import { openTestGpu } from "../devices.ts";
import { runGraph } from "../passes/support.ts";

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

  it("has relu's gradient taken before the windows' gradients are spread, where there are fewer", async () => {
    const x = input("x", [1, 2, 4, 1]);
    const y = maxPool2d(relu(x), { poolSize: [2, 3], strides: 1 });
    const [dx] = gradients(sum(mul(y, y)), [x]);
    const graph = simplify({ outputs: { dx }, updates: [] });
    const masks = topological(results(graph)).filter((node) => node.op.name === "greater");
    expect(masks.map((node) => node.outputs[0].shape)).toEqual([[1, 1, 2, 1]]);
    for (const target of [openCpu(), device]) {
      for (const [values, want] of [
        [
          [-1, 3, 2, -2, 0, 1, 3, -4],
          [0, 12, 0, 0, 0, 0, 0, 0],
        ],
        [
          [-1, -2, 0, 5, -3, -1, -2, 0],
          [0, 0, 0, 10, 0, 0, 0, 0],
        ],
      ]) {
        const got = await runGraph(target, { outputs: { dx }, updates: [] }, { feeds: { x: values } });
        expect(Array.from(got.dx)).toEqual(want);
      }
    }
  });
});
