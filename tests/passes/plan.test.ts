import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import type { Device } from "../../src/device.ts";
import type { Graph } from "../../src/graph/types.ts";
import { verify } from "../../src/graph/verify.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, focal } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import type { Optimizer } from "../../src/model/optimizers.ts";
import { adagrad, adam, adamW, rmsprop, sgd } from "../../src/model/optimizers.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { concat } from "../../src/ops/core/concat.ts";
import { input, state } from "../../src/ops/core/constant.ts";
import { add, mul, sub, tanh } from "../../src/ops/core/elementwise.ts";
import { mean, softmax } from "../../src/ops/core/reduce.ts";
import { slice } from "../../src/ops/core/slice.ts";
import { reshape, transpose } from "../../src/ops/core/view.ts";
import { matmul } from "../../src/ops/matmul/matmul.ts";
import { expand } from "../../src/passes/expand.ts";
import { fuse } from "../../src/passes/fuse.ts";
import { simplify } from "../../src/passes/simplify.ts";
import type { KernelLimits } from "../../src/policy/limits.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { layoutParameters } from "../../src/train/parameters.ts";
import type { StepSpec } from "../../src/train/step.ts";
import { predictionStep, trainingStep } from "../../src/train/step.ts";
import { openTestGpu } from "../devices.ts";
import { runGraph, worstAgainstF64 } from "./support.ts";

const mlp = (): Model =>
  sequential({ input: [30] }, [dense(128, { activation: "relu" }), dense(64, { activation: "relu" }), dense(1)]);

const stepOf = (model: Model, optimizer: Optimizer, more: Partial<StepSpec> = {}): Graph =>
  trainingStep({
    model,
    optimizer,
    layout: layoutParameters(model),
    loss: binaryCrossentropy({ classWeight: { 0: 1, 1: 10 } }),
    batch: 256,
    data: { rows: 1000, y: [], weighted: false },
    orderSize: 512,
    recordSize: 2,
    penalties: { l1: false, l2: false },
    ...more,
  });

/** Labels without the strategy that was chosen for a matmul, which is a matter of speed. */
const kernels = (graph: Graph, limits: KernelLimits = LEAST_LIMITS): string[] =>
  compileGraph(graph, limits).calls.map((call) => call.label.replace(/^matmul_\w+/, "matmul"));

describe("a training step of the 30-128-64-1 network with Adam", () => {
  const step = stepOf(mlp(), adam());

  it.each([false, true])("is at most 12 dispatches, gathering the batch included (software GPU %s)", (software) => {
    expect(kernels(step, { ...LEAST_LIMITS, software }).length).toBeLessThanOrEqual(12);
  });

  it("computes these ops in these kernels", () => {
    expect(kernels(step)).toMatchSnapshot();
  });

  it("updates all parameters and both slots in one kernel", () => {
    const updating = compileGraph(step, LEAST_LIMITS).calls.filter(({ buffers }) =>
      buffers.some((b) => b.write && b.buffer.name === "parameters"),
    );
    expect(updating).toHaveLength(1);
    const written = updating[0].buffers.filter((b) => b.write).map((b) => b.buffer.name);
    expect(written).toEqual(expect.arrayContaining(["parameters", "slot m", "slot v"]));
  });

  it("takes one more dispatch or none for sample weights, dropout and regularizers each", () => {
    const plain = kernels(step).length;
    const weighted = stepOf(mlp(), adam(), { data: { rows: 1000, y: [], weighted: true } });
    expect(kernels(weighted).length).toBeLessThanOrEqual(plain);
    expect(kernels(stepOf(mlp(), adam(), { penalties: { l1: false, l2: true } })).length).toBeLessThanOrEqual(
      plain + 1,
    );
    const dropping = sequential({ input: [30] }, [
      dense(128, { activation: "relu" }),
      dropout(0.2),
      dense(64, { activation: "relu" }),
      dropout(0.2),
      dense(1),
    ]);
    expect(kernels(stepOf(dropping, adam())).length).toBeLessThanOrEqual(plain);
  });

  it("predicts in one dispatch a layer", () => {
    const model = mlp();
    expect(kernels(predictionStep(model, layoutParameters(model), 32, 32))).toMatchSnapshot();
  });
});

const optimizers: Record<string, Optimizer> = {
  sgd: sgd({ weightDecay: 0.01 }),
  nesterov: sgd({ momentum: 0.9, nesterov: true, dampening: 0, weightDecay: 0.01, clipNorm: 1 }),
  adam: adam({ weightDecay: 0.01, amsgrad: true, clipValue: 1 }),
  adamW: adamW({ amsgrad: true, clipNorm: 1, clipValue: 1 }),
  rmsprop: rmsprop({ centered: true, momentum: 0.9, weightDecay: 0.01, clipNorm: 1 }),
  adagrad: adagrad({ weightDecay: 0.01, initialAccumulator: 0.1 }),
};

