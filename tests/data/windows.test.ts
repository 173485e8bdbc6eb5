import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitPreprocessor, inputShapeOf, parsePreprocessor, transform } from "../../src/api/data.ts";
import { arSeries } from "../../src/data/arSeries.ts";
import type { Table } from "../../src/data/table.ts";
import { tableFromColumns } from "../../src/data/table.ts";
import { targetOf } from "../../src/data/target.ts";
import { isMoving, labelWindows, splitWindows, windowEnds } from "../../src/data/windows.ts";
import { TilegradError } from "../../src/errors.ts";

/** The error that this throws. */
function caught(run: () => unknown): TilegradError {
  try {
    run();
  } catch (error) {
    if (error instanceof TilegradError) return error;
  }
  throw new Error("expected a TilegradError");
}

const TARGET = { name: "up(close)", positive: "up", negative: ["not up"], oneVsRest: true };
const prices = (close: readonly number[], volume: readonly number[] = close.map((_, i) => i % 7)): Table =>
  tableFromColumns({ close, volume });

describe("labels of windows", () => {
  it("say whether the value `horizon` rows later is above that of the window's last row", () => {
    const table = labelWindows(prices([1, 3, 2, 2, 5, 4]), "up(close)", 2);
    const ends = windowEnds(table, 2, "up(close)");
    expect([...ends]).toEqual([1, 2, 3]); // 0 has no two rows, 4 and 5 no value two rows later
    expect([...targetOf(TARGET, table, ends)]).toEqual([0, 1, 1]); // 2 < 3, 5 > 2, 4 > 2
  });

  it("shift any other column", () => {
    const table = labelWindows(tableFromColumns({ fault: ["a", "b", "c", "d"], x: [1, 2, 3, 4] }), "fault", 1);
    const [fault] = table.columns;
    expect(fault.kind === "categorical" && [...fault.codes]).toEqual([1, 2, 3, -1]);
  });

  it("are missing where a cell is", () => {
    const table = labelWindows(prices([1, Number.NaN, 2, 3, 4]), "up(close)", 1);
    expect([...windowEnds(table, 1, "up(close)")]).toEqual([2, 3]);
  });

  it("refuse what cannot be", () => {
    expect(caught(() => labelWindows(prices([1, 2]), "up(open)", 1)).message).toMatch(/no column "open"/);
    expect(caught(() => labelWindows(prices([1, 2]), "up(close)", 0)).code).toBe("E_ARGUMENT");
    expect(caught(() => labelWindows(tableFromColumns({ a: ["x"] }), "up(a)", 1)).message).toMatch(/of texts/);
    const short = labelWindows(prices([1, 2, 3]), "up(close)", 1);
    expect(caught(() => windowEnds(short, 3, "up(close)")).message).toMatch(
      /got 3 rows; expected a window with a label of 3/,
    );
  });
});

describe("windows as inputs", () => {
  const table = labelWindows(prices([1, 3, 2, 2, 5, 4]), "up(close)", 1);
  const fitted = fitPreprocessor(table, windowEnds(table, 3, "up(close)"), {
    target: TARGET,
    scaling: "none",
    window: { length: 3, horizon: 1 },
  });

  it("are the last rows, oldest first, [rows, length, features]", () => {
    expect(inputShapeOf(fitted)).toEqual([3, 2]);
    expect([...transform(fitted, table, [3]).x]).toEqual([3, 1, 2, 2, 2, 3]);
    expect(transform(fitted, prices([1, 3, 2, 2, 5, 4])).x).toHaveLength(4 * 3 * 2); // unlabelled ends, too
    expect(caught(() => transform(fitted, table, [1])).message).toMatch(/row 1 ends no window of 3 rows/);
  });

  it("survive JSON", () => {
    const json = JSON.parse(JSON.stringify(fitted));
    expect(parsePreprocessor(json)).toEqual(fitted);
    const code = (change: object) => caught(() => parsePreprocessor({ ...json, ...change })).code;
    expect(code({ window: { length: 0, horizon: 1 } })).toBe("E_FILE");
    expect(code({ window: 3 })).toBe("E_FILE");
    expect(code({ window: undefined, image: [1, 3, 1] })).toBe("E_FILE");
    expect(code({ image: [1, 2, 1] })).toBe("E_FILE");
  });

  it("leave out columns of texts, and say so", () => {
    const { columns } = prices([1, 3, 2, 2, 5, 4]);
    const words = tableFromColumns({ day: ["a", "b", "a", "b", "a", "b"] }).columns;
    const more = labelWindows({ name: "t", rows: 6, columns: [...columns, ...words] }, "up(close)", 1);
    const { dropped } = fitPreprocessor(more, [3, 4], { target: TARGET, window: { length: 3, horizon: 1 } });
    expect(dropped).toEqual([{ name: "day", reason: "not numeric" }]);
  });
});

