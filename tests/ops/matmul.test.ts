import { afterAll, beforeAll, expect, it } from "vitest";
import { checkSample, runOnce } from "../../src/check/check.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { linearOps } from "../../src/ops/linear.ts";
import { matmulOps } from "../../src/ops/matmul.ts";
import { supportsMatmul } from "../../src/ops/matmul_kernel.ts";
import type { Elements, MatmulVariant, Sample } from "../../src/ops/op.ts";
import { f32, MATMUL_VARIANTS } from "../../src/ops/op.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

const devices = new Map<MatmulVariant, WebGpuDevice>();
beforeAll(async () => {
  for (const matmul of MATMUL_VARIANTS) {
    const device = await openTestGpu({ matmul });
    if (supportsMatmul(matmul, device.limits)) devices.set(matmul, device);
    else device.dispose();
  }
});
afterAll(() => {
  for (const device of devices.values()) device.dispose();
});

const cases = MATMUL_VARIANTS.flatMap((variant) =>
  [...matmulOps, ...linearOps].map((op) => [op.name, variant, op] as const),
);

it.each(cases)("%s by the %s kernel meets the f64 reference, where the device supports it", async (_, variant, op) => {
  const device = devices.get(variant);
  if (!device) return;
  for (const sample of op.samples?.() ?? []) {
    const { name, ratio, error } = await checkSample(device, op, sample, { plan: "dispatch" });
    expect(error, name).toBeUndefined();
    expect(ratio, name).toBeLessThanOrEqual(1);
  }
});

it("gives the same bits by all variants on a software GPU", async () => {
  const naive = devices.get("naive") as WebGpuDevice;
  if (!naive.info.software) return;
  const sample: Sample = { inputs: [f32(70, 45), f32(45, 68)], attrs: {} };
  const graph = sampleGraph(matmulOps[0], sample, { gradient: true });
  const want: Record<string, Elements> = await runOnce(naive, graph, { plan: "dispatch" });
  for (const [variant, device] of devices)
    expect(await runOnce(device, graph, { plan: "dispatch" }), variant).toEqual(want);
});
