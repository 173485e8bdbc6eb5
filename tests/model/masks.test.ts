/** Padding is skipped, handed on, or refused by name: no layer loses a mask. */
import { describe, expect, it } from "vitest";
import { apply, functional, input } from "../../src/model/functional.ts";
import type { Layer } from "../../src/model/layer.ts";
import { conv1d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding, masking } from "../../src/model/layers/embedding.ts";
import { add, concatenate } from "../../src/model/layers/merge.ts";
import {
  averagePooling1d,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from "../../src/model/layers/pooling.ts";
import { lstm } from "../../src/model/layers/recurrent.ts";
import { activation, dropout, flatten } from "../../src/model/layers/shape.ts";
import { bidirectional } from "../../src/model/layers/wrappers.ts";
import { meanSquaredError } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { onDevices, trainerOf } from "../train/support.ts";

const table = { values: [100, 1, 2, 3, 4] };
const tokens = (options = {}) =>
  embedding({ inputDim: 5, outputDim: 1, maskZero: true, embeddingsInitializer: table, ...options });

onDevices((device) => {
  const outputs = async (model: Model, x: number[]): Promise<number[]> => {
    const trainer = trainerOf(device(), model, { loss: meanSquaredError() });
    const y = [...(await trainer.outputs(x))];
    trainer.dispose();
    return y;
  };
  const of = (layers: Layer[], x: number[], shape = [x.length]) => outputs(sequential({ input: shape }, layers), x);

  it("pools over the steps that count", async () => {
    expect(await of([tokens(), globalAveragePooling1d()], [2, 4, 0, 0])).toEqual([3]);
    expect(await of([tokens(), globalMaxPooling1d()], [2, 4, 0, 0])).toEqual([4]);
    expect(await of([tokens(), globalAveragePooling1d()], [0, 0, 0, 0])).toEqual([0]);
    expect(await of([tokens(), globalMaxPooling1d()], [0, 0, 0, 0])).toEqual([0]);
    expect(await of([masking({ maskValue: 9 }), globalMaxPooling1d()], [-2, -4, 9, 9], [4, 1])).toEqual([-2]);
    expect(await of([masking(), globalAveragePooling1d()], [2, 4, 0, 0], [4, 1])).toEqual([3]);
  });

  it("pools windows over the steps that count, and hands on which windows do", async () => {
    const x = [2, 4, 3, 0, 0, 0];
    expect(await of([tokens(), averagePooling1d(2)], x)).toEqual([3, 3, 0]);
    expect(await of([tokens(), maxPooling1d(2)], x)).toEqual([4, 3, 0]);
    expect(await of([tokens(), averagePooling1d(2), globalAveragePooling1d()], x)).toEqual([3]);
    expect(await of([tokens(), maxPooling1d(2), globalAveragePooling1d()], x)).toEqual([3.5]);
  });

  it("pools behind a masked LSTM what it gives without padding", async () => {
    const cell = () =>
      lstm({ units: 3, returnSequences: true, kernelInitializer: "ones", recurrentInitializer: "ones" });
    for (const pool of [globalAveragePooling1d, globalMaxPooling1d]) {
      const padded = await of([tokens(), cell(), dropout(0.5), activation("tanh"), pool()], [2, 4, 0, 0]);
      const short = await of([tokens(), cell(), activation("tanh"), pool()], [2, 4]);
      for (const [i, v] of padded.entries()) expect(v).toBeCloseTo(short[i], 6);
    }
  });

  it("gives 0 at padded steps of both directions", async () => {
    const both = bidirectional(lstm({ units: 2, returnSequences: true, kernelInitializer: "ones" }));
    const y = await of([tokens(), both], [2, 4, 0]);
    expect(y.slice(8)).toEqual([0, 0, 0, 0]);
    expect(y.slice(0, 8).every((v) => v !== 0)).toBe(true);
  });

  it("joins masks: a step counts where it does in any input", async () => {
    const [a, b] = [input([3], { name: "a" }), input([3], { name: "b" })];
    const layer = tokens();
    const model = (join: Layer, masked = true) => {
      const other = apply(masked ? layer : embedding({ inputDim: 5, outputDim: 1, embeddingsInitializer: table }), b);
      return functional({
        inputs: [a, b],
        outputs: [apply(globalAveragePooling1d(), apply(join, apply(layer, a), other))],
      });
    };
    expect(await outputs(model(add()), [2, 0, 0, 4, 1, 0])).toEqual([(2 + 4 + 100 + 1) / 2]);
    expect(await outputs(model(add(), false), [2, 0, 0, 4, 1, 1])).toEqual([(6 + 101 + 101) / 3].map(Math.fround));
    expect(await outputs(model(concatenate({ axis: 1 })), [2, 0, 0, 4, 1, 0])).toEqual([7 / 3].map(Math.fround));
  });
});

describe("a layer that cannot skip padding", () => {
  it.each([
    ["flatten", flatten()],
    ["conv1d", conv1d(2, 2)],
  ])("refuses a mask by name: %s", (name, layer) => {
    expect(() => sequential({ input: [4] }, [tokens(), layer])).toThrow(
      new RegExp(`${name}: its input is masked, and it cannot skip padded steps`),
    );
  });
});

it("refuses a softmax over one unit", () => {
  for (const name of ["softmax", "logSoftmax"] as const)
    expect(() => sequential({ input: [2] }, [dense(1, { activation: name })])).toThrow(
      /over one unit, which is constant/,
    );
});
