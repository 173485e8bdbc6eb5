import path from "node:path";
import { expect, it } from "vitest";
import { checkedGraph, checksOf } from "../../src/check/check.ts";
import { compileGraph } from "../../src/compile.ts";
import { allOps } from "../../src/ops/all.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { chooseKernel } from "../../src/shader/choice.ts";
import { shaderFiles } from "../../tools/wgsl.mjs";

const DEVICES = [
  {
    device: "a hardware GPU",
    limits: { ...LEAST_LIMITS, minSubgroupSize: 32, f16: true },
    missing: ["matmul_lanes"],
  },
  {
    device: "a software GPU without subgroups",
    limits: { ...LEAST_LIMITS, software: true },
    missing: ["conv2d_subgroup", "matmul_lanes", "matmul_subgroup"],
  },
  {
    device: "a software GPU with subgroups of eight",
    limits: { ...LEAST_LIMITS, software: true, minSubgroupSize: 8 },
    missing: [],
  },
  {
    device: "a GPU with small workgroups",
    limits: { ...LEAST_LIMITS, maxWorkgroupSize: 64 },
    missing: ["conv2d_subgroup", "matmul_lanes", "matmul_subgroup", "matmul_tiled"],
  },
];

it.each(DEVICES)("doctor runs every kernel that can run on $device", ({ limits, missing }) => {
  const used = new Set<string>();
  for (const op of allOps) {
    for (const check of checksOf(op, limits)) {
      const { how } = check;
      const { graph } = checkedGraph(limits, op, check);
      const { calls, plan, resident } = compileGraph(graph, { ...limits, ...how.limits }, how);
      if (how.plan === "resident" && resident) {
        for (const kernel of plan.kernels) used.add(chooseKernel(kernel, { ...limits, resident: true }).shader.name);
      } else for (const { shader } of calls) used.add(shader);
    }
  }
  const files = shaderFiles().flatMap(({ file, kernel }) => (kernel ? [path.basename(file, ".wgsl")] : []));
  expect([...used, ...missing].sort()).toEqual(files.sort());
});
