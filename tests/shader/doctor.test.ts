import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { sampleGraph } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import { allOps } from "../../src/ops/all.ts";
import { LEAST_LIMITS } from "../../src/webgpu/limits.ts";

it("the samples that doctor checks reach every kernel but one, on one kind of device or another", () => {
  const used = new Set<string>();
  for (const kind of [{}, { software: true }, { software: true, minSubgroupSize: 4 }]) {
    for (const op of allOps) {
      for (const sample of op.samples?.() ?? []) {
        const { graph } = sampleGraph(op, sample, { gradient: true });
        for (const { shader } of compileGraph(graph, { ...LEAST_LIMITS, ...kind }).calls) used.add(shader);
      }
    }
  }
  const files = readdirSync(path.join(import.meta.dirname, "../../shaders")).filter((f) => f.endsWith(".wgsl"));
  // matmul_tiled is for products of 32 tiles and more, which tests/ops/matmul.test.ts compares.
  expect([...used, "matmul_tiled"].sort()).toEqual(files.map((f) => f.replace(".wgsl", "")).sort());
});
