import { expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { crossValidate } from "../../src/experiment/crossValidation.ts";
import { experiment } from "../../src/experiment/experiment.ts";
import type { ExperimentOptions } from "../../src/experiment/options.ts";
import { pairedGuessing } from "../../src/metrics/paired.ts";
import { type ClassificationReport, classificationReport } from "../../src/metrics/report.ts";
import { draws } from "../../src/random.ts";
import { guessingOf } from "../../src/report/verdict.ts";

const range = (n: number) => [...Array(n).keys()];

it("says where scores are no better than a constant, by log loss or by ranks, and nothing of good ones", () => {
  const draw = draws(1, 1, 1);
  const y = Float32Array.from(range(400), (row) => Number(row % 3 === 0));
  const told = (score: (label: number, u: number) => number) => {
    const scores = Float32Array.from(y, (label, row) => score(label, draw.uniform(4 * row)));
    return guessingOf(classificationReport(y, scores), pairedGuessing(y, scores, { seed: 0 }));
  };
  expect(told((_, u) => u)).toEqual([
    expect.stringMatching(
      /^The model is no better than guessing \(log loss 1\.\d+, where the prevalence alone reaches 0\.638;/,
    ),
  ]);
  expect(told((_, u) => 1 / 3 + u / 1e5 - 1e-6)).toEqual([expect.stringMatching(/guessing/)]);
  expect(told((label, u) => 0.001 * (0.5 * label + u))).toEqual([
    expect.stringMatching(/^As probabilities .* but they rank/),
  ]);
  expect(told((label, u) => 0.1 + 0.4 * label + 0.4 * u)).toEqual([]);
  expect(guessingOf(classificationReport(y.fill(1), y), pairedGuessing(y, y, { seed: 0 }))).toEqual([]);
});

/** Labels of a coin, or of the first column. */
function labelled(random: boolean) {
  const draw = draws(2, 1, 1);
  const [a, b, coin] = [0, 1000, 2000].map((from) => range(200).map((row) => draw.uniform(4 * (from + row))));
  return tableFromColumns({ a, b, y: (random ? coin : a).map((value) => (value < 0.5 ? "yes" : "no")) });
}

const OPTIONS: ExperimentOptions = {
  target: "y",
  positive: "yes",
  network: { layers: [4] },
  optimizer: { learningRate: 0.05 },
  training: { epochs: 8, batch: 32 },
  decision: { thresholdFolds: "none" },
  baseline: false,
};

it.each([
  ["says that a model of random labels is no better than guessing, also in folds", true],
  ["says nothing of one that has learned", false],
])("%s", async (_, random) => {
  const device = openCpu();
  const table = labelled(random);
  const { trainer, result } = await experiment(device, table, OPTIONS);
  trainer.dispose();
  const { pooled, versusGuessing } = await crossValidate(device, table, OPTIONS, { folds: 3 });
  const test = result.metrics.test as ClassificationReport;
  const told = [...guessingOf(test, result.versusGuessing), ...guessingOf(pooled, versusGuessing)];
  expect(told).toEqual(random ? Array(2).fill(expect.stringMatching(/guessing/)) : []);
  device.dispose();
});
