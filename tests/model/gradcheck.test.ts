/** Every layer, in training: its gradients in f64 against central differences, then the GPU against f64. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runOnce } from "../../src/check/check.ts";
import { F32, worstRatio } from "../../src/check/compare.ts";
import type { SampleGraph } from "../../src/check/samples.ts";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { Elements, Tensor } from "../../src/graph/types.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { apply, functional, input as modelInput } from "../../src/model/functional.ts";
import { initialize } from "../../src/model/initializers.ts";
import type { Layer } from "../../src/model/layer.ts";
import { sequential } from "../../src/model/model.ts";
import { layerMakers } from "../../src/model/registry.ts";
import type { Model } from "../../src/model/types.ts";
import { sum } from "../../src/ops/core/broadcast.ts";
import { input } from "../../src/ops/core/constant.ts";
import { mul } from "../../src/ops/core/elementwise.ts";
import { gradients } from "../../src/passes/differentiate.ts";
import { draws } from "../../src/random.ts";
import { openTestGpu } from "../devices.ts";

const [EPS, ATOL, RTOL] = [1e-6, 1e-5, 1e-3];
const BATCH = 3;

/** Options, and shapes without the batch: an odd one, and one with sizes of 1. */
interface Sample {
  readonly options?: unknown;
  readonly shapes: readonly (readonly number[])[];
  /** Whole numbers, of which there is no gradient. */
  readonly tokens?: true;
  /** Applied to so many inputs of the shape; `states` are of another. */
  readonly inputs?: number;
  readonly states?: readonly (readonly number[])[];
}

