import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { worstRatio } from "../../src/check/compare.ts";
import { SAMPLE_STEP } from "../../src/check/samples.ts";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Graph, Tensor } from "../../src/graph/types.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { pack } from "../../src/ops/core/concat.ts";
import { input, state } from "../../src/ops/core/constant.ts";
import { add, mul, relu, tanh } from "../../src/ops/core/elementwise.ts";
import { dynamicUpdateSlice } from "../../src/ops/core/take.ts";
import { reshape } from "../../src/ops/core/view.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import type { BufferSpec } from "../../src/passes/plan.ts";
import { Bindings } from "../../src/shader/bindings.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";

const buffer: BufferSpec = { kind: "slot", name: "0", dtype: "f32", half: false, size: 8 };

describe("a buffer of a kernel", () => {
  it("is bound as vec4 when it is read by fours, single reads taking a component", () => {
    const bindings = new Bindings();
    bindings.read(buffer, "i", 4);
    bindings.read(buffer, "i", 1);
    const text = bindings.declarations(2).join("\n");
    expect(text).toContain("@binding(2) var<storage, read> b0: array<vec4<f32>>;");
    expect(text).toContain("b0[i >> 2u][i & 3u]");
  });

  it("is bound as scalars when single elements are written, since a vec4's other components are another thread's", () => {
    const bindings = new Bindings();
    bindings.write(buffer, "i", "v", 4);
    bindings.write(buffer, "i", "v.x", 1);
    expect(bindings.declarations(2)[0]).toBe("@group(1) @binding(2) var<storage, read_write> b0: array<f32>;");
  });
});

describe("on the GPU", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  const x = input("x", [32, 16]);
  const w = input("w", [16, 64]);
  const bias = input("bias", [64]);
  const leaves: Record<string, Tensor> = { x, w, bias };
  const feeds = Object.fromEntries(
    Object.entries(leaves).map(([name, t]) => [
      name,
      Float32Array.from({ length: sizeOf(t.shape) }, (_, i) => Math.sin(i)),
    ]),
  );
  const layer = add(matmul(x, w), bias);

  async function expectReference(graph: Graph): Promise<void> {
    const sample = { name: "width", graph, feeds, types: leaves, step: SAMPLE_STEP };
    const want = await runOnce(openCpu({ precision: "f64" }), sample);
    const got = await runOnce(device, sample, { plan: "dispatch", limits: { force: { matmul: "vec4" } } });
    for (const name of Object.keys(want)) expect(worstRatio(got[name], want[name]), name).toBeLessThanOrEqual(1);
  }

  it("bias and activation of a layer ride in the matmul by fours", async () => {
    const graph: Graph = { outputs: { y: relu(layer), t: tanh(layer) }, updates: [] };
    const { calls } = compileGraph(graph, { ...device.limits, force: { matmul: "vec4" }, software: false });
    expect(calls.length).toBe(1);
    expect(calls[0].code).toMatch(/fn store_y4\(i: u32, v: vec4<f32>\)/);
    expect(calls[0].code).not.toContain("array<f32>");
    await expectReference(graph);
  });

  it("values inside an arena are written one by one where their place is no multiple of 4", async () => {
    const arena = pack([mul(layer, 2), relu(layer)], [0, 2051], 4104);
    await expectReference({ outputs: { arena: add(arena, 0.5) }, updates: [] });
  });

  it("a slice at an offset that only the step knows is written one by one", async () => {
    const offset = input("offset", [], "u32");
    const history = state("history", [2060]);
    const graph: Graph = {
      outputs: {},
      updates: [{ state: history, value: dynamicUpdateSlice(history, reshape(relu(layer), [2048]), offset) }],
    };
    const types = { ...leaves, offset, history };
    const run = async (on: WebGpuDevice | ReturnType<typeof openCpu>) => {
      const bindings = Object.fromEntries(
        Object.entries(types).map(([name, t]) => [name, on.tensor(t, name, name === "offset" ? [7] : feeds[name])]),
      );
      const step = await on.compile(graph, {
        bindings,
        label: "slice",
        plan: "dispatch",
        limits: { force: { matmul: "vec4" } },
      });
      on.enqueue(step, {});
      await on.flush();
      return bindings.history.read();
    };
    const want = await run(openCpu({ precision: "f64" }));
    const got = await run(device);
    expect(worstRatio(got, want)).toBeLessThanOrEqual(1);
  });
});
