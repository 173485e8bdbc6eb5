import { describe, expect, it } from "vitest";
import { parseCsv } from "../../src/data/csv.ts";
import { describeTable } from "../../src/data/describe.ts";
import { makeClassification } from "../../src/data/generators.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { chooseTarget } from "../../src/data/target.ts";
import { draws } from "../../src/random.ts";

const range = (n: number) => [...Array(n).keys()];

describe("describeTable", () => {
  it("gives types, missing cells, ranges, cardinality and duplicates", () => {
    const { table } = parseCsv("a,b,c,d\n1,x,5,\n3,y,5,\n1,x,5,\n,x,5,\n-0,x,5,\n0,x,5,\n");
    const { columns, duplicates, rows } = describeTable(table);
    expect(rows).toBe(6);
    expect(duplicates).toBe(2);
    expect(columns[0]).toMatchObject({ name: "a", kind: "numeric", missing: 1, distinct: 3, constant: false });
    expect(columns[0].range).toMatchObject({ min: 0, max: 3, mean: 1 });
    expect(columns[0].range?.std).toBeCloseTo(Math.sqrt(6 / 5), 12);
    expect(columns[1]).toMatchObject({
      kind: "categorical",
      distinct: 2,
      top: [{ level: "x", count: 5 }, { level: "y" }],
    });
    expect(columns.map((column) => column.constant)).toEqual([false, false, true, true]);
    expect(describeTable(table, { rows: [0, 1] }).duplicates).toBe(0);
  });

  it("suspects columns that alone give the answer, in either direction, as numbers, codes or holes", () => {
    const y = range(400).map((i) => (i % 4 === 0 ? 1 : 0));
    const table = tableFromColumns({
      y,
      same: y.map((v, i) => v * 10 + (i % 7)),
      reversed: y.map((v) => -v),
      code: y.map((v, i) => (v === 1 ? ["p", "q"][i % 2] : ["r", "s", "t"][i % 3])),
      hole: y.map((v, i) => (v === 1 ? null : i % 11)),
      innocent: range(400).map((i) => (i * 37) % 101),
      name: range(400).map((i) => `row ${i}`),
    });
    const target = chooseTarget(table, { target: "y" });
    const { leakSuspects, columns } = describeTable(table, { target });
    expect(leakSuspects).toEqual(["same", "reversed", "code", "hole"]);
    expect(columns.find(({ name }) => name === "innocent")?.auc).toBeLessThan(0.6);
    expect(columns.find(({ name }) => name === "name")?.auc).toBeUndefined(); // a name per row always fits
    expect(columns[0].auc).toBeUndefined();
  });

  it("gives a column of noise about 0.5, whatever number of levels it has", () => {
    const rows = 1000;
    for (const levels of [2, 10, 40, 200]) {
      const aucs = range(20).map((seed) => {
        const draw = draws(seed, 1, levels);
        const noise = range(rows).map((row) => `level ${draw.integer(2 * row, levels)}`);
        const y = range(rows).map((row) => (draw.integer(2 * row + 1, 10) < 3 ? 1 : 0));
        const table = tableFromColumns({ noise, y });
        const { columns } = describeTable(table, { target: chooseTarget(table, { target: "y", positive: 1 }) });
        return columns[0].auc as number;
      });
      const mean = aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length;
      expect(mean, `${levels} levels`).toBeLessThan(0.52);
      expect(Math.max(...aucs), `${levels} levels`).toBeLessThan(0.57);
    }
  });

  it("gives a column of levels that tell something what they tell on other rows", () => {
    const draw = draws(5, 1, 0);
    const level = range(4000).map((row) => draw.integer(2 * row, 40));
    const y = level.map((l, row) => (draw.uniform(4 * (2 * row + 1)) < (l % 2 === 0 ? 0.6 : 0.2) ? 1 : 0));
    const table = tableFromColumns({ level: level.map((l) => `level ${l}`), y });
    const { columns } = describeTable(table, { target: chooseTarget(table, { target: "y", positive: 1 }) });
    // P(even | yes) = 3/4, P(even | no) = 1/3: the area is 1/2 + (3/4 - 1/3) / 2.
    expect(columns[0].auc).toBeGreaterThan(0.66);
    expect(columns[0].auc).toBeLessThan(0.74);
  });

  it("finds no duplicates among distinct rows, and all among repeated ones", () => {
    const { x, rows } = makeClassification({ rows: 20_000, informative: 2, redundant: 0, useless: 0 });
    const a = Float64Array.from(range(2 * rows), (i) => x[2 * (i % rows)]);
    const b = Float64Array.from(range(2 * rows), (i) => x[2 * (i % rows) + 1]);
    const table = tableFromColumns({ a, b });
    expect(describeTable(table).duplicates).toBe(rows);
    expect(describeTable(table, { rows: range(rows) }).duplicates).toBe(0);
  });
});
