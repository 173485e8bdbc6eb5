import { afterAll, beforeAll, expect, it } from "vitest";
import { checkSample, runOnce } from "../../src/check/check.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { linearOps } from "../../src/ops/linear.ts";
import { matmulOps } from "../../src/ops/matmul.ts";
import { supportsMatmul } from "../../src/ops/matmul_kernel.ts";
import type { Sample } from "../../src/ops/op.ts";
import { f32, MATMUL_VARIANTS } from "../../src/ops/op.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

let device: WebGpuDevice;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

const cases = MATMUL_VARIANTS.flatMap((matmul) =>
  [...matmulOps, ...linearOps].map((op) => [op.name, matmul, op] as const),
);

it.each(cases)("%s by the %s kernel meets the f64 reference, where the device supports it", async (_, matmul, op) => {
  if (!supportsMatmul(matmul, device.limits)) return;
  for (const sample of op.samples?.() ?? []) {
    const { name, ratio, error } = await checkSample(device, op, sample, { plan: "dispatch", limits: { matmul } });
    expect(error, name).toBeUndefined();
    expect(ratio, name).toBeLessThanOrEqual(1);
  }
});

it("gives the same bits by all variants on a software GPU", async () => {
  if (!device.info.software) return;
  const sample: Sample = { inputs: [f32(70, 45), f32(45, 68)], attrs: {} };
  const graph = sampleGraph(matmulOps[0], sample, { gradient: true });
  const want = await runOnce(device, graph, { plan: "dispatch", limits: { matmul: "naive" } });
  for (const matmul of MATMUL_VARIANTS.filter((variant) => supportsMatmul(variant, device.limits)))
    expect(await runOnce(device, graph, { plan: "dispatch", limits: { matmul } }), matmul).toEqual(want);
});
