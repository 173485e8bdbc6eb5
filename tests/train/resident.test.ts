import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import type { Compiled } from "../../src/compile.ts";
import { compileGraph } from "../../src/compile.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Layer } from "../../src/model/layer.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { maxPooling2d } from "../../src/model/layers/pooling.ts";
import { gru, lstm } from "../../src/model/layers/recurrent.ts";
import { flatten } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { input } from "../../src/ops/core/constant.ts";
import { add } from "../../src/ops/core/elementwise.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { costsOf } from "../../src/policy/costs.ts";
import type { KernelLimits } from "../../src/policy/limits.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { layoutParameters } from "../../src/train/parameters.ts";
import { trainingStep } from "../../src/train/step.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { openTestGpu } from "../devices.ts";
import { problem, trainerOf } from "./support.ts";

const cnn = (size: number, filters: number): Model =>
  sequential({ input: [size, size, 1] }, [
    conv2d(filters, 3, { activation: "relu", padding: "same" }),
    maxPooling2d(2),
    conv2d(2 * filters, 2, { activation: "relu" }),
    flatten(),
    dense(1),
  ]);

const recurrent = (layer: Layer, time = 8): Model => sequential({ input: [time, 3] }, [layer, dense(1)]);

const wide = sequential({ input: [23] }, [
  dense(40, { activation: "tanh" }),
  dense(3, { activation: "tanh" }),
  dense(1),
]);

const deep = sequential({ input: [8] }, [
  ...Array.from({ length: 6 }, () => dense(8, { activation: "relu" })),
  dense(1),
]);

function compiled(model: Model, batch: number, limits: KernelLimits): Compiled {
  const spec = {
    model,
    optimizer: adam(),
    layout: layoutParameters(model),
    loss: binaryCrossentropy(),
    batch,
    data: { rows: 4 * batch, y: [], weighted: false },
    orderSize: 4 * batch,
    recordSize: 256,
    penalties: { l1: false, l2: false },
  };
  return compileGraph(trainingStep(spec), limits);
}

describe("a resident plan", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  it.each([
    ["a convolutional net", cnn(4, 2), 16, 5],
    ["an LSTM", recurrent(lstm(3), 5), 15, 5],
    ["an LSTM of twelve sequences", recurrent(lstm(3), 5), 15, 12],
    ["a GRU", recurrent(gru(3, { goBackwards: true }), 5), 15, 5],
    ["a GRU of eight sequences", recurrent(gru(3), 5), 15, 8],
    ["layers larger than workgroup memory", wide, 23, 200],
    ["a deep net", deep, 8, 15],
  ])("trains %s as dispatches and the reference do", async (_, model, features, batch) => {
    expect(compiled(model, batch, device.limits).resident).not.toBeNull();
    const data = problem(3 * batch, { features });
    const runs = [];
    for (const how of [{ device: openCpu() }, { device }, { device, plan: "resident" } as const]) {
      const trainer = trainerOf(how.device, model, { plan: "dispatch", ...how });
      const { loss } = await trainer.fit(data, { epochs: 4, batchSize: batch });
      runs.push([...loss, ...(await trainer.predict(data.x))]);
      trainer.dispose();
    }
    const [want, ...others] = runs;
    for (const got of others) for (const [i, v] of got.entries()) expect(v).toBeCloseTo(want[i], 4);
  });

  it("has the functions of equal layers once, so that the driver compiles them once", () => {
    const functions = ({ resident }: Compiled): number => resident?.code.match(/fn k\d+_item/g)?.length ?? 0;
    const few = compiled(wide, 200, device.limits);
    const many = compiled(deep, 15, device.limits);
    expect(functions(few)).toBe(few.resident?.stages);
    expect(functions(many)).toBeLessThan(0.6 * (many.resident?.stages ?? 0));
  });

  it("binds what comes from outside and no scratch value by itself", async () => {
    // Products that wait for a sum are scratch values.
    const products = [input("x", [5, 5])];
    for (let i = 0; i < 7; i++) products.push(matmul(products[i], products[0]));
    const graph = { outputs: { y: products.reduce((sum, product) => add(sum, product)) }, updates: [] };
    const far = { maxStorageBuffers: 3, costs: { ...device.limits.costs, near: 0 } };
    const { resident, plan } = compileGraph(graph, { ...device.limits, ...far });
    expect(plan.buffers.length).toBeGreaterThan(far.maxStorageBuffers);
    expect(resident?.buffers.map(({ buffer }) => buffer.kind).sort()).toEqual(["arena", "input", "output"]);
    const none = compileGraph(graph, { ...device.limits, ...far, maxStorageBuffers: 2 });
    expect(none).toMatchObject({
      resident: null,
      choice: { why: "one kernel would bind 3 buffers, of 2 that it may have" },
    });
    const types = { x: products[0] };
    const feeds = { x: Float32Array.from({ length: 25 }, (_, i) => Math.sin(i) / 3) };
    const sample = { name: "products", graph, types, feeds, step: {} };
    const want = await runOnce(openCpu({ precision: "f64" }), sample);
    const got = await runOnce(device, sample, { plan: "resident", limits: far });
    for (const [i, v] of got.y.entries()) expect(v).toBeCloseTo(want.y[i], 5);
  });

  it.each(["llvmpipe", "SwiftShader"])("is chosen for small recurrent and tiny convolutional nets on %s", (adapter) => {
    const limits = { ...LEAST_LIMITS, maxStorageBuffers: 12, software: true, costs: costsOf(adapter) };
    const kind = (model: Model, batch: number): string => compiled(model, batch, limits).choice.kind;
    expect(kind(recurrent(lstm(4)), 8)).toBe("resident");
    expect(kind(recurrent(gru(4)), 8)).toBe("resident");
    expect(kind(cnn(4, 2), 4)).toBe("resident");
    expect(kind(cnn(8, 4), 16)).toBe("dispatch");
    expect(kind(recurrent(lstm(32), 32), 64)).toBe("dispatch");
  });
});
