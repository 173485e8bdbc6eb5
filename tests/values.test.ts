import { describe, expect, it } from "vitest";
import { adam, binaryCrossentropy, compile, dense, openDevice, sequential } from "../src/api/core.ts";
import { averagePrecision, rocAuc } from "../src/metrics/areas.ts";
import { costCurve } from "../src/metrics/costs.ts";
import { prCurve } from "../src/metrics/curves.ts";
import { brier, logLoss } from "../src/metrics/probability.ts";
import { classificationReport } from "../src/metrics/report.ts";
import { tuneThreshold } from "../src/metrics/thresholds.ts";
import { classWeightBalanced, logOddsBias } from "../src/metrics/weights.ts";
import { fitLogisticRegression } from "../src/model/logisticRegression.ts";
import { randomOverSampler } from "../src/resample/randomOverSampler.ts";
import type { Numeric } from "../src/values.ts";
import { floatsOf, numbersOf } from "../src/values.ts";

const labels = [0, 1, 1, 0, 0, 1, 0, 0];
const scores = [0.1, 0.8, 0.4, 0.3, 0.2, 0.9, 0.5, 0.1];
const rows = labels.length;
const x = Float32Array.from({ length: rows * 2 }, (_, i) => Math.sin(i) + labels[i >> 1]);

/** The labels as other tools give them: NumPy's int64, uint64, bytes and booleans, [n, 1], lists. */
const FORMS: readonly (readonly [string, Numeric])[] = [
  ["int64", BigInt64Array.from(labels, BigInt)],
  ["uint64", BigUint64Array.from(labels, BigInt)],
  ["int8", Int8Array.from(labels)],
  ["bytes", Uint8Array.from(labels)],
  ["doubles", Float64Array.from(labels)],
  ["booleans", labels.map((label) => label === 1)],
  ["bigints in a list", labels.map(BigInt)],
  ["rows of one", labels.map((label) => [label])],
  ["rows of one, typed", labels.map((label) => Int32Array.of(label))],
];

describe.each(FORMS)("labels as %s", (_, y) => {
  it("give the same metrics, thresholds, weights and resampled rows", async () => {
    const all = (given: Numeric) => [
      rocAuc(given, scores),
      averagePrecision(given, scores),
      prCurve(given, scores),
      logLoss(given, scores),
      brier(given, scores),
      costCurve(given, scores, { fp: 1, fn: 5 }),
      tuneThreshold(given, scores, { maximize: "f1" }),
      classificationReport(given, scores, { sampleWeight: labels.map((label) => BigInt(label + 1)) }),
      classWeightBalanced(given),
      logOddsBias(given),
      fitLogisticRegression(x, given),
    ];
    expect(all(y)).toEqual(all(labels));
    expect(await randomOverSampler({ x, y })).toEqual(await randomOverSampler({ x, y: labels }));
  });

  it("train the same bits", async () => {
    const device = await openDevice({ backend: "cpu" });
    const trained = async (given: Numeric) => {
      const model = sequential({ input: [2] }, [dense(3, { activation: "tanh" }), dense(1)]);
      const trainer = await compile(model, { device, loss: binaryCrossentropy(), optimizer: adam(), seed: 1 });
      await trainer.fit({ x: Float64Array.from(x), y: given }, { epochs: 3, batchSize: 4 });
      return trainer.predict(x);
    };
    expect(await trained(y)).toEqual(await trained(labels));
  });
});

it("refuses what is no number, by row", () => {
  expect(() => numbersOf("fit", "y", ["yes", "no"] as unknown as Numeric)).toThrow('fit: y of row 0 is "yes"');
  expect(() => numbersOf("fit", "y", [0, [1, 2]])).toThrow("fit: y of row 1 is [1, 2]; expected a number.");
  expect(() => numbersOf("fit", "y", [0, null] as unknown as Numeric)).toThrow("y of row 1 is null");
  expect(() => numbersOf("fit", "y", BigInt64Array.of(2n ** 53n + 1n))).toThrow("y of row 0 is 9007199254740993");
  expect(() => numbersOf("fit", "y", 3 as unknown as Numeric)).toThrow("got y 3; expected an array of values");
  expect(numbersOf("fit", "y", scores)).toBe(scores);
  expect(floatsOf("fit", "x", x)).toBe(x);
});
