/**
 * Matrix products on matrix units. No device here has any, so the shader is compiled by Dawn's null device, which computes
 * nothing, and run with units that are written out in plain WGSL.
 */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { create } from "webgpu";
import { runOnce } from "../../src/check/check.ts";
import { worstRatio } from "../../src/check/compare.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import { sum } from "../../src/ops/broadcast.ts";
import { input, state } from "../../src/ops/constant.ts";
import { relu, square } from "../../src/ops/elementwise.ts";
import type { KernelLimits, MatmulVariant, MatrixUnit, Tuning } from "../../src/ops/limits.ts";
import { linear, linearOps } from "../../src/ops/linear.ts";
import { matmulOps } from "../../src/ops/matmul.ts";
import type { OpDef, Sample } from "../../src/ops/op.ts";
import { halves } from "../../src/ops/op.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import type { KernelCall } from "../../src/shader/lower.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openGpuDevice } from "../../src/webgpu/device.ts";
import { LEAST_LIMITS } from "../../src/webgpu/limits.ts";
import { PipelineCache, sourceOf } from "../../src/webgpu/pipelines.ts";
import { openTestGpu } from "../devices.ts";

const [matmulOp, denseGradOp] = [matmulOps[0], linearOps[1]];

// Dawn frees an instance that JavaScript has dropped although its devices live.
const nullGpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
let device: WebGpuDevice;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

const FEATURE = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

const limitsWith = (unit: MatrixUnit): KernelLimits => ({
  ...LEAST_LIMITS,
  f16: true,
  minSubgroupSize: 4,
  matmul: "subgroupMatrix",
  matrixUnits: [unit],
});

/** Every layout, tails, a batch, the row of ones. */
const samples = (type: MatrixUnit["type"]): readonly (readonly [OpDef, Sample])[] => {
  const attrs = type === "f16" ? { half: true } : {};
  return [
    [matmulOp, { inputs: [halves(70, 37), halves(37, 67)], attrs }],
    [matmulOp, { inputs: [halves(36, 72), halves(36, 68)], attrs: { ...attrs, transposeA: true } }],
    [matmulOp, { inputs: [halves(2, 66, 5), halves(2, 33, 5)], attrs: { ...attrs, transposeB: true } }],
    [denseGradOp, { inputs: [halves(40, 64), halves(40, 65)], attrs }],
    [matmulOp, { inputs: [halves(1, 1), halves(1, 1)], attrs }],
  ];
};

const callsOf = ([op, sample]: readonly [OpDef, Sample], limits: KernelLimits): readonly KernelCall[] =>
  compileGraph(sampleGraph(op, sample, { gradient: false }).graph, limits, { plan: "dispatch" }).calls;

it.each([
  { type: "f16", m: 16, n: 16, k: 16 },
  { type: "f16", m: 16, n: 8, k: 16 },
  { type: "f16", m: 8, n: 16, k: 16 },
  { type: "f16", m: 32, n: 32, k: 8 },
  { type: "f32", m: 8, n: 8, k: 8 },
] as const)("compiles for units of $type, $m x $n x $k, in every layout", async (shape) => {
  const adapter = await nullGpu.requestAdapter();
  if (!adapter) throw new Error("Dawn has no null device.");
  const maxWorkgroupBytes = adapter.limits.maxComputeWorkgroupStorageSize;
  const gpu = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16", FEATURE] });
  const pipelines = new PipelineCache(gpu, 256);
  const limits = { ...limitsWith({ ...shape, lanes: adapter.info.subgroupMaxSize }), maxWorkgroupBytes };
  for (const sample of samples(shape.type)) {
    for (const call of callsOf(sample, limits)) {
      expect(call.shader).toBe("matmul_subgroup_matrix");
      await pipelines.get(sourceOf(call));
    }
  }
  gpu.destroy();
});

/** Lanes of a subgroup whose units are written out. */
const LANES = 16;

/** Matrix units in plain WGSL: every thread of a subgroup has both factors, and its share of the sum. */
const UNITS = `
const LANES: u32 = ${LANES};
const SHARE: u32 = UNIT_M * UNIT_N / LANES;
var<private> lane: u32;
fn load_left(at: u32, stride: u32) -> Left {
  var m: Left;
  for (var i = 0u; i < UNIT_M * UNIT_K; i++) { m[i] = a_tile[at + (i / UNIT_K) * stride + i % UNIT_K]; }
  return m;
}
fn load_right(at: u32, stride: u32) -> Right {
  var m: Right;
  for (var i = 0u; i < UNIT_K * UNIT_N; i++) { m[i] = b_tile[at + (i / UNIT_N) * stride + i % UNIT_N]; }
  return m;
}
fn store_sum(at: u32, m: Sum, stride: u32) {
  var shares = m;
  for (var s = 0u; s < SHARE; s++) {
    let i = s * LANES + lane;
    sum_tile[at + (i / UNIT_N) * stride + i % UNIT_N] = shares[s];
  }
}
fn multiply(left: Left, right: Right, sum: Sum) -> Sum {
  var rows = left;
  var columns = right;
  var m = sum;
  for (var s = 0u; s < SHARE; s++) {
    let i = s * LANES + lane;
    for (var k = 0u; k < UNIT_K; k++) {
      m[s] += f32(rows[(i / UNIT_N) * UNIT_K + k]) * f32(columns[k * UNIT_N + i % UNIT_N]);
    }
  }
  return m;
}`;

