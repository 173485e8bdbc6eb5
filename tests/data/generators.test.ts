import { describe, expect, it } from "vitest";
import { arSeries } from "../../src/data/arSeries.ts";
import { blobs, circles, type Generated, makeClassification, moons, spirals, xor } from "../../src/data/generators.ts";
import { strokeDigits } from "../../src/data/strokeDigits.ts";
import { TilegradError } from "../../src/errors.ts";
import { rocAuc } from "../../src/metrics/areas.ts";

const range = (n: number) => [...Array(n).keys()];
const point = ({ x, columns }: Generated, row: number) => [...x.subarray(row * columns, (row + 1) * columns)];
const radius = (p: readonly number[]) => Math.hypot(...p);

describe("generators", () => {
  it.each([
    ["xor", xor],
    ["moons", moons],
    ["circles", circles],
    ["spirals", spirals],
    ["blobs", blobs],
  ])("%s depends on the seed only, is finite and has even classes", (_, make) => {
    const made = make({ rows: 300, noise: 0.2, seed: 7 });
    expect(make({ rows: 300, noise: 0.2, seed: 7 })).toEqual(made);
    expect(make({ rows: 300, noise: 0.2, seed: 8 }).x).not.toEqual(made.x);
    expect(made.x.length).toBe(600);
    expect(made.x.every(Number.isFinite)).toBe(true);
    expect(made.y.reduce((a, b) => a + b)).toBe(150);
  });

  it("xor is the truth table", () => {
    const table = xor();
    expect(range(4).map((row) => [...point(table, row), table.y[row]])).toEqual([
      [0, 0, 0],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ]);
  });

  it("moons, circles and spirals lie on their curves without noise", () => {
    const half = moons({ noise: 0 });
    const ring = circles({ noise: 0, factor: 0.25 });
    const arm = spirals({ noise: 0, turns: 2 });
    for (const row of range(200)) {
      const [u, v] = point(half, row);
      const away = half.y[row] === 0 ? radius([u, v]) : radius([1 - u, 0.5 - v]);
      expect(away).toBeCloseTo(1, 5);
      expect(radius(point(ring, row))).toBeCloseTo(ring.y[row] === 0 ? 1 : 0.25, 5);
      const [a, b] = point(arm, row);
      const angle = 2 * Math.PI * (2 * radius([a, b]) + arm.y[row] / 2);
      expect(a).toBeCloseTo(radius([a, b]) * Math.cos(angle), 4);
      expect(b).toBeCloseTo(radius([a, b]) * Math.sin(angle), 4);
    }
  });

  it("blobs surround their centres", () => {
    const made = blobs({
      rows: 3000,
      centers: [
        [0, 0, 9],
        [5, 5, 5],
        [-9, 0, 0],
      ],
      noise: 0.5,
    });
    expect(made.columns).toBe(3);
    const third = range(3000).filter((row) => made.y[row] === 2);
    const mean = third.reduce((sum, row) => sum + point(made, row)[0], 0) / third.length;
    expect(Math.abs(mean + 9)).toBeLessThan((4 * 0.5) / Math.sqrt(1000));
  });
});

describe("makeClassification", () => {
  it("has the asked prevalence, label noise and shape, in random order", () => {
    const clean = makeClassification({ rows: 5000, prevalence: 0.05, labelNoise: 0, seed: 3 });
    expect([clean.rows, clean.columns]).toEqual([5000, 10]);
    expect(clean.y.reduce((a, b) => a + b)).toBe(250);
    expect(clean.y.subarray(0, 2500).reduce((a, b) => a + b)).toBeLessThan(200);
    const noisy = makeClassification({ rows: 5000, prevalence: 0.05, labelNoise: 0.2, seed: 3 });
    expect(noisy.x).toEqual(clean.x);
    const changed = noisy.y.filter((label, row) => label !== clean.y[row]).length;
    expect(Math.abs(changed - 500)).toBeLessThan(4 * Math.sqrt(5000 * 0.1 * 0.9));
  });

  it("tells the classes apart in the first column, and hides the rest from a straight line", () => {
    const { x, y, rows, columns } = makeClassification({ rows: 4000, labelNoise: 0, seed: 1 });
    const auc = (c: number) =>
      rocAuc(
        y,
        range(rows).map((row) => x[row * columns + c]),
      ) as number;
    expect(auc(0)).toBeGreaterThan(0.75);
    for (const c of [1, 2, 7, 8, 9]) expect(Math.abs(auc(c) - 0.5)).toBeLessThan(0.04);
    const agree = rocAuc(
      y,
      range(rows).map((row) => x[row * columns + 1] * x[row * columns + 2]),
    ) as number;
    expect(agree).toBeGreaterThan(0.6);
  });

  it("makes redundant columns of the informative ones", () => {
    const { x, rows, columns } = makeClassification({ rows: 50, informative: 1, redundant: 2, useless: 0 });
    const ratio = x[1] / x[0];
    for (const row of range(rows)) expect(x[row * columns + 1]).toBeCloseTo(ratio * x[row * columns], 4);
  });

  it("refuses options out of range", () => {
    const bad = [{ rows: 1 }, { prevalence: 1 }, { labelNoise: 2 }, { informative: 0 }, { separation: Number.NaN }];
    for (const options of bad) expect(() => makeClassification(options)).toThrow(TilegradError);
    for (const run of [
      () => moons({ rows: 1.5 }),
      () => circles({ factor: 1 }),
      () => spirals({ noise: -1 }),
      () => blobs({ centers: [] }),
      () => xor({ seed: 0.5 }),
    ]) {
      expect(run).toThrow(TilegradError);
    }
  });
});