describe("levels that move", () => {
  /** Normal steps with a drift, added up; and a series that comes back to its mean. */
  const rows = 400;
  const steps = arSeries({ rows: 1, length: rows, coefficients: [[0]], seed: 3 }).x;
  const back = Array.from(arSeries({ rows: 1, length: rows, coefficients: [[0.7]], seed: 4 }).x);
  const close = Array.from({ length: rows }, (_, t) =>
    steps.subarray(0, t + 1).reduce((sum, d) => sum + d + 0.05, 100),
  );
  const window = { length: 8, horizon: 1 };
  const series = (by: (level: number) => number = (level) => level) =>
    labelWindows(tableFromColumns({ close: close.map(by), back }), "up(close)", 1);
  const train = windowEnds(series(), 8, "up(close)").subarray(0, 250);
  const fitted = fitPreprocessor(series(), train, { target: TARGET, window });
  const moving = ({ features }: typeof fitted) =>
    features.flatMap((feature) => ("ofWindow" in feature ? [feature.name] : []));

  it("are told from those that come back, on training rows", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { x } = arSeries({ rows: 1, length: 300, coefficients: [[0.8]], seed });
      expect(isMoving(Float64Array.from(x))).toBe(false);
    }
    expect(isMoving(Float64Array.from(close))).toBe(true);
    expect(isMoving(Float64Array.from(close, (_, t) => t))).toBe(true); // as dates do
    expect(moving(fitted)).toEqual(["close"]);
    const stay = (more: object) => moving(fitPreprocessor(series(), train, { target: TARGET, window, ...more }));
    expect(stay({ absolute: ["close"] })).toEqual([]);
    expect(stay({ scaling: "none" })).toEqual([]);
    expect(stay({ window: { length: 1, horizon: 1 } })).toEqual([]);
  });

  it("are scaled by each window's own rows: another level and scale give the same inputs", () => {
    const [x, far] = [
      transform(fitted, series()),
      transform(
        fitted,
        series((level) => 4 * level + 900),
      ),
    ];
    expect(far.warnings).toEqual([]);
    for (const [i, value] of x.x.entries()) expect(far.x[i]).toBeCloseTo(value, 2);
    const first = Array.from({ length: 8 }, (_, t) => x.x[2 * t]);
    expect(first.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
    expect(first.reduce((sum, value) => sum + value ** 2, 0) / 8).toBeCloseTo(1, 5);
    expect(
      transform(
        fitted,
        series((level) => level * 0 + 7),
      )
        .x.filter((_, i) => i % 2 === 0)
        .every((v) => v === 0),
    ).toBe(true);
    const missing = transform(
      fitted,
      series((level) => (level === close[2] ? Number.NaN : level)),
      [7],
    ).x;
    expect([missing[4], missing.every(Number.isFinite)]).toEqual([0, true]);
  });

  it("are saved with the model; one from before is read as it was", () => {
    const json = JSON.parse(JSON.stringify(fitted));
    expect(parsePreprocessor(json)).toEqual(fitted);
    delete json.features[0].ofWindow;
    const old = parsePreprocessor(json);
    expect(moving(old)).toEqual([]);
    const { mean, std } = json.features[0];
    expect(transform(old, series(), [7]).x[0]).toBe(Math.fround((close[0] - mean) / std));
  });
});

/** A walk, a window, a horizon, and shares. */
const series = fc.record({
  rows: fc.integer({ min: 80, max: 160 }),
  length: fc.integer({ min: 1, max: 9 }),
  horizon: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1000 }),
  test: fc.double({ min: 0.1, max: 0.3, noNaN: true }),
  validation: fc.double({ min: 0.1, max: 0.3, noNaN: true }),
});
const walk = (rows: number, seed: number): number[] =>
  Array.from({ length: rows }, (_, i) => Math.sin(seed * (i + 1) ** 2) + 0.01 * i);

describe("nothing looks ahead", () => {
  it("what comes after t changes no window that ends at t", () => {
    fc.assert(
      fc.property(series, fc.nat(), ({ rows, length, horizon, seed }, at) => {
        const before = walk(rows, seed);
        const t = length - 1 + (at % (rows - length));
        const after = before.map((value, i) => (i > t ? 1e3 - value : value));
        const fitted = fitPreprocessor(labelWindows(prices(before), "up(close)", horizon), [length, rows - 1], {
          target: TARGET,
          scaling: "none",
          window: { length, horizon },
        });
        const ends = windowEnds(prices(before), length).filter((row) => row <= t);
        expect(transform(fitted, prices(after), ends).x).toEqual(transform(fitted, prices(before), ends).x);
      }),
    );
  });

  it("parts follow in time, and no window holds a row of an earlier part's windows or labels", () => {
    fc.assert(
      fc.property(series, ({ rows, length, horizon, seed, test, validation }) => {
        const table = labelWindows(prices(walk(rows, seed)), "up(close)", horizon);
        const parts = splitWindows(windowEnds(table, length, "up(close)"), { length, horizon }, { test, validation });
        const order = [parts.train, parts.validation, parts.test];
        for (const part of order) expect(part.length).toBeGreaterThan(0);
        for (const [earlier, later] of [order.slice(0, 2), order.slice(1)]) {
          const lastLabel = (earlier.at(-1) as number) + horizon;
          expect(lastLabel).toBe(later[0] - length); // and no window is given away
        }
      }),
    );
  });

  it("scaling is fitted on the rows of training windows alone", () => {
    fc.assert(
      fc.property(series, ({ rows, length, horizon, seed, test, validation }) => {
        const values = walk(rows, seed);
        const table = labelWindows(prices(values), "up(close)", horizon);
        const window = { length, horizon };
        const { train } = splitWindows(windowEnds(table, length, "up(close)"), window, { test, validation });
        const last = train.at(-1) as number;
        const other = labelWindows(prices(values.map((v, i) => (i > last ? 1e6 * v : v))), "up(close)", horizon);
        const fitted = (from: Table) => fitPreprocessor(from, train, { target: TARGET, window });
        expect(fitted(other)).toEqual(fitted(table));
      }),
    );
  });

  it("says when no window is left to train on", () => {
    const table = labelWindows(prices(walk(30, 1)), "up(close)", 5);
    const ends = windowEnds(table, 12, "up(close)");
    const error = caught(() => splitWindows(ends, { length: 12, horizon: 5 }, { test: 0.3, validation: 0.3 }));
    expect(error).toMatchObject({ code: "E_DATA", message: expect.stringMatching(/14 windows of 12 rows, horizon 5/) });
  });
});
