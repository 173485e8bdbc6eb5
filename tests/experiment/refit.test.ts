import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { makeClassification } from "../../src/data/generators.ts";
import type { Table } from "../../src/data/table.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import type { Device } from "../../src/device.ts";
import { experiment } from "../../src/experiment/experiment.ts";
import type { ExperimentOptions } from "../../src/experiment/options.ts";
import { settle } from "../../src/experiment/options.ts";
import { judgeRefit } from "../../src/experiment/refit.ts";
import { foldsFor } from "../../src/experiment/threshold.ts";
import { carryThreshold, NOTHING_POSITIVE } from "../../src/metrics/thresholds.ts";

let device: Device;
beforeAll(() => {
  device = openCpu();
});
afterAll(() => {
  expect(device.memory().bytes).toBe(0);
  device.dispose();
});

/** `yes` positives among `rows`. */
function rare(rows: number, yes: number, seed: number): Table {
  const { x, y, columns } = makeClassification({
    rows,
    prevalence: yes / rows,
    labelNoise: 0,
    informative: 3,
    redundant: 0,
    useless: 2,
    separation: 6,
    seed,
  });
  const column = (c: number) => Array.from({ length: rows }, (_, row) => x[row * columns + c]);
  const inputs = Object.fromEntries(Array.from({ length: columns }, (_, c) => [`x${c}`, column(c)]));
  return tableFromColumns({ ...inputs, y: Array.from(y, (label) => (label ? "yes" : "no")) });
}

const OPTIONS: ExperimentOptions = {
  target: "y",
  positive: "yes",
  network: { layers: [8] },
  optimizer: { learningRate: 0.1 },
  training: { epochs: 6, batch: 64 },
};

describe("a table with 13 yes, two of them to stop by", () => {
  const table = rare(900, 13, 1);
  const run = async (options: ExperimentOptions) => {
    const { trainer, result } = await experiment(device, table, options);
    const weights = await trainer.getWeights();
    trainer.dispose();
    return { ...result, weights };
  };

  it.each([
    ["stays with the first network where the second is worse, and says so", 3, false],
    ["takes the second network where it is no worse", 4, true],
  ])("%s", async (_, seed, kept) => {
    const unfolded = { ...OPTIONS, seed, decision: { thresholdFolds: "none" } } as const;
    const auto = await run(unfolded);
    const never = await run({ ...unfolded, training: { ...OPTIONS.training, refit: "never" } });
    expect(auto.refit).toMatchObject({ rows: 720, kept });
    if (kept) expect(auto.weights).not.toEqual(never.weights);
    else expect(auto.weights).toEqual(never.weights);
    expect(auto.metrics.test?.rocAuc).toBeGreaterThanOrEqual(never.metrics.test?.rocAuc as number);
    // The validation rows are scored and decided by the network that they stopped.
    expect(auto.metrics.validation).toEqual(never.metrics.validation);
    if (!kept) expect(auto.threshold).toBe(never.threshold);
  });

  it("has its threshold chosen by folds, also of logistic regression, unless that is turned off", async () => {
    const { thresholdFolds, threshold, baseline, warnings } = await run({ ...OPTIONS, seed: 4 });
    expect(thresholdFolds).toBe(5);
    expect(warnings.at(-1)).toMatch(/^few positives .* on every row\.$/);
    const asked = await run({ ...OPTIONS, seed: 4, decision: { thresholdFolds: 5 } });
    expect([asked.threshold, asked.baseline?.threshold]).toEqual([threshold, baseline?.threshold]);
    const never = await run({ ...OPTIONS, seed: 4, decision: { thresholdFolds: "none" } });
    expect(never.thresholdFolds).toBe(null);
    expect(never.warnings.join()).toContain("`thresholdFolds: 5`");
  });

  it("falls back to the validation rows where folds cannot be, as with groups of one class", async () => {
    const groups = { name: "group", values: Array.from({ length: 900 }, (_, row) => row % 3) };
    const grouped = { ...table, columns: [...table.columns, ...tableFromColumns({ group: groups.values }).columns] };
    const options = { ...OPTIONS, baseline: false, split: { group: "group", validation: 0.3, test: 0 } };
    const { trainer, result } = await experiment(device, grouped, options);
    trainer.dispose();
    expect(result.thresholdFolds).toBe(null);
    await expect(experiment(device, grouped, { ...options, decision: { thresholdFolds: 5 } })).rejects.toMatchObject({
      code: "E_ARGUMENT",
    });
  });
});

it.each([
  ["enough positives to judge by", 12, 50, {}, null],
  ["few", 5, 30, {}, 5],
  ["few negatives", 47, 170, {}, 5],
  ["a number that is given", 5, 30, { threshold: "0.5" }, null],
  ["turned off", 5, 30, { thresholdFolds: "none" }, null],
  ["too few to have some in each fold", 1, 1, {}, null],
] as const)("thresholds come from folds where few rows would decide: %s", (_, validation, train, decision, folds) => {
  const part = (positives: number, rows: number) => ({
    x: new Float32Array(rows),
    y: Float32Array.from({ length: rows }, (_, row) => Number(row < positives)),
  });
  const data = { train: part(train, 200), validation: part(validation, 50) };
  expect(foldsFor(settle({ target: "y", decision }), data)).toBe(folds);
});

describe("a refit is judged", () => {
  const rows = { x: new Float32Array(4), y: Float32Array.of(0, 0, 1, 1) };
  const before = Float32Array.of(0.1, 0.2, 0.6, 0.9);
  it.each([
    ["no worse", [0.1, 0.1, 0.7, 0.9], "bce", true],
    ["in another order", [0.1, 0.7, 0.6, 0.9], "bce", false],
    ["in the same order, but nearer to the base rate", [0.49, 0.49, 0.51, 0.51], "bce", false],
    ["the same, of scores that are no probabilities", [0.49, 0.49, 0.51, 0.51], "hinge", true],
  ] as const)("%s", (_, after, loss, kept) => {
    const { loss: options } = settle({ target: "y", loss: { loss } });
    const judged = judgeRefit({ loss: options }, rows, before, Float32Array.from(after));
    expect(judged.kept).toBe(kept);
    expect(judged.logLoss === null).toBe(loss === "hinge");
  });
});

describe("a threshold is carried to other scores", () => {
  const before = [0.1, 0.2, 0.3, 0.8, 0.9];
  it.each([
    ["where it says yes to the same share, as it is", [0.05, 0.1, 0.2, 0.6, 0.7], 0.5, 0.5],
    ["else halfway between the scores around that share", [0.01, 0.02, 0.04, 0.125, 0.25], 0.5, Math.fround(0.0825)],
    ["also to more rows", [0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.375, 0.4, 0.4, 0.875], 0.5, 0.3375],
    ["also where none is a yes", [0.6, 1], 1, NOTHING_POSITIVE],
  ])("%s", (_, after, threshold, carried) => {
    expect(Math.fround(carryThreshold(threshold, before, after))).toBe(Math.fround(carried));
  });
});
