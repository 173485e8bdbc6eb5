import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { checkEdges, edgesOf, hasEdges } from "../../src/check/edges.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { allOps } from "../../src/ops/all.ts";
import { openTestGpu } from "../devices.ts";

const ops = allOps.filter(hasEdges).map((op) => [op.name, op] as const);
/** Each with what NaN gives there: documented with the ops. */
const EXCEPTIONS = ["greater", "greaterEqual", "less", "lessEqual", "equal", "isFinite", "where", "pow", "cast"];

describe.each(ops.filter(([name, op]) => op.pointwise && !EXCEPTIONS.includes(name)))("%s", (_, op) => {
  it("gives NaN for NaN", async () => {
    for (const { sample } of edgesOf(op)) {
      const { y0 } = await runOnce(openCpu(), sampleGraph(op, sample, { gradient: false }));
      const isNan = Array.from(y0, (__, i) => sample.inputs.some(({ values = [] }) => Number.isNaN(values[i])));
      expect(y0.filter((y, i) => isNan[i] && !Number.isNaN(y))).toHaveLength(0);
    }
  });
});

it.each([
  ["pow", [Number.NaN, 0], 1],
  ["pow", [1, Number.NaN], 1],
  ["pow", [-2.5, 3], -15.625],
  ["pow", [-2.5, 0.5], Number.NaN],
  ["where", [Number.NaN, 1, -1], 1],
  ["less", [Number.NaN, 1], 0],
  ["equal", [Number.NaN, Number.NaN], 0],
  ["log", [0], Number.NEGATIVE_INFINITY],
  ["relu", [Number.NaN], Number.NaN],
])("%s(%j) is %d", async (name, values, expected) => {
  const op = allOps.find((found) => found.name === name) as (typeof allOps)[number];
  const inputs = values.map((value) => ({ dtype: "f32" as const, shape: [1], values: [value] }));
  const { y0 } = await runOnce(openCpu(), sampleGraph(op, { inputs }, { gradient: false }));
  expect([...y0]).toEqual([expected]);
});

describe("on the GPU", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each(ops)("%s gives at the edges of f32 what the CPU gives", async (_, op) => {
    expect(await checkEdges(device, op, { plan: "dispatch" })).toEqual([]);
  });
});