const writtenOut = (code: string): string =>
  code
    .replace(/^enable (f16|subgroups|chromium_experimental_subgroup_matrix);\n/gm, "")
    .replace(/\bf16\b/g, "f32")
    .replace(/subgroup_matrix_result<[^>]*>/, "array<f32, SHARE>")
    .replace(/subgroup_matrix_\w+<(\w+), (\w+), (\w+)>/g, "array<$1, $2 * $3>")
    .replaceAll("subgroupMatrixLoad<Left, row_major>(&a_tile, ", "load_left(")
    .replaceAll("subgroupMatrixLoad<Right, row_major>(&b_tile, ", "load_right(")
    .replaceAll("subgroupMatrixStore<row_major>(&sum_tile, ", "store_sum(")
    .replaceAll("subgroupMatrixMultiplyAccumulate(", "multiply(")
    .replace("@builtin(subgroup_id) subgroup: u32,\n", "")
    .replace("let strip = subgroup ", "lane = thread % LANES;\nlet strip = (thread / LANES) ") + UNITS;

it.each([
  { type: "f16", m: 4, n: 8, k: 16, strips: 4, layouts: [2] },
  { type: "f32", m: 8, n: 4, k: 8, strips: 2, layouts: [0, 1, 3, 4] },
] as const)(
  "meets the f64 reference with units of $type, $m x $n x $k, written out, in $strips strips",
  async (unit) => {
    const create = device.gpu.createShaderModule.bind(device.gpu);
    const written = vi.spyOn(device.gpu, "createShaderModule");
    written.mockImplementation(({ code, ...rest }) =>
      create({ ...rest, code: /subgroup_matrix/.test(code) ? writtenOut(code) : code }),
    );
    const { type, m, n, k, strips, layouts } = unit;
    const limits: Partial<KernelLimits> = {
      f16: true,
      matmul: "subgroupMatrix",
      maxWorkgroupSize: LANES * strips,
      matrixUnits: [{ type, m, n, k, lanes: LANES }],
    };
    try {
      for (const [op, sample] of layouts.map((i) => samples(type)[i])) {
        const { graph, ...feeds } = sampleGraph(op, sample, { gradient: false });
        const run = (on: Device, limits: Partial<KernelLimits> = {}): ReturnType<typeof runOnce> =>
          runOnce(on, { graph, ...feeds }, { plan: "dispatch", limits });
        const [got, want] = [await run(device, limits), await run(openCpu({ precision: "f64" }))];
        for (const name of Object.keys(want)) expect(worstRatio(got[name], want[name]), name).toBeLessThanOrEqual(1);
      }
      expect(written.mock.calls.some(([{ code }]) => /subgroup_matrix/.test(code))).toBe(true);
    } finally {
      written.mockRestore();
    }
  },
);

it("multiplies in f16 what mixed precision may round, never data, and only when it is asked to", () => {
  const [x, rows] = [input("x", [32, 20]), 64];
  const weights = [state("w1", [20, rows]), state("b1", [rows]), state("w2", [rows, 40]), state("b2", [40])];
  const [w1, b1, w2, b2] = weights;
  const loss = sum(square(linear(relu(linear(x, w1, b1)), w2, b2)));
  const slopes = gradients(loss, weights);
  const graph = { outputs: Object.fromEntries(slopes.map((slope, i) => [`d${i}`, slope])), updates: [] };
  const { matmul: forced, ...limits } = limitsWith({ type: "f16", m: 16, n: 16, k: 16, lanes: 32 });
  const onUnits = (choice: Partial<KernelLimits>, precision: "f32" | "mixed" = "mixed"): readonly string[] =>
    compileGraph(graph, { ...limits, ...choice }, { precision })
      .calls.filter(({ shader }) => shader === "matmul_subgroup_matrix")
      .map(({ label }) => label);
  // The second layer forwards and backwards; the first one reads data both times.
  const reordered = { matmul: forced as MatmulVariant, deterministic: false };
  expect(onUnits(reordered)).toHaveLength(3);
  expect(onUnits(reordered, "f32")).toEqual([]);
  expect(onUnits({ ...reordered, deterministic: true })).toEqual([]);
  expect(onUnits({})).toEqual([]);
  const chosen = { 'matmul 32x64 64x64/4 {"half":true}': { matmul: "subgroupMatrix" } } as const;
  const tuning: Tuning = { device: "", costs: limits.costs, kernels: {}, reordered: chosen };
  expect(onUnits({ tuning, deterministic: false })).toHaveLength(1);
  expect(onUnits({ tuning })).toEqual([]);
  // What was measured in f32 serves beside units that may not.
  const plain: Tuning = { ...tuning, kernels: { "matmul 32x64 64x64/4": { matmul: "naive" } } };
  const { calls } = compileGraph(graph, { ...limits, tuning: plain }, { precision: "mixed" });
  expect(calls.filter(({ shader }) => shader === "matmul_naive")).toHaveLength(1);
});

it.each([true, false])("asks the adapter for matrix units when it is told to: %s", async (matrixUnits) => {
  const opened = await openGpuDevice({ gpu: nullGpu, tuning: "off", matrixUnits });
  expect(opened.gpu.features.has(FEATURE)).toBe(matrixUnits);
  // The null device has the feature, and no unit.
  expect(opened.limits.matrixUnits).toEqual(matrixUnits ? [] : undefined);
  opened.dispose();
});
