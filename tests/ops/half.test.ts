import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { worstRatio } from "../../src/check/compare.ts";
import type { SampleGraph } from "../../src/check/samples.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import { outputsOf, rewrite } from "../../src/graph/traverse.ts";
import type { OpDef, Sample } from "../../src/graph/types.ts";
import { roundToHalf } from "../../src/numeric.ts";
import { allOps } from "../../src/ops/all.ts";
import { inputOp } from "../../src/ops/core/constant.ts";
import { half } from "../../src/ops/core/half.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";
import { codeOf } from "../train/support.ts";

describe("rounding to 16 bits", () => {
  it("keeps what f16 can hold, subnormal numbers and signs of zero included", () => {
    for (const x of [0, -0, 1, -2.5, 1 / 3, 65504, 2 ** -14, 3 * 2 ** -24]) {
      const rounded = roundToHalf(x);
      expect(Math.abs(rounded - x)).toBeLessThanOrEqual(Math.abs(x) / 2048);
      expect(roundToHalf(rounded)).toBe(rounded);
    }
    expect([2 ** -14, 3 * 2 ** -24, 65504, 2049 / 2048].map(roundToHalf)).toEqual([2 ** -14, 3 * 2 ** -24, 65504, 1]);
  });

  it("takes ties to the even neighbour, and what is too large to infinity", () => {
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25].map(roundToHalf)).toEqual([
      1,
      1 + 2 ** -9,
      0,
      2 ** -23,
    ]);
    expect([65519, 65520, -1e30, Number.NaN].map(roundToHalf)).toEqual([65504, Infinity, -Infinity, Number.NaN]);
  });
});

/** The sample with every f32 input stored in 16 bits, without loss: its values are such. */
function halved(op: OpDef, sample: Sample): SampleGraph {
  const { graph, feeds, ...rest } = sampleGraph(op, sample, { gradient: false });
  const isReal = (t: { dtype: string }): boolean => t.dtype === "f32";
  return {
    ...rest,
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, v]) => [name, v instanceof Float32Array ? v.map(roundToHalf) : v]),
    ),
    graph: rewrite(graph, (node) =>
      node.op === inputOp && isReal(node.outputs[0]) ? outputsOf(node).map(half) : null,
    ),
  };
}

/** They load one by one, by fours, at random, again and again. All others load through the same hooks. */
const LOADERS = ["reduceSum", "matmul", "denseGrad", "conv2d", "maxPool2d", "lstm", "scatterAdd"];

describe("inputs stored in 16 bits", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each(allOps.filter(({ name }) => LOADERS.includes(name)).map((op) => [op.name, op] as const))(
    "%s gives what it gives for the same numbers in 32; E_DEVICE where f16 is missing",
    async (_, op) => {
      const samples = op.samples?.() ?? [];
      const graph = halved(op, samples[samples.length - 1]);
      const run = runOnce(device, graph, { precision: "mixed", plan: "dispatch" });
      if (!device.limits.f16) {
        expect(await codeOf(run)).toBe("E_DEVICE");
        return;
      }
      const want = await runOnce(openCpu({ precision: "f64" }), graph);
      const got = await run;
      for (const name of Object.keys(want)) expect(worstRatio(got[name], want[name])).toBeLessThanOrEqual(1);
    },
  );
});
