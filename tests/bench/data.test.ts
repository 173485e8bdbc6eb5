import { describe, expect, it } from "vitest";
import { batches, batchOrder, initialWeights, learningRate, stepsPerEpoch, trainingData } from "../../bench/data.ts";
import { cnn, lstm, report, type Training, tabular, workloads, xor } from "../../bench/workloads.ts";

const trainings = workloads.filter((workload): workload is Training => workload.kind === "training");

describe("benchmark data", () => {
  it.each(trainings)("$name has its share of positive rows", (workload) => {
    const { x, y } = trainingData(workload);
    expect(x.length).toBe(workload.rows * workload.input.reduce((size, n) => size * n, 1));
    expect(y.reduce((sum, label) => sum + label, 0)).toBe(Math.round(workload.rows * workload.positives));
  });

  it("is the same in every process", () => {
    const [first] = initialWeights(tabular);
    expect(first[0].values).toEqual(initialWeights(tabular)[0][0].values);
    expect(batchOrder(report, 3)).toEqual(batchOrder(report, 3));
    expect(batchOrder(report, 3)).not.toEqual(batchOrder(report, 4));
  });

  it("visits each row once an epoch, in batches", () => {
    const source = batches(xor);
    const { x, y, size } = source.next().value;
    const rows = [0, 1, 2, 3].map((i) => `${x[2 * i]}${x[2 * i + 1]}${y[i]}`).sort();
    expect(size).toBe(4);
    expect(rows).toEqual(["000", "011", "101", "110"]);
  });

  it("gives every layer its weights", () => {
    const shapes = (workload: Training) => initialWeights(workload).map((layer) => layer.map(({ shape }) => shape));
    expect(shapes(xor)).toEqual([
      [[2, 3], [3]],
      [[3, 1], [1]],
    ]);
    expect(shapes(cnn)).toEqual([
      [[3, 3, 1, 8], [8]],
      [],
      [[3, 3, 8, 16], [16]],
      [],
      [],
      [[400, 64], [64]],
      [[64, 1], [1]],
    ]);
    expect(shapes(lstm)).toEqual([
      [[8, 128], [32, 128], [128]],
      [[32, 1], [1]],
    ]);
  });

  it("decays the report's learning rate linearly over 20 epochs", () => {
    const steps = 20 * stepsPerEpoch(report);
    expect(learningRate(report, 0)).toBe(0.01);
    expect(learningRate(report, steps / 2)).toBeCloseTo((0.01 + 1e-5) / 2, 12);
    expect(learningRate(report, 2 * steps)).toBeCloseTo(1e-5, 12);
  });
});
