import { describe, expect, it } from "vitest";
import { fitPreprocessor } from "../../src/data/preprocess.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { columnGroups } from "../../src/explain/groups.ts";
import { integratedGradients, meanAttribution } from "../../src/explain/integratedGradients.ts";
import { permutationImportance } from "../../src/explain/permutation.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { fitLogisticRegression, predictLogisticRegression } from "../../src/model/logisticRegression.ts";
import { sequential } from "../../src/model/model.ts";
import { codeOf, largestDifference, onDevices, problem, trainerOf } from "../train/support.ts";

const columns = Array.from({ length: 5 }, (_, i) => ({ name: `c${i}`, inputs: [i] }));

onDevices((device) => {
  describe("integrated gradients", () => {
    it("of each row sum to logit(x) - logit(baseline)", async () => {
      const { x, y } = problem(130); // three batches, the last one not full
      const layers = [dense(8, { activation: "tanh" }), dense(1)];
      const trainer = trainerOf(device(), sequential({ input: [5] }, layers));
      await trainer.fit({ x, y }, { epochs: 10, batchSize: 65 });
      const baseline = [0.5, -0.5, 0.2, 0, 1];
      const shares = await integratedGradients(trainer, x, { baseline });
      const [from] = await trainer.outputs(baseline);
      const moved = (await trainer.outputs(x)).map((z) => z - from);
      const sums = moved.map((_, row) => shares.subarray(row * 5, row * 5 + 5).reduce((a, b) => a + b, 0));
      expect(Math.max(...moved.map(Math.abs))).toBeGreaterThan(1);
      expect(largestDifference(sums, moved)).toBeLessThan(1e-3);
      trainer.dispose();
    });

    it("of a linear model are weight times distance, exactly; a sigmoid at the end does not matter", async () => {
      const { x } = problem(3);
      const trainer = trainerOf(device(), sequential({ input: [5] }, [dense(1, { activation: "sigmoid" })]));
      const [weights] = Object.values(await trainer.getWeights()).filter(({ length }) => length === 5);
      const shares = await integratedGradients(trainer, x);
      expect(
        largestDifference(
          shares,
          x.map((value, i) => value * weights[i % 5]),
        ),
      ).toBeLessThan(1e-5);
      const total = Array.from({ length: 3 }, (_, r) => Math.abs(x[5 * r] * weights[0] + x[5 * r + 1] * weights[1]));
      const [pair] = meanAttribution(shares, 3, [{ name: "both", inputs: [0, 1] }]);
      expect(pair.mean).toBeCloseTo(total.reduce((a, b) => a + b, 0) / 3, 5);
      expect(await codeOf(integratedGradients(trainer, x, { baseline: [1] }))).toBe("E_SHAPE");
      expect(await codeOf(integratedGradients(trainer, x, { steps: 0 }))).toBe("E_ARGUMENT");
      trainer.dispose();
    });
  });
});

describe("permutation importance", () => {
  const { x, y } = problem(400);
  const predict = async (rows: Float32Array) =>
    Float32Array.from({ length: rows.length / 5 }, (_, r) => rows[5 * r] * rows[5 * r + 1] + rows[5 * r + 2]);

  it("is 0 for what the model does not read and large for what it does; the same seed gives the same numbers", async () => {
    const found = await permutationImportance(predict, x, y, columns, { seed: 3 });
    expect(found.slice(3)).toEqual([
      { name: "c3", mean: 0, std: 0 },
      { name: "c4", mean: 0, std: 0 },
    ]);
    for (const { mean, std } of found.slice(0, 3)) {
      expect(mean).toBeGreaterThan(0.1);
      expect(std).toBeGreaterThan(0);
      expect(std).toBeLessThan(0.05);
    }
    expect(await permutationImportance(predict, x, y, columns, { seed: 3 })).toEqual(found);
    expect(await permutationImportance(predict, x, y, columns, { seed: 4 })).not.toEqual(found);
  });

  it("shuffles the inputs of a group together", async () => {
    const [pair, one] = await permutationImportance(predict, x, y, [{ name: "pair", inputs: [0, 1] }, columns[0]]);
    const product = async (rows: Float32Array) => predict(rows.map((v, i) => (i % 5 === 2 ? 0 : v)));
    expect(pair.mean).toBeGreaterThan(0.1);
    expect(one.mean).toBeGreaterThan(0.1);
    // Rows keep their product when all that makes it moves at once: only the pairing with the label is lost.
    const sums = new Set<string>();
    await permutationImportance(
      async (rows) => {
        const all = Array.from({ length: 400 }, (_, r) => rows[5 * r] * rows[5 * r + 1]);
        sums.add(all.sort((a, b) => a - b).join());
        return product(rows);
      },
      x,
      y,
      [{ name: "pair", inputs: [0, 1] }],
    );
    expect(sums.size).toBe(1);
  });

  it("needs both classes", async () => {
    expect(
      await codeOf(
        permutationImportance(
          predict,
          x,
          y.map(() => 1),
          columns,
        ),
      ),
    ).toBe("E_DATA");
  });
});

it("one-hot inputs and missing indicators belong to their column", () => {
  const table = tableFromColumns({
    age: [1, Number.NaN, 3, 4],
    plan: ["a", "b", "a", "c"],
    y: [0, 1, 0, 1],
  });
  const preprocessor = fitPreprocessor(table, [0, 1, 2, 3], { target: "y" });
  expect(columnGroups(preprocessor)).toEqual([
    { name: "age", inputs: [0, 1] },
    { name: "plan", inputs: [2, 3, 4] },
  ]);
});

describe("logistic regression", () => {
  it("finds the optimum: no gradient is left, with the penalty on weights but not on the bias", () => {
    const { x, y } = problem(500);
    const l2 = 0.01;
    const model = fitLogisticRegression(x, y, { l2 });
    expect(model.converged).toBe(true);
    expect(model.iterations).toBeLessThan(30);
    const residual = predictLogisticRegression(model, x).map((p, i) => p - y[i]);
    for (let j = 0; j < 5; j++) {
      const slope = residual.reduce((sum, r, row) => sum + r * x[5 * row + j], 0) / 500 + 2 * l2 * model.weights[j];
      expect(Math.abs(slope)).toBeLessThan(2e-6);
    }
    expect(Math.abs(residual.reduce((a, b) => a + b, 0) / 500)).toBeLessThan(2e-6);
  });

  it("stays finite on rows that a line separates", () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => i - 19.5);
    const model = fitLogisticRegression(
      x,
      x.map((v) => Number(v > 0)),
    );
    expect(model.converged).toBe(true);
    expect(model.weights[0]).toBeGreaterThan(0.5);
    expect(model.weights[0]).toBeLessThan(10);
  });

  it("says what it cannot fit", () => {
    expect(() => fitLogisticRegression([1, 2, 3], [0, 1])).toThrow(/3 values for 2 rows/);
    expect(() => fitLogisticRegression([1, 2], [1, 1])).toThrow(/all rows are positive/);
  });
});
