import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkSample } from "../../src/check/check.ts";
import { sampleGraph } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import type { Device } from "../../src/device.ts";
import { allOps } from "../../src/ops/all.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { openTestGpu } from "../devices.ts";

// All ways of running are compared on the first driver. A second one, which compiles slowly, is there for what drivers do.
const WAYS = [
  { fusion: true, plan: "dispatch" },
  { fusion: false, plan: "dispatch" },
  { fusion: true, plan: "resident" },
] as const;
const MODES = process.env.VK_DRIVER_FILES ? WAYS.slice(0, 1) : WAYS;

describe.each(allOps.map((op) => [op.name, op] as const))("%s", (_, op) => {
  it("has a form for resident plans", () => {
    for (const sample of op.samples?.() ?? []) {
      const { graph, name } = sampleGraph(op, sample, { gradient: false });
      expect(compileGraph(graph, LEAST_LIMITS).resident, name).not.toBeNull();
    }
  });
});

let device: Device;
beforeAll(async () => {
  device = await openTestGpu();
});
afterAll(() => device.dispose());

describe.each(allOps.map((op) => [op.name, op] as const))("%s on the GPU", (_, op) => {
  it.each(MODES)("meets the f64 reference, outputs and gradients: $plan, fusion $fusion", async (how) => {
    for (const sample of op.samples?.() ?? []) {
      const { name, ratio, error } = await checkSample(device, op, sample, how);
      expect(error, name).toBeUndefined();
      expect(ratio, name).toBeLessThanOrEqual(1);
    }
  });
});
