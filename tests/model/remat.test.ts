import { describe, expect, it } from "vitest";
import { compileGraph } from "../../src/compile.ts";
import type { Layer } from "../../src/model/layer.ts";
import { conv2d } from "../../src/model/layers/convolution.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { embedding } from "../../src/model/layers/embedding.ts";
import { batchNormalization } from "../../src/model/layers/normalization.ts";
import { globalAveragePooling2d } from "../../src/model/layers/pooling.ts";
import { lstm } from "../../src/model/layers/recurrent.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { remat } from "../../src/model/layers/wrappers.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { adam } from "../../src/model/optimizers.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { LEAST_LIMITS } from "../../src/policy/limits.ts";
import { layoutParameters } from "../../src/train/parameters.ts";
import { planStages } from "../../src/train/planStages.ts";
import { trainingStep } from "../../src/train/step.ts";
import { bitsOf, onDevices, problem, trainerOf } from "../train/support.ts";

/** Layers in segments of so many, recomputed or as they are. */
const inSegments = (layers: readonly Layer[], each: number, recompute: boolean): Layer[] =>
  Array.from({ length: Math.ceil(layers.length / each) }, (_, k) => layers.slice(k * each, (k + 1) * each)).flatMap(
    (segment) => (recompute ? [remat(segment)] : segment),
  );

const repeat = <T>(times: number, make: () => T): T[] => Array.from({ length: times }, make);

const mlp = (recompute: boolean): Model =>
  sequential({ input: [16] }, [
    ...inSegments(
      repeat(32, () => dense(16, { activation: "relu" })),
      6,
      recompute,
    ),
    dense(1),
  ]);

const cnn = (recompute: boolean): Model => {
  const block = (): Layer[] => [conv2d(4, 3, { padding: "same", useBias: false }), batchNormalization(), dropout(0.1)];
  const blocks = repeat(6, block).flat();
  return sequential({ input: [6, 6, 1] }, [...inSegments(blocks, 6, recompute), globalAveragePooling2d(), dense(1)]);
};

const compiled = (model: Model, batch: number) =>
  compileGraph(
    trainingStep({
      model,
      optimizer: adam(),
      layout: layoutParameters(model),
      loss: binaryCrossentropy(),
      batch,
      data: { rows: batch, y: [], weighted: false },
      orderSize: batch,
      recordSize: 2,
      penalties: { l1: false, l2: false },
    }),
    LEAST_LIMITS,
  );

/** Bytes of a step's temporaries. */
const temporaries = (model: Model, batch: number): number =>
  compiled(model, batch)
    .plan.buffers.filter(({ kind }) => kind === "slot")
    .reduce((n, { size }) => n + 4 * size, 0);

describe("remat", () => {
  it("needs 0.4 of the memory for 32 dense layers, half of it for six normalised convolutions", () => {
    expect(temporaries(mlp(true), 64) / temporaries(mlp(false), 64)).toBeLessThan(0.4);
    expect(temporaries(cnn(true), 64) / temporaries(cnn(false), 64)).toBeLessThan(0.55);
  });

  it("is told by the plan of a step", () => {
    const stages = planStages(compiled(mlp(true), 64)).map(({ stage }) => stage);
    expect(stages.filter((stage) => stage === "recompute")).toHaveLength(26);
    expect(stages.indexOf("recompute")).toBeGreaterThan(stages.indexOf("loss"));
    expect(planStages(compiled(mlp(false), 64)).map(({ stage }) => stage)).not.toContain("recompute");
  });

  it("is saved, with the layers inside", () => {
    const model = cnn(true);
    const again = modelFromJson(JSON.parse(JSON.stringify(model.architecture)));
    expect(again.architecture).toEqual(model.architecture);
    expect(again.parameters.map(({ name }) => name)).toEqual(model.parameters.map(({ name }) => name));
    expect(again.parameters.map(({ name }) => name)).toContain("remat/conv2d_1/kernel");
  });

  it("names the layer inside that does not fit, and refuses to wrap none", () => {
    const broken = (): Model => sequential({ input: [4] }, [remat([dense(3), lstm(2)])]);
    expect(broken).toThrow(
      expect.objectContaining({ code: "E_SHAPE", message: expect.stringMatching(/"remat".*"lstm"/) }),
    );
    expect(() => remat([])).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
  });

  onDevices((device) => {
    it.each([
      ["a deep net", mlp, 16],
      ["a normalised convolutional net with dropout", cnn, 36],
    ])("changes no bit of what %s learns", async (_, model, features) => {
      const bits = [];
      for (const recompute of [false, true]) {
        const trainer = trainerOf(device(), model(recompute), { plan: "dispatch" });
        await trainer.fit(problem(48, { features }), { epochs: 2, batchSize: 24 });
        bits.push(Object.values(await bitsOf(trainer)));
        trainer.dispose();
      }
      expect(bits[1]).toEqual(bits[0]);
    });

    it("hands masks through", async () => {
      const tokens = { x: [1, 2, 0, 0, 3, 1, 2, 0], y: [0, 1] };
      const scores = [];
      for (const around of [(l: Layer[]) => l, (l: Layer[]) => [remat(l)]]) {
        const layers = [
          ...around([embedding({ inputDim: 4, outputDim: 3, maskZero: true }), dense(3)]),
          lstm(2),
          dense(1),
        ];
        const trainer = trainerOf(device(), sequential({ input: [4] }, layers));
        await trainer.fit(tokens, { epochs: 2, batchSize: 2 });
        scores.push(await trainer.predict(tokens.x));
        trainer.dispose();
      }
      expect(scores[1]).toEqual(scores[0]);
    });
  });
});
