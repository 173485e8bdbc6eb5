import { afterAll, beforeAll, expect, it } from "vitest";
import { checkSample, runOnce } from "../../src/check/check.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import type { OpDef, Sample } from "../../src/graph/types.ts";
import { input } from "../../src/ops/core/constant.ts";
import { linearOps } from "../../src/ops/matmul/linear.ts";
import { matmul, matmulOps } from "../../src/ops/matmul/matmul.ts";
import { MATMUL_VARIANTS, matmulKernel, splitsOf, supportsMatmul } from "../../src/ops/matmul/matmul_kernel.ts";
import { f32 } from "../../src/ops/op.ts";
import type { KernelForce, KernelLimits } from "../../src/policy/limits.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { bucketOf, tunedKernel } from "../../src/policy/tuning.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

let device: WebGpuDevice;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

/** These kernels take k by fours on a hardware GPU, and otherwise in products by B^T alone. */
const kernels: readonly (readonly [name: string, limits: Partial<KernelLimits>])[] = [
  ...MATMUL_VARIANTS.map((matmul) => [matmul, { force: { matmul } }] as const),
  ["vec4 by fours", { force: { matmul: "vec4" }, software: false }],
  ["subgroup by fours", { force: { matmul: "subgroup" }, software: false }],
];
const cases = kernels.flatMap(([name, limits]) =>
  [...matmulOps, ...linearOps].map((op) => [op.name, name, limits, op] as const),
);

const isSupported = ({ force }: Partial<KernelLimits>): boolean =>
  MATMUL_VARIANTS.some((name) => name === force?.matmul && supportsMatmul(name, device.limits));

it.each(cases)("%s by the %s kernel meets the f64 reference, where the device supports it", async (...given) => {
  const [, , limits, op] = given;
  if (!isSupported(limits)) return;
  const samples = op.samples?.() ?? [];
  // Of the tiled kernels, which take long to compile on software GPUs, one is tried at all sizes.
  for (const sample of limits.force?.matmul === "tiledLarge" ? samples.slice(-3) : samples) {
    const { name, ratio, error } = await checkSample(device, op, sample, { plan: "dispatch", limits });
    expect(error, name).toBeUndefined();
    expect(ratio, name).toBeLessThanOrEqual(1);
  }
});

it("gives the same bits by all variants on a software GPU", async () => {
  if (!device.info.software) return;
  const sample: Sample = { inputs: [f32(133, 21), f32(21, 130)], attrs: {} };
  const graph = sampleGraph(matmulOps[0], sample, { gradient: true });
  const want = await runOnce(device, graph, { plan: "dispatch", limits: { force: { matmul: "naive" } } });
  for (const [name, limits] of kernels.filter(([, wanted]) => isSupported(wanted)))
    expect(await runOnce(device, graph, { plan: "dispatch", limits }), name).toEqual(want);
  expect(await runOnce(device, graph, { plan: "resident" }), "resident").toEqual(want);
});

it("takes k by fours where the columns of B lie far apart", () => {
  const isRolled = (k: number, limits: Partial<KernelLimits>): unknown =>
    matmulKernel(f32(65, k), f32(66, k), { transposeB: true }, false, { ...LEAST_LIMITS, ...limits }).constants?.ROLLED;
  expect([124, 128, 130, 512].map((k) => isRolled(k, { software: true }))).toEqual([true, false, true, false]);
  expect(isRolled(512, { software: true, resident: true, force: { matmul: "vec4" } })).toBe(true);
  expect(isRolled(124, { software: false, force: { matmul: "vec4" } })).toBe(false);
});

it("adds up in equal shares of k where few outputs would leave a hardware GPU idle, by shape alone", () => {
  expect(splitsOf(30, 128, 4096, LEAST_LIMITS)).toBe(16);
  expect(splitsOf(30, 128, 4100, LEAST_LIMITS)).toBe(10);
  expect(splitsOf(30, 128, 256, LEAST_LIMITS)).toBe(1);
  expect(splitsOf(30, 128, 4099, LEAST_LIMITS)).toBe(1);
  expect(splitsOf(1024, 1024, 4096, LEAST_LIMITS)).toBe(1);
  expect(splitsOf(30, 128, 4096, { ...LEAST_LIMITS, software: true })).toBe(1);
  expect(splitsOf(1, 1, 3, { ...LEAST_LIMITS, force: { splits: 16 } })).toBe(3);
});

it.each([{ plan: "dispatch" }, { plan: "resident" }, { plan: "dispatch", fusion: false }] as const)(
  "meets the f64 reference in shares of k: %o",
  async (way) => {
    const [[matmul], [linear, denseGrad]] = [matmulOps, linearOps];
    const uneven: readonly (readonly [OpDef, Sample])[] = [
      [matmul, { inputs: [f32(45, 7), f32(45, 5)], attrs: { transposeA: true } }],
      [linear, { inputs: [f32(66, 30), f32(30, 65), f32(65)] }],
      [denseGrad, { inputs: [f32(64, 12), f32(64, 16)] }],
    ];
    for (const [op, sample] of uneven) {
      const { graph } = sampleGraph(op, sample, { gradient: true });
      const kernels = [1, 4].map((splits) => compileGraph(graph, { ...device.limits, force: { splits } }).calls.length);
      expect(kernels[1], op.name).toBeGreaterThan(kernels[0]);
      const { ratio, error } = await checkSample(device, op, sample, { ...way, limits: { force: { splits: 4 } } });
      expect(error, op.name).toBeUndefined();
      expect(ratio, op.name).toBeLessThanOrEqual(1);
    }
  },
);

it("is chosen by measurement among the kernels that keep the order of sums, and refuses a name that it does not have", () => {
  const { node } = matmul(input("a", [8, 16]), input("b", [16, 8]));
  const tunedTo = (force: KernelForce): KernelForce =>
    tunedKernel(node, {
      ...LEAST_LIMITS,
      tuning: { device: "", costs: LEAST_LIMITS.costs, kernels: { [bucketOf(node)]: force } },
    });
  expect(tunedTo({ matmul: "naive" })).toEqual({ matmul: "naive" });
  expect(tunedTo({ splits: 4 })).toEqual({});
  expect(tunedTo({ matmul: "fastest" })).toEqual({});
  const graph = { outputs: { y: { node, index: 0, ...node.outputs[0] } }, updates: [] };
  expect(() => compileGraph(graph, { ...LEAST_LIMITS, force: { matmul: "fastest" } })).toThrow(
    "limits.force.matmul: got fastest; expected one of naive, vec4",
  );
});
