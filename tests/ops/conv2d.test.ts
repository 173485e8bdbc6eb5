import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkSample } from "../../src/check/check.ts";
import { compileGraph } from "../../src/compile.ts";
import type { Tensor } from "../../src/graph/types.ts";
import { conv2dBiasOp, conv2dOp, inputGrad } from "../../src/ops/conv/conv2d.ts";
import { CONV2D_VARIANTS } from "../../src/ops/conv/conv2d_kernel.ts";
import { KERNEL_GRAD_VARIANTS } from "../../src/ops/conv/conv2d_kernel_grad.ts";
import { conv2d } from "../../src/ops/conv/convolution.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { relu } from "../../src/ops/core/elementwise.ts";
import { maxPool2d } from "../../src/ops/pool/pool2d.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

let device: WebGpuDevice;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

const shadersOf = (outputs: Record<string, Tensor>, software: boolean): string[] =>
  compileGraph({ outputs, updates: [] }, { ...device.limits, minSubgroupSize: 8, software }).calls.map(
    (call) => call.shader,
  );

describe("the convolution's kernels", () => {
  const x = input("x", [2, 9, 7, 4]);
  const kernel = input("kernel", [3, 3, 4, 8]);

  it("are chosen by shape and device", () => {
    expect(shadersOf({ y: conv2d(x, kernel) }, true)).toEqual(["conv2d_tiled"]);
    expect(shadersOf({ y: conv2d(x, kernel) }, false)).toEqual(["conv2d_direct"]);
    const wide = input("x", [64, 64, 64, 4]);
    expect(shadersOf({ y: conv2d(wide, kernel) }, true)).toEqual(["conv2d_subgroup"]);
    expect(shadersOf({ y: conv2d(wide, kernel) }, false)).toEqual(["conv2d_tiled"]);
    expect(shadersOf({ y: conv2d(x, input("kernel", [3, 3, 1, 4]), { groups: 4 }) }, true)).toEqual(["conv2d_direct"]);
    expect(shadersOf({ y: conv2d(x, input("kernel", [1, 1, 4, 8])) }, true)[0]).toMatch(/^matmul/);
  });

  it("take bias and activation along, and give the bias's gradient with the kernel's", () => {
    const bias = input("bias", [8]);
    const y = relu(conv2d(x, kernel, { bias }));
    expect(shadersOf({ y }, true)).toEqual(["conv2d_tiled"]);
    const [dKernel, dBias] = gradients(sum(y), [kernel, bias]);
    for (const [software, shader] of [
      [true, "conv2d_kernel_grad_taps"],
      [false, "conv2d_kernel_grad"],
    ] as const) {
      const all = shadersOf({ dKernel, dBias }, software);
      expect(all.filter((name) => name.startsWith("conv2d_kernel_grad"))).toEqual([shader]);
    }
  });

  const forces = [
    ...CONV2D_VARIANTS.map((conv2d) => ({ conv2d })),
    ...KERNEL_GRAD_VARIANTS.map((conv2dKernelGrad) => ({ conv2dKernelGrad })),
  ];
  it.each(forces)("meet the reference, whichever is forced: %o", async (force) => {
    for (const op of [conv2dOp, conv2dBiasOp]) {
      for (const sample of op.samples?.() ?? []) {
        const { name, ratio, error } = await checkSample(device, op, sample, { plan: "dispatch", limits: { force } });
        expect(ratio, `${name}: ${error}`).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("shapes that do not fit", () => {
  it("are refused when they are written", () => {
    const x = input("x", [1, 5, 5, 2]);
    expect(() => conv2d(x, input("k", [3, 3, 3, 4]))).toThrow("conv2d: got f32[1, 5, 5, 2], f32[3, 3, 3, 4]");
    expect(() => conv2d(x, input("k", [6, 3, 2, 4]))).toThrow("no larger than x");
    expect(() => conv2d(x, input("k", [3, 3, 2, 4]), { bias: input("b", [3]) })).toThrow("a bias [filters]");
    expect(() => conv2d(x, input("k", [3, 3, 2, 4]), { strides: 0 })).toThrow("strides");
    expect(() => conv2d(input("x", [1, 5, 5, 2], "u32"), input("k", [3, 3, 2, 4]))).toThrow("expected f32");
    const attrs = {
      strides: [1, 1],
      dilation: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      groups: 1,
    };
    expect(() => inputGrad(input("dy", [1, 2, 3, 4]), input("k", [3, 3, 2, 4]), [5, 5], attrs)).toThrow(
      "output gradient",
    );
    expect(() => maxPool2d(input("x", [1, 1, 5, 2]), { poolSize: 2 })).toThrow("at least 2 x 2");
  });
});
