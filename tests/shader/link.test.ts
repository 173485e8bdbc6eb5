import { describe, expect, it } from "vitest";
import reduceTree from "../../shaders/core/reduce_tree.wgsl";
import philoxLib from "../../shaders/lib/philox.wgsl";
import sinLib from "../../shaders/lib/sin.wgsl";
import matmulNaive from "../../shaders/matmul/matmul_naive.wgsl";
import { sampleGraph } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import { allOps } from "../../src/ops/all.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { link } from "../../src/shader/link.ts";
import { packParams } from "../../src/shader/params.ts";

const nothing = { constants: {}, hooks: {}, declarations: "", libs: new Set<never>() };

describe("link", () => {
  it("sets constants, keeping their types", () => {
    const code = link(matmulNaive, { ...nothing, constants: { WG: 128, ONES_ROW: true } });
    expect(code).toContain("const WG: u32 = 128u;");
    expect(code).toContain("const ONES_ROW: bool = true;");
  });

  it("brings a library once that the shader and one of its hooks need", () => {
    const code = link({ ...reduceTree, libs: [sinLib] }, { ...nothing, libs: new Set([philoxLib]) });
    expect(code.match(/fn sin_quarters/g)).toHaveLength(1);
  });

  it("fills hooks, drops the bindings they stood for, and puts its own declarations there", () => {
    const code = link(reduceTree, {
      ...nothing,
      declarations: "@group(1) @binding(2) var<storage, read> b0: array<f32>;",
      hooks: { load_x: "fn load_x(i: u32) -> f32 {\nreturn b0[i] * 2.0;\n}" },
    });
    expect(code).toContain("return b0[i] * 2.0;");
    expect(code).not.toContain("var<storage, read> x:");
    expect(code.match(/fn load_x/g)).toHaveLength(1);
    // What is not filled loads zeros and stores nothing.
    expect(code).toMatch(/fn store_y\(i: u32, v: f32\) \{\s*\}/);
  });

  it.each([
    ["a constant", { constants: { TILE: 4 } }, /shader reduce_tree has no constant TILE/],
    ["a hook", { hooks: { load_z: "fn load_z() {}" } }, /shader reduce_tree has no hook load_z/],
  ])("throws for %s that is not there", (_, wrong, message) => {
    expect(() => link(reduceTree, { ...nothing, ...wrong })).toThrow(
      expect.objectContaining({ code: "E_INTERNAL", message: expect.stringMatching(message) }),
    );
  });
});

describe("packParams", () => {
  it("puts each number at its reflected offset, rounded up to 16 bytes", () => {
    expect([...packParams(reduceTree, { outputs: 1, reduced: 2, inner: 3 })]).toEqual([1, 2, 3, 0]);
  });
  it("throws for a parameter that is missing or not there", () => {
    expect(() => packParams(reduceTree, { outputs: 1, reduced: 2 })).toThrow(/parameter inner is missing/);
    expect(() => packParams(reduceTree, { outputs: 1, reduced: 2, inner: 3, more: 4 })).toThrow(/no parameter more/);
  });
});

it.each(allOps.map((op) => [op.name, op] as const))(
  "%s lowers to kernels whose hooks and constants all exist",
  (_, op) => {
    for (const sample of op.samples?.() ?? []) {
      const { graph } = sampleGraph(op, sample, { gradient: true });
      for (const software of [false, true]) {
        for (const fusion of [false, true]) {
          const { calls } = compileGraph(graph, { ...LEAST_LIMITS, software }, { fusion });
          for (const { workgroups, code } of calls) {
            expect(
              workgroups.every((n) => Number.isInteger(n) && n >= 1 && n <= LEAST_LIMITS.maxWorkgroupsPerDimension),
            ).toBe(true);
            expect(code).not.toMatch(/undefined|NaN/);
          }
        }
      }
    }
  },
);