describe("arSeries", () => {
  it("has, for each class, the autocorrelation and variance of its coefficient", () => {
    const { x, y, rows, columns } = arSeries({
      rows: 400,
      length: 100,
      coefficients: [[0.8], [-0.5]],
      noise: 2,
      seed: 3,
    });
    for (const [label, c] of [0.8, -0.5].entries()) {
      let [squares, products, n] = [0, 0, 0];
      for (const row of range(rows).filter((r) => y[r] === label)) {
        const series = x.subarray(row * columns, (row + 1) * columns);
        for (let t = 1; t < columns; t++) {
          squares += series[t] ** 2;
          products += series[t] * series[t - 1];
          n++;
        }
      }
      expect(products / squares).toBeCloseTo(c, 1);
      expect(squares / n / (4 / (1 - c * c))).toBeCloseTo(1, 1);
    }
    expect(y.reduce((a, b) => a + b)).toBe(200);
  });

  it("depends on the seed only, and refuses what grows without bound", () => {
    expect(arSeries({ seed: 2 })).toEqual(arSeries({ seed: 2 }));
    expect(arSeries({ seed: 2 }).x).not.toEqual(arSeries({ seed: 3 }).x);
    expect(() => arSeries({ coefficients: [[1.2]] })).toThrow(/1.2, whose series grows without bound/);
    expect(() => arSeries({ length: 0 })).toThrow(/got length 0/);
  });
});

describe("strokeDigits", () => {
  const { x, y, rows, columns } = strokeDigits({ rows: 400, seed: 5 });

  it("draws ten equally frequent digits with ink in [0, 1], clear of the edge, by seed", () => {
    expect([...new Set(y)].sort((a, b) => a - b)).toEqual(range(10));
    for (const digit of range(10)) expect(y.filter((label) => label === digit)).toHaveLength(40);
    expect(columns).toBe(784);
    expect(x.every((ink) => ink >= 0 && ink <= 1)).toBe(true);
    const clean = strokeDigits({ rows: 400, seed: 5, noise: 0 });
    const edge = range(400).flatMap((row) => range(28).map((i) => clean.x[row * 784 + i]));
    expect(edge.reduce((a, b) => a + b, 0) / edge.length).toBeLessThan(0.01);
    expect(strokeDigits({ rows: 400, seed: 5 }).x).toEqual(x);
    expect(strokeDigits({ rows: 400, seed: 6 }).x).not.toEqual(x);
  });

  it("makes digits that can be told apart, but not by one picture of each", () => {
    const pattern = strokeDigits({ rows: 10, variation: 0, noise: 0 });
    const distance = (row: number, other: number) => {
      let sum = 0;
      for (let i = 0; i < 784; i++) sum += (x[row * 784 + i] - pattern.x[other * 784 + i]) ** 2;
      return sum;
    };
    const nearest = (row: number) =>
      pattern.y[range(10).reduce((best, other) => (distance(row, other) < distance(row, best) ? other : best))];
    const right = range(rows).filter((row) => nearest(row) === y[row]).length / rows;
    expect(right).toBeGreaterThan(0.6);
    expect(right).toBeLessThan(0.98);
  });

  it("draws in other sizes, and says what it cannot draw", () => {
    expect(strokeDigits({ rows: 3, size: 8 }).columns).toBe(64);
    expect(() => strokeDigits({ size: 4 })).toThrow(TilegradError);
    expect(() => strokeDigits({ variation: 3 })).toThrow(/got variation 3/);
  });
});
