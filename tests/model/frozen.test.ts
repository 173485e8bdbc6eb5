import { describe, expect, it } from "vitest";
import { results, topological } from "../../src/graph/traverse.ts";
import type { Layer } from "../../src/model/layer.ts";
import { multiHeadAttention } from "../../src/model/layers/attention.ts";
import { conv1d, conv2d, conv2dTranspose, depthwiseConv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding } from "../../src/model/layers/embedding.ts";
import { batchNormalization, groupNormalization, layerNormalization } from "../../src/model/layers/normalization.ts";
import { gru, lstm, simpleRnn } from "../../src/model/layers/recurrent.ts";
import { flatten } from "../../src/model/layers/shape.ts";
import { bidirectional, timeDistributed } from "../../src/model/layers/wrappers.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { sgd } from "../../src/model/optimizers.ts";
import { layoutParameters } from "../../src/train/parameters.ts";
import { trainingStep } from "../../src/train/step.ts";

const penalty = { l2: 0.1 };
const kernel = { kernelRegularizer: penalty };
const recurrent = { ...kernel, recurrentRegularizer: penalty };
const norm = { gammaRegularizer: penalty, betaRegularizer: penalty };
type Options = { readonly trainable?: boolean };

const image = [6, 6, 2];
const sequence = [5, 3];
const cases: [string, readonly number[], (options: Options) => Layer][] = [
  ["dense", [6], (o) => dense(4, { ...kernel, ...o })],
  ["conv2d", image, (o) => conv2d(4, 3, { ...kernel, ...o })],
  ["conv1d", sequence, (o) => conv1d(4, 3, { ...kernel, ...o })],
  ["depthwiseConv2d", image, (o) => depthwiseConv2d(3, { ...kernel, ...o })],
  ["conv2dTranspose", image, (o) => conv2dTranspose(4, 3, { ...kernel, ...o })],
  ["batchNormalization", image, (o) => batchNormalization({ ...norm, ...o })],
  ["layerNormalization", image, (o) => layerNormalization({ ...norm, ...o })],
  ["groupNormalization", image, (o) => groupNormalization({ groups: 2, ...norm, ...o })],
  ["lstm", sequence, (o) => lstm(4, { ...recurrent, ...o })],
  ["gru", sequence, (o) => gru(4, { ...recurrent, ...o })],
  ["simpleRnn", sequence, (o) => simpleRnn(4, { ...recurrent, ...o })],
  ["bidirectional", sequence, (o) => bidirectional(lstm(4, { ...recurrent, ...o }))],
  ["timeDistributed", sequence, (o) => timeDistributed(dense(4, { ...kernel, ...o }))],
  ["embedding", [5], (o) => embedding({ inputDim: 9, outputDim: 3, embeddingsRegularizer: penalty, ...o })],
  ["multiHeadAttention", sequence, (o) => multiHeadAttention({ numHeads: 2, keyDim: 3, ...kernel, ...o })],
];

const modelOf = (input: readonly number[], layer: Layer) => sequential({ input }, [layer, flatten(), dense(1)]);

/** The ops of a training step. */
function opsOf(input: readonly number[], layer: Layer): string[] {
  const model = modelOf(input, layer);
  const graph = trainingStep({
    model,
    loss: binaryCrossentropy(),
    optimizer: sgd({ learningRate: 0.1 }),
    layout: layoutParameters(model),
    batch: 4,
    data: { rows: 8, y: [], weighted: false },
    orderSize: 8,
    recordSize: 8,
    augment: undefined,
    penalties: { l1: false, l2: false },
  });
  return topological(results(graph)).map((node) => node.op.name);
}

describe.each(cases)("%s", (type, input, make) => {
  // A transposed convolution is the gradient of a convolution: its output is computed by that op.
  const forward = type === "conv2dTranspose" ? ["conv2dInputGrad"] : [];

  it("costs no gradients where it is frozen: the step has the ops of the layer's output alone", () => {
    const ops = opsOf(input, make({ trainable: false }));
    const trained = opsOf(input, make({}));
    expect(trained.length).toBeGreaterThan(ops.length);
    expect(ops.filter((op) => /Grad|scatterAdd/.test(op) && op !== "denseGrad")).toEqual(forward);
    expect(ops.filter((op) => op === "denseGrad")).toHaveLength(1); // of the last layer
  });

  it("hands its penalty to every kernel, in training only where it learns", () => {
    const learned = modelOf(input, make({})).parameters.filter((p) => p.trainable);
    const kernels = learned.slice(0, -2).filter(({ name }) => !/[bB]ias$/.test(name));
    expect(kernels.length).toBeGreaterThan(0);
    for (const { name, regularizer } of kernels) expect(regularizer, name).toEqual(penalty);
    expect(modelOf(input, make({ trainable: false })).parameters.filter((p) => p.trainable)).toHaveLength(2);
  });
});