describe("binding limits", () => {
  it.each(Object.entries(optimizers))(
    "are kept by a step with %s, all its options, both penalties and dropout",
    (_, optimizer) => {
      const model = sequential({ input: [7] }, [
        dense(9, { activation: "gelu" }),
        dropout(0.5),
        dense(3, { activation: "tanh" }),
        dense(1),
      ]);
      const graph = stepOf(model, optimizer, {
        loss: focal(),
        penalties: { l1: true, l2: true },
        data: { rows: 1000, y: [], weighted: true },
      });
      for (const fusion of [true, false]) {
        for (const { label, buffers } of compileGraph(graph, LEAST_LIMITS, { fusion }).calls) {
          expect(buffers.length, label).toBeLessThanOrEqual(8);
        }
      }
    },
  );

  it("are kept where many tensors are joined, added or normalised together", () => {
    const many = Array.from({ length: 40 }, (_, i) => input(`x${i}`, [4, 5]));
    const joined = tanh(concat(many, 0));
    const total = many.reduce((a, b) => add(a, tanh(b)));
    const statistics = Array.from({ length: 6 }, (_, i) => state(`mean ${i}`, [5]));
    const updates = statistics.map((s, i) => ({
      state: s,
      value: add(mul(s, 0.9), mul(mean(many[i], { axes: 0 }), 0.1)),
    }));
    const normal = statistics.map((s, i) => sub(many[i], s)).reduce((a, b) => mul(a, b));
    const graph = { outputs: { joined, total, normal }, updates };
    for (const { label, buffers } of compileGraph(graph, LEAST_LIMITS).calls)
      expect(buffers.length, label).toBeLessThanOrEqual(8);
  });
});

it("every pass gives a graph that verifies", () => {
  const graph = verify(
    stepOf(mlp(), adamW({ amsgrad: true, clipNorm: 1 }), { penalties: { l1: true, l2: true } }),
    "written",
  );
  const expanded = verify(expand(graph, LEAST_LIMITS), "expand");
  const simple = verify(simplify(expanded), "simplify");
  for (const fusion of [true, false]) verify(fuse(simple, { limits: LEAST_LIMITS, fusion }).graph, "fuse");
});

describe("on the GPU", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());

  /** A handful of ways in which kernels read what others write. */
  const a = state("a", [4, 6]);
  const b = state("b", [4, 6]);
  const c = state("c", [24]);
  const x = input("x", [4, 6]);
  const graphs: Record<string, Graph> = {
    "states that swap": {
      outputs: {},
      updates: [
        { state: a, value: b },
        { state: b, value: a },
      ],
    },
    "states that swap through work": {
      outputs: {},
      updates: [
        { state: a, value: tanh(b) },
        { state: b, value: mul(a, 0.5) },
      ],
    },
    "three states in a ring": {
      outputs: { old: a },
      updates: [
        { state: a, value: b },
        { state: b, value: reshape(c, [4, 6]) },
        { state: c, value: reshape(a, [24]) },
      ],
    },
    "a state updated by its own transpose": {
      outputs: {},
      updates: [{ state: a, value: reshape(transpose(reshape(a, [6, 4]), [1, 0]), [4, 6]) }],
    },
    "a state read by a matmul after its update is known": {
      outputs: { y: matmul(transpose(a, [1, 0]), tanh(a)) },
      updates: [{ state: a, value: tanh(a) }],
    },
    "an output that is a state's value before its update": {
      outputs: { before: a, after: add(a, x) },
      updates: [{ state: a, value: add(a, x) }],
    },
    "one value for two states and an output": {
      outputs: { y: tanh(x) },
      updates: [
        { state: a, value: tanh(x) },
        { state: b, value: tanh(x) },
      ],
    },
    "an update by a part of another state": {
      outputs: {},
      updates: [
        { state: a, value: tanh(b) },
        { state: b, value: concat([slice(a, [2, 0], [2, 6]), slice(a, [0, 0], [2, 6])], 0) },
      ],
    },
    "a state scaled by its own sum": { outputs: { s: sum(a) }, updates: [{ state: a, value: mul(a, sum(a)) }] },
    "softmax of a state, kept": { outputs: { y: softmax(a) }, updates: [{ state: a, value: softmax(a) }] },
  };
  const ways = [{}, { fusion: false }, { plan: "dispatch" }, { plan: "resident" }] as const;
  it.each(Object.entries(graphs))("%s: all updates take effect together, however it is run", async (_, graph) => {
    for (const how of ways) {
      expect(await worstAgainstF64(device, graph, { times: 3, ...how }), JSON.stringify(how)).toBeLessThanOrEqual(1);
    }
  });

  it("fused and unfused training steps agree within rounding", async () => {
    const model = sequential({ input: [6] }, [
      dense(5, { activation: "gelu" }),
      dense(3, { activation: "tanh" }),
      dense(1),
    ]);
    const graph = stepOf(model, adamW({ clipNorm: 1 }), {
      batch: 8,
      data: { rows: 8, y: [], weighted: true },
      orderSize: 16,
      penalties: { l1: true, l2: true },
    });
    const feeds: Record<string, ArrayLike<number>> = {
      order: Uint32Array.from({ length: 16 }, (_, i) => i % 8),
      y: Float32Array.from({ length: 8 }, (_, i) => i % 2),
      weight: new Float32Array(8).fill(1),
      alive: [1],
      l1: new Float32Array(layoutParameters(model).arenaSize).fill(0.01),
      l2: new Float32Array(layoutParameters(model).arenaSize).fill(0.02),
      "slot v": new Float32Array(layoutParameters(model).arenaSize).fill(0.1),
    };
    const step = {
      seedLow: 7,
      seedHigh: 0,
      step: 1,
      orderOffset: 0,
      recordOffset: 1,
      "optimizer stepSize": 0.01,
      "optimizer correction2": 1,
      "optimizer keep": 0.99,
    };
    const [fused, unfused] = await Promise.all(
      [true, false].map((fusion) => runGraph(device, graph, { fusion, feeds, step })),
    );
    for (const name of Object.keys(fused)) {
      const worst = Array.from(fused[name]).reduce<number>(
        (most, v, i) => Math.max(most, Math.abs(v - unfused[name][i])),
        0,
      );
      expect(worst, name).toBeLessThan(2e-6);
    }
  });
});