const images = [
  [5, 7, 3],
  [1, 4, 1],
];
const sequences = [
  [5, 3],
  [1, 1],
];
const rows = [[7], [1]];
const inner = (type: string, config: object): Layer => layerMakers()[type](config);
const kernel = { kernelRegularizer: { l2: 0.1 } };
const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  dense: [{ options: { units: 5, activation: "tanh", ...kernel }, shapes: [[7], [1], [3, 1, 2]] }],
  activation: [{ options: { activation: "gelu" }, shapes: rows }],
  dropout: [{ options: { rate: 0.4 }, shapes: rows }],
  flatten: [{ shapes: images }],
  reshape: [{ options: { shape: [-1, 1] }, shapes: rows }],
  conv2d: [
    { options: { filters: 4, kernelSize: 3, padding: "same", strides: 2 }, shapes: images },
    { options: { filters: 6, kernelSize: [2, 1], groups: 3, dilationRate: [2, 1] }, shapes: [[5, 7, 3]] },
  ],
  conv1d: [{ options: { filters: 3, kernelSize: 2, padding: "causal", activation: "sigmoid" }, shapes: sequences }],
  depthwiseConv2d: [{ options: { kernelSize: 3, depthMultiplier: 2, padding: "same" }, shapes: images }],
  depthwiseConv1d: [{ options: { kernelSize: 2, depthMultiplier: 2, padding: "causal" }, shapes: sequences }],
  conv1dTranspose: [{ options: { filters: 2, kernelSize: 3, strides: 2, padding: "same" }, shapes: sequences }],
  conv2dTranspose: [{ options: { filters: 2, kernelSize: 3, strides: 2, padding: "same" }, shapes: images }],
  upSampling2d: [
    { options: { interpolation: "bilinear" }, shapes: images },
    { options: { size: [1, 3] }, shapes: [[2, 3, 2]] },
  ],
  upSampling1d: [{ options: { size: 3 }, shapes: sequences }],
  zeroPadding1d: [{ options: { padding: [1, 2] }, shapes: sequences }],
  cropping1d: [
    {
      options: { cropping: [1, 2] },
      shapes: [
        [5, 3],
        [4, 1],
      ],
    },
  ],
  zeroPadding2d: [{ options: { padding: [1, 2] }, shapes: images }],
  cropping2d: [
    {
      options: {
        cropping: [
          [0, 0],
          [1, 2],
        ],
      },
      shapes: images,
    },
  ],
  permute: [{ options: { dims: [2, 3, 1] }, shapes: images }],
  spatialDropout: [{ options: { rate: 0.4 }, shapes: images }],
  alphaDropout: [{ options: { rate: 0.3 }, shapes: rows }],
  gaussianNoise: [{ options: { stddev: 0.2 }, shapes: rows }],
  batchNormalization: [{ shapes: [[5, 7, 3], [1]] }],
  layerNormalization: [{ shapes: [[5, 3], [2]] }],
  groupNormalization: [
    {
      options: { groups: 2 },
      shapes: [
        [3, 5, 4],
        [1, 2],
      ],
    },
  ],
  maxPooling2d: [{ options: { poolSize: 3, strides: 2, padding: "same" }, shapes: images }],
  averagePooling2d: [{ options: { poolSize: 2, padding: "same" }, shapes: images }],
  maxPooling1d: [{ options: { padding: "same" }, shapes: sequences }],
  averagePooling1d: [{ options: { poolSize: 3, strides: 1, padding: "same" }, shapes: sequences }],
  globalMaxPooling2d: [{ shapes: images }],
  globalAveragePooling2d: [{ shapes: images }],
  globalMaxPooling1d: [{ shapes: sequences }],
  globalAveragePooling1d: [{ shapes: sequences }],
  lstm: [
    { options: { units: 4 }, shapes: sequences },
    { options: { units: 3, returnSequences: true, goBackwards: true }, shapes: [[3, 2]], states: [[3], [3]] },
  ],
  gru: [
    { options: { units: 4 }, shapes: sequences },
    { options: { units: 3, goBackwards: true }, shapes: [[3, 2]], states: [[3]] },
  ],
  simpleRnn: [{ options: { units: 4, returnSequences: true }, shapes: sequences }],
  bidirectional: [{ options: { layer: inner("gru", { units: 3, returnSequences: true }) }, shapes: sequences }],
  timeDistributed: [{ options: { layer: inner("dense", { units: 3 }) }, shapes: sequences }],
  remat: [
    {
      options: { layers: [inner("lstm", { units: 3 }), inner("dense", { units: 2, activation: "tanh" })] },
      shapes: sequences,
    },
  ],
  embedding: [
    { options: { inputDim: 5, outputDim: 3, embeddingsRegularizer: { l1: 0.1 } }, shapes: [[7], [1]], tokens: true },
  ],
  masking: [{ shapes: sequences }],
  multiHeadAttention: [{ options: { numHeads: 2, keyDim: 3, valueDim: 1, useCausalMask: true }, shapes: sequences }],
  add: [{ shapes: images, inputs: 3 }],
  subtract: [{ shapes: rows, inputs: 2 }],
  multiply: [{ shapes: rows, inputs: 3 }],
  average: [{ shapes: rows, inputs: 2 }],
  maximum: [{ shapes: rows, inputs: 2 }],
  concatenate: [{ options: { axis: 1 }, shapes: images, inputs: 2 }],
  randomFlip: [{ shapes: images }],
  randomTranslation: [{ options: { heightFactor: 0.3, widthFactor: 0.3 }, shapes: images }],
  randomRotation: [{ options: { factor: 0.2, fillMode: "constant" }, shapes: images }],
  randomZoom: [{ options: { heightFactor: 0.3 }, shapes: images }],
  randomBrightness: [{ options: { factor: 0.1, valueRange: [-9, 9] }, shapes: images }],
  randomContrast: [{ options: { factor: 0.1, valueRange: [-9, 9] }, shapes: images }],
  randomColorJitter: [{ options: { saturationFactor: 0.2, hueFactor: 0.1, valueRange: [-9, 9] }, shapes: [[3, 5, 3]] }],
  randomErasing: [{ shapes: images }],
  randomShift: [{ options: { factor: 0.3 }, shapes: sequences }],
  randomScale: [{ options: { factor: 0.3 }, shapes: sequences }],
  timeWarp: [{ options: { factor: 0.3 }, shapes: sequences }],
  windowSlice: [{ options: { size: 0.7 }, shapes: sequences }],
};

function modelOf(type: string, shape: readonly number[], { options = {}, inputs = 1, states = [] }: Sample): Model {
  const made = layerMakers()[type](options);
  if (inputs === 1 && states.length === 0) return sequential({ input: shape }, [made]);
  const given = [...Array.from({ length: inputs }, () => shape), ...states].map((s) => modelInput(s));
  return functional({ inputs: given, outputs: [apply(made, ...given)] });
}

