import { expect, it } from "vitest";
import type { Preprocessor } from "../../src/data/preprocess.ts";
import { fitPreprocessor } from "../../src/data/preprocess.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { examplesOf } from "../../src/experiment/prepare.ts";
import { seenBefore, trainedRows } from "../../src/experiment/trainedRows.ts";
import { pairedFolds, pairedPrAuc } from "../../src/metrics/paired.ts";
import { draws } from "../../src/random.ts";
import { verdictOf } from "../../src/report/verdict.ts";

const range = (n: number) => [...Array(n).keys()];

it("tells the better of two ways to score, either way, and not of equal ones", () => {
  const draw = draws(1, 1, 1);
  const y = range(600).map((row) => (row % 4 === 0 ? 1 : 0));
  const noisy = (noise: number, from: number) =>
    Float32Array.from(y, (label, row) => label + noise * (draw.uniform(4 * (from + row)) - 0.5));
  const [good, bad, other] = [noisy(1.5, 0), noisy(6, 1000), noisy(1.5, 2000)];
  const better = verdictOf(pairedPrAuc(y, good, bad, { seed: 0 }));
  expect(better).toEqual([
    expect.stringMatching(/^By PR-AUC the network is better than logistic regression \(\+0\.\d+, 95 % interval/),
  ]);
  const worse = verdictOf(pairedPrAuc(y, bad, good, { seed: 0 }));
  expect(worse).toEqual([expect.stringMatching(/logistic regression is better than the network \(−0\.\d+.*prefer it/)]);
  expect(verdictOf(pairedPrAuc(y, good, other, { seed: 0 }))).toEqual([expect.stringMatching(/do not tell/)]);
  const same = pairedPrAuc(y, good, good, { seed: 0 });
  expect(same).toEqual({ difference: 0, low: 0, high: 0 });
  expect(pairedPrAuc(y.fill(1), good, bad, { seed: 0 })).toBeNull();
  expect(verdictOf(null)).toEqual([]);
});

it("gives the interval of the corrected resampled t-test", () => {
  // mean 0.02, variance 0.00025, t(4) 2.776: 0.02 ± 2.776 sqrt(0.00025 (1/5 + 1/4)).
  const found = pairedFolds([0, 0.01, 0.02, 0.03, 0.04], 1 / 4);
  expect(found?.difference).toBeCloseTo(0.02, 12);
  expect(found?.high).toBeCloseTo(0.02 + 2.776 * Math.sqrt(0.00025 * 0.45), 10);
  expect(pairedFolds([0.1], 1)).toBeNull();
});

const told = async (
  columns: (row: number, seed: number) => Record<string, string | number>,
  from: number,
  to: number,
) => {
  const table = (rows: readonly number[], seed: number) => {
    const cells = rows.map((row) => ({ ...columns(row, seed), y: row % 3 === 0 ? 1 : 0 }));
    const names = Object.keys(cells[0]) as (keyof (typeof cells)[number])[];
    return tableFromColumns(Object.fromEntries(names.map((name) => [name, cells.map((cell) => cell[name])])));
  };
  const known = table(range(1500), 1);
  const preprocessor: Preprocessor = fitPreprocessor(known, range(1500), { target: "y" });
  const part = async (of: ReturnType<typeof table>) =>
    (await examplesOf("rows", preprocessor, of, Uint32Array.from(range(of.rows)))).examples;
  const saved = await trainedRows(preprocessor, await part(known));
  expect(JSON.stringify(saved).length).toBeLessThan(8000);
  const [again, others] = [part(table(range(to).slice(from), 1)), part(table(range(1500), 2))];
  return [await seenBefore(preprocessor, await again, saved), await seenBefore(preprocessor, await others, saved)];
};

it("says that rows were learned from, all of them or some, and nothing of new ones", async () => {
  const numbers = (row: number, seed: number) => ({
    a: draws(seed, 1, row).uniform(0),
    b: draws(seed, 1, row).uniform(4),
  });
  expect(await told(numbers, 0, 3000)).toEqual([
    ["the rows that the model was trained on are among these: its metrics here are too good."],
    [],
  ]);
  const [[some], none] = await told(numbers, 1000, 2000);
  expect(some).toMatch(/^about (2[5-9]|3\d|4[01]) % of the rows that the model was trained on/);
  expect(none).toEqual([]);
});

it("does not take new rows for old ones where there are few different ones", async () => {
  const levels = (row: number, seed: number) => ({
    a: `a${draws(seed, 1, row).integer(0, 12)}`,
    b: `b${draws(seed, 1, row).integer(1, 12)}`,
  });
  const [old, fresh] = await told(levels, 0, 1500);
  expect(old).toHaveLength(1);
  expect(fresh).toEqual([]);
});
