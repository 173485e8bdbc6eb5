import { describe, expect, it } from "vitest";
import { averagePrecision, rocAuc } from "../../src/metrics/areas.ts";
import { confusionMatrix, measures } from "../../src/metrics/confusion.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy, softmaxCrossentropy } from "../../src/model/losses.ts";
import { sequential } from "../../src/model/model.ts";
import { sgd } from "../../src/model/optimizers.ts";
import type { Data } from "../../src/train/data.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import type { LogisticOptions } from "./logistic.ts";
import { logisticRegression } from "./logistic.ts";
import { bitsOf, codeOf, failure, largestDifference, onDevices, problem, trainerOf, withDropout } from "./support.ts";

const weighted = problem(70);
const data = { x: weighted.x, y: weighted.y };
const validation = problem(40, { seed: 2 });

onDevices((device) => {
  describe("a step", () => {
    type Case = [string, Data, Omit<LogisticOptions, "epochs" | "batchSize" | "rate" | "kernel">];
    const cases: Case[] = [
      ["a tail batch of 6 rows", data, {}],
      ["class weights", data, { classWeight: [0.5, 4] }],
      ["sample weights", weighted, {}],
      ["class and sample weights", weighted, { classWeight: [1, 3] }],
      ["L1", data, { l1: 0.01 }],
      ["L2", data, { l2: 0.02 }],
      ["L1 and L2", data, { l1: 0.03, l2: 0.01 }],
      ["clipping by value", data, { clipValue: 0.02 }],
      ["clipping by norm", data, { clipNorm: 0.05 }],
      ["all of it together", weighted, { classWeight: [1, 3], l1: 0.01, l2: 0.01, clipValue: 0.3, clipNorm: 0.2 }],
    ];
    it.each(cases)(
      "with %s is that of logistic regression in f64",
      async (_, rows, { classWeight, l1, l2, ...clipping }) => {
        const model = sequential({ input: [5] }, [
          dense(1, { kernelRegularizer: { ...(l1 ? { l1 } : {}), ...(l2 ? { l2 } : {}) } }),
        ]);
        const trainer = trainerOf(device(), model, {
          loss: binaryCrossentropy(classWeight ? { classWeight: { 0: classWeight[0], 1: classWeight[1] } } : {}),
          optimizer: sgd({ learningRate: 0.3, ...clipping }),
        });
        const { "dense/kernel": kernel } = await trainer.getWeights();
        const want = logisticRegression(rows, {
          epochs: 4,
          batchSize: 16,
          rate: 0.3,
          kernel,
          classWeight,
          l1,
          l2,
          ...clipping,
        });
        const history = await trainer.fit(rows, { epochs: 4, batchSize: 16, shuffle: false });
        const got = await trainer.getWeights();
        trainer.dispose();
        expect(largestDifference(got["dense/kernel"], want.kernel)).toBeLessThan(2e-6);
        expect(Math.abs(got["dense/bias"][0] - want.bias)).toBeLessThan(2e-6);
        expect(largestDifference(history.loss, want.loss)).toBeLessThan(2e-6);
      },
    );
  });

  describe("rows", () => {
    it("come in the order that is given, repeated or left out as it says", async () => {
      const order = Uint32Array.from({ length: 50 }, (_, i) => (i * 7) % 30);
      const picked = { x: rowsOf(data.x, order), y: rowsOf(data.y, order, 1) };
      const model = sequential({ input: [5] }, [dense(1)]);
      const by = trainerOf(device(), model);
      const of = trainerOf(device(), model);
      await by.fit(data, { epochs: 2, batchSize: 16, order: () => order });
      await of.fit(picked, { epochs: 2, batchSize: 16, shuffle: false });
      expect(await bitsOf(by)).toEqual(await bitsOf(of));
      by.dispose();
      of.dispose();
    });

    it("are used once an epoch each when shuffled: with one batch an epoch, the order changes rounding only", async () => {
      const model = sequential({ input: [5] }, [dense(4, { activation: "tanh" }), dense(1)]);
      const losses = await Promise.all(
        [true, false].map(async (shuffle) => {
          const trainer = trainerOf(device(), model);
          const { loss } = await trainer.fit(data, { epochs: 5, batchSize: 70, shuffle });
          trainer.dispose();
          return loss;
        }),
      );
      expect(largestDifference(losses[0], losses[1])).toBeLessThan(1e-6);
    });

    it.each<[string, FitOptions["order"]]>([
      ["past the data", () => [0, 70]],
      ["negative", () => [0, -1]],
      ["not whole", () => [0.5]],
      ["none", () => []],
      ["of another number in the second epoch", (epoch) => (epoch === 0 ? [1, 2, 3] : [1, 2])],
    ])("in an order that is wrong (%s) are a typed error", async (_, order) => {
      const trainer = trainerOf(device(), withDropout());
      expect(await codeOf(trainer.fit(data, { epochs: 2, batchSize: 2, order }))).toBe("E_ARGUMENT");
      trainer.dispose();
    });
  });

  describe("validation", () => {
    it("gives the loss and metrics of the whole validation set after each epoch, as evaluate does", async () => {
      const trainer = trainerOf(device(), withDropout(), { metrics: ["rocAuc", "prAuc", "accuracy", "f1"] });
      const history = await trainer.fit(data, { epochs: 3, batchSize: 16, validation });
      const scores = await trainer.predict(validation.x);
      const { sampleWeight: w, y } = validation;
      const { accuracy, f1 } = measures(confusionMatrix(y, scores, 0.5, w));
      expect(history.valRocAuc).toHaveLength(3);
      expect(history.valRocAuc.at(-1)).toBeCloseTo(rocAuc(y, scores, w) as number, 12);
      expect(history.valPrAuc.at(-1)).toBeCloseTo(averagePrecision(y, scores, w) as number, 12);
      expect(history.valAccuracy.at(-1)).toBeCloseTo(accuracy, 12);
      expect(history.valF1.at(-1)).toBeCloseTo(f1 as number, 12);
      const evaluated = await trainer.evaluate(validation);
      expect(evaluated).toEqual({
        loss: history.valLoss.at(-1),
        rocAuc: history.valRocAuc.at(-1),
        prAuc: history.valPrAuc.at(-1),
        accuracy: history.valAccuracy.at(-1),
        f1: history.valF1.at(-1),
      });
      trainer.dispose();
    });

    it("does not change what is learnt", async () => {
      const runs = await Promise.all(
        [{ validation }, {}].map(async (options) => {
          const trainer = trainerOf(device(), withDropout());
          await trainer.fit(data, { epochs: 3, batchSize: 16, ...options });
          const bits = await bitsOf(trainer);
          trainer.dispose();
          return bits;
        }),
      );
      expect(runs[0]).toEqual(runs[1]);
    });
  });

  describe("run", () => {
    it("tells every step's loss once, in order, and each epoch after its last step", async () => {
      const trainer = trainerOf(device(), withDropout());
      const losses: number[] = [];
      const means: number[] = [];
      for await (const event of trainer.run(data, { epochs: 3, batchSize: 16 })) {
        if (event.type === "steps") {
          losses.push(...event.losses);
          expect(event.step).toBe(losses.length);
        } else {
          means.push(event.logs.loss);
          expect(losses.length).toBeGreaterThanOrEqual(5 * (event.epoch + 1));
        }
      }
      expect(losses).toHaveLength(15);
      const mean = (e: number): number =>
        [16, 16, 16, 16, 6].reduce((sum, n, i) => sum + n * losses[5 * e + i], 0) / 70;
      expect(means).toEqual([0, 1, 2].map(mean));
      trainer.dispose();
    });

    it("refuses to train twice at once, and may train again after", async () => {
      const trainer = trainerOf(device(), withDropout());
      const first = trainer.fit(data, { epochs: 2 });
      expect(await codeOf(trainer.fit(data, { epochs: 2 }))).toBe("E_ARGUMENT");
      await first;
      await trainer.fit(data, { epochs: 1 });
      expect(trainer.history.loss).toHaveLength(3);
      trainer.dispose();
    });
  });

  describe("frozen layers", () => {
    const model = (trainable: boolean) =>
      sequential({ input: [5] }, [dense(16, { activation: "relu", trainable }), dropout(0.2), dense(1)]);

    it("keep their weights to the bit while the others learn", async () => {
      const trainer = trainerOf(device(), model(false));
      const before = await bitsOf(trainer);
      await trainer.fit(data, { epochs: 3, batchSize: 16 });
      const after = await bitsOf(trainer);
      for (const name of ["dense/kernel", "dense/bias"]) expect(after[name]).toEqual(before[name]);
      expect(after["dense_1/kernel"]).not.toEqual(before["dense_1/kernel"]);
      trainer.dispose();
    });

    it("cost no gradient kernels", async () => {
      const dispatches = async (trainable: boolean): Promise<number> => {
        const trainer = trainerOf(device(), model(trainable), { plan: "dispatch" });
        await trainer.fit(data, { epochs: 1, batchSize: 70 });
        trainer.dispose();
        return trainer.dispatches;
      };
      if (device().info.backend === "webgpu") expect(await dispatches(false)).toBeLessThan(await dispatches(true));
    });

    it("may be all there are", async () => {
      const trainer = trainerOf(device(), sequential({ input: [5] }, [dense(1, { trainable: false })]));
      const before = await bitsOf(trainer);
      const { loss } = await trainer.fit(data, { epochs: 2, batchSize: 16, shuffle: false });
      expect(await bitsOf(trainer)).toEqual(before);
      expect(loss[1]).toBe(loss[0]);
      trainer.dispose();
    });
  });

  describe("weights", () => {
    it("come back as they were set", async () => {
      const trainer = trainerOf(device(), withDropout());
      const set = Object.fromEntries(
        Object.entries(await trainer.getWeights()).map(([n, w]) => [n, w.map((_, i) => Math.fround(i / 7))]),
      );
      trainer.setWeights(set);
      expect(await trainer.getWeights()).toEqual(set);
      trainer.dispose();
    });

    it("that do not fit are refused as a whole", async () => {
      const trainer = trainerOf(device(), withDropout());
      const before = await trainer.getWeights();
      const { "dense/bias": bias, ...missing } = before;
      for (const wrong of [missing, { ...before, "dense/bias": [1] }, { ...before, extra: [1] }]) {
        const zeroed = Object.fromEntries(Object.entries(wrong).map(([n, w]) => [n, Array.from(w, () => 0)]));
        expect(() => trainer.setWeights(zeroed)).toThrow(expect.objectContaining({ code: "E_SHAPE" }));
      }
      // Else leaving it out would be no mistake.
      expect(bias).toHaveLength(8);
      expect(await trainer.getWeights()).toEqual(before);
      trainer.dispose();
    });
  });

  describe("bad input is a typed error before anything is changed:", () => {
    const nan = data.x.slice();
    nan[13] = Number.NaN;
    it.each<[string, string, RegExp, Data, Partial<FitOptions>]>([
      ["a NaN feature", "E_DATA", /row 2, feature 3/, { ...data, x: nan }, {}],
      ["features that are no whole rows", "E_SHAPE", /349 values/, { ...data, x: data.x.slice(1) }, {}],
      ["no rows", "E_SHAPE", /0 values/, { x: [], y: [] }, {}],
      ["labels of another number", "E_SHAPE", /69 values for 70 rows/, { ...data, y: data.y.slice(1) }, {}],
      [
        "an infinite label",
        "E_DATA",
        /row 1 is Infinity/,
        { ...data, y: data.y.map((v, i) => (i === 1 ? Infinity : v)) },
        {},
      ],
      ["a negative weight", "E_DATA", /row 0 is -1/, { ...data, sampleWeight: data.y.map(() => -1) }, {}],
      ["weights of another number", "E_SHAPE", /3 values for 70 rows/, { ...data, sampleWeight: [1, 1, 1] }, {}],
      ["a NaN in validation", "E_DATA", /validation/, data, { validation: { ...data, x: nan } }],
      [
        "validation labels of another shape",
        "E_SHAPE",
        /validation/,
        data,
        { validation: { x: data.x, y: new Float32Array(140) } },
      ],
      ["no epochs", "E_ARGUMENT", /epochs 0/, data, { epochs: 0 }],
      ["half a batch", "E_ARGUMENT", /batchSize 0.5/, data, { batchSize: 0.5 }],
      [
        "labels that the loss cannot take",
        "E_SHAPE",
        /binaryCrossentropy/,
        { x: data.x, y: new Float32Array(140) },
        {},
      ],
    ])("%s", async (_, code, message, rows, options) => {
      const trainer = trainerOf(device(), withDropout());
      const before = await bitsOf(trainer);
      const held = device().memory().bytes;
      const error = await failure(trainer.fit(rows, { epochs: 1, ...options }));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      expect(await bitsOf(trainer)).toEqual(before);
      expect(device().memory().bytes - held).toBeLessThan(1 << 16);
      expect(trainer).toMatchObject({ step: 0, cursor: null, history: {} });
      trainer.dispose();
    });

    it("a metric that is unknown, or of a model with several outputs", () => {
      const several = sequential({ input: [5] }, [dense(3)]);
      const make = (metrics: string[], model = withDropout()) =>
        trainerOf(device(), model, { loss: softmaxCrossentropy(), metrics: metrics as "f1"[] });
      expect(() => make(["area"])).toThrow(/metrics: got "area"; expected accuracy/);
      expect(() => make(["f1"], several)).toThrow(expect.objectContaining({ code: "E_ARGUMENT" }));
    });
  });
});

function rowsOf(values: Float32Array, rows: Uint32Array, width = 5): Float32Array {
  return Float32Array.from(
    { length: rows.length * width },
    (_, i) => values[rows[Math.floor(i / width)] * width + (i % width)],
  );
}