/** y, and the gradients of sum(y · upstream) for x and each trained parameter. */
function graphOf(type: string, shape: readonly number[], sample: Sample): SampleGraph & { readonly wrt: string[] } {
  const model = modelOf(type, shape, sample);
  const [feeds, types]: [Record<string, Elements>, Record<string, Tensor>] = [{}, {}];
  const feed = (name: string, dims: readonly number[], values: ArrayLike<number>): Tensor => {
    feeds[name] = Float32Array.from(values);
    types[name] = input(name, dims);
    return types[name];
  };
  const random = (dims: readonly number[], stream: number): Float32Array => {
    const draw = draws(11, stream);
    return Float32Array.from({ length: sizeOf(dims) }, (_, i) => 2 * draw.uniform(i) - 1);
  };
  const inputShape = [BATCH, ...model.inputShape];
  const x = feed(
    "x",
    inputShape,
    sample.tokens ? random(inputShape, 0).map((v) => Math.floor(2 * v + 2)) : random(inputShape, 0),
  );
  const parameters = new Map(
    model.parameters.map(({ name, shape: dims, initializer }, i) => {
      const start = initialize(initializer, dims, draws(5, i));
      const noise = random(dims, 100 + i); // zeros would hide mistakes
      return [
        name,
        feed(
          name,
          dims,
          noise.map((v, k) => start[k] + 0.2 * v),
        ),
      ];
    }),
  );
  const y = model.trace(x, { training: true, parameter: ({ name }) => parameters.get(name) as Tensor });
  const upstream = feed("upstream", y.shape, random(y.shape, 50));
  const wrt = [...(sample.tokens ? [] : ["x"]), ...model.parameters.filter((p) => p.trainable).map(({ name }) => name)];
  const found = gradients(
    sum(mul(y, upstream)),
    wrt.map((name) => types[name]),
  );
  const outputs = Object.fromEntries([["y", y], ...found.map((g, k) => [`d${k}`, g])]);
  const step = { seedLow: 7, seedHigh: 1, step: 3 };
  return { name: `${type} [${shape}]`, graph: { outputs, updates: [] }, feeds, types, step, wrt };
}

const dot = (a: Elements, b: Elements): number => Array.from(a).reduce((total, v, i) => total + v * b[i], 0);

let gpu: Device;
beforeAll(async () => {
  gpu = await openTestGpu();
});
afterAll(() => gpu.dispose());

it("no layer is forgotten", () => {
  expect(Object.keys(SAMPLES).sort()).toEqual(Object.keys(layerMakers()).sort());
});

describe.each(Object.entries(SAMPLES))("%s", (type, samples) => {
  const graphs = samples.flatMap((sample) => sample.shapes.map((shape) => graphOf(type, shape, sample)));

  it("has the gradients that central differences in f64 give, along a random direction", async () => {
    const device = openCpu({ precision: "f64" });
    for (const graph of graphs) {
      const directions = graph.wrt.map((name, k) => {
        const draw = draws(3, 100 + k);
        return Float64Array.from(graph.feeds[name], (_, i) => draw.uniform(i) - 0.5);
      });
      const projected = async (by: number): Promise<number> => {
        const moved = graph.wrt.map((name, k) => [
          name,
          Float64Array.from(graph.feeds[name], (v, i) => v + by * directions[k][i]),
        ]);
        const { y } = await runOnce(device, { ...graph, feeds: { ...graph.feeds, ...Object.fromEntries(moved) } });
        return dot(y, graph.feeds.upstream);
      };
      const numeric = ((await projected(EPS)) - (await projected(-EPS))) / (2 * EPS);
      const outputs = await runOnce(device, graph);
      const analytic = graph.wrt.reduce((total, _, k) => total + dot(outputs[`d${k}`], directions[k]), 0);
      expect(Math.abs(numeric - analytic), graph.name).toBeLessThanOrEqual(ATOL + RTOL * Math.abs(numeric));
    }
  });

  // Layers without parameters are one op, or augmentation: tests/ops and augmentation.test.ts run those on the GPU.
  const [graph] = graphs;
  if (!graph.wrt.some((name) => name !== "x")) return;
  it("is the same on the GPU, fused and not", async () => {
    const want = await runOnce(openCpu({ precision: "f64" }), graph);
    for (const fusion of [true, false]) {
      const got = await runOnce(gpu, graph, { fusion });
      for (const name of Object.keys(want)) {
        expect(worstRatio(got[name], want[name], F32), `${graph.name} ${name}`).toBeLessThanOrEqual(1);
      }
    }
  });
});
