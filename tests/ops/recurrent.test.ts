import { afterAll, beforeAll, expect, it } from "vitest";
import { checkSample } from "../../src/check/check.ts";
import type { Device } from "../../src/device.ts";
import { input } from "../../src/ops/core/constant.ts";
import type { OpDef, Sample } from "../../src/ops/op.ts";
import { gruOps } from "../../src/ops/recurrent/gru.ts";
import { lstm, lstmOps } from "../../src/ops/recurrent/lstm.ts";
import { simpleRnn, simpleRnnOps } from "../../src/ops/recurrent/simpleRnn.ts";
import type { KernelLimits } from "../../src/policy/limits.ts";
import { openTestGpu } from "../devices.ts";

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

const samplesOf = (op: OpDef): readonly Sample[] => op.samples?.() ?? [];

it.each([lstmOps[0], gruOps[0], simpleRnnOps[0]].map((op) => [op.name, op] as const))(
  "%s runs any number of sequences a workgroup, with a thread for each unit or for every fourth",
  async (_, op) => {
    const [, sample] = samplesOf(op);
    for (const limits of (op.variants?.(gpu.limits as KernelLimits) ?? []).flatMap((forced) => [
      { ...forced, software: true },
      { ...forced, software: false },
    ])) {
      const { ratio, error } = await checkSample(gpu, op, sample, { limits });
      expect(error).toBeUndefined();
      expect(ratio).toBeLessThanOrEqual(1);
    }
  },
);

it("says how many units fit when a layer is too large for the device", async () => {
  const outputs = { y: lstm(input("xz", [1, 2, 2400]), input("kernel", [600, 2400])).y };
  const bindings = {
    xz: gpu.tensor(input("xz", [1, 2, 2400]), "xz"),
    kernel: gpu.tensor(input("k", [600, 2400]), "k"),
  };
  const limits = { maxWorkgroupBytes: 8192 };
  await expect(gpu.compile({ outputs, updates: [] }, { bindings, label: "wide", limits })).rejects.toMatchObject({
    code: "E_DEVICE",
    message: "lstm: got 600 units; this device's workgroup memory holds 512.",
  });
});

it("refuses kernels, states and masks of other shapes", () => {
  const xz = input("xz", [2, 3, 8]);
  expect(() => lstm(xz, input("kernel", [3, 8]))).toThrow(/kernel \[units, 4 \* units\]/);
  expect(() => lstm(xz, input("kernel", [2, 8]), { h0: input("h0", [3, 2]) })).toThrow(/states \[batch, units\]/);
  expect(() => simpleRnn(xz, input("kernel", [8, 8]), { mask: input("mask", [3, 2]) })).toThrow(/mask \[batch, time\]/);
});
