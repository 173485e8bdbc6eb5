import { describe, expect, it } from "vitest";
import { formatTick, linearScale, niceDomain, niceTicks } from "../../src/report/scale.ts";
import { sparkline } from "../../src/report/sparkline.ts";
import { pathData } from "../../src/report/svg.ts";

describe("niceTicks", () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 1, 4, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [3, 47, 5, [10, 20, 30, 40]],
    [-1, 1, 4, [-1, -0.5, 0, 0.5, 1]],
    [0, 0.0003, 3, [0, 0.0001, 0.0002, 0.0003]],
    [0, 2e6, 4, [0, 500_000, 1_000_000, 1_500_000, 2_000_000]],
  ])("%d to %d by about %d", (low, high, count, want) => {
    expect(niceTicks(low, high, count)).toEqual(want);
  });
});

describe("niceDomain", () => {
  it("widens the data to whole ticks and skips what is not finite", () => {
    expect(niceDomain([0.13, Number.NaN, 0.87, Infinity])).toEqual([0, 1]);
    expect(niceDomain([12, 47], { zero: true })).toEqual([0, 50]);
  });

  it("gives a range for no data, a constant, and zeros", () => {
    expect(niceDomain([])).toEqual([0, 1]);
    expect(niceDomain([3, 3])).toEqual([0, 6]);
    expect(niceDomain([-3])).toEqual([-6, 0]);
    expect(niceDomain([0])).toEqual([0, 1]);
  });
});

describe("linearScale and formatTick", () => {
  it("map data to pixels, also downwards", () => {
    const y = linearScale([0, 10], 300, 100, 50);
    expect([y.toPixel(0), y.toPixel(5), y.toPixel(10)]).toEqual([300, 200, 100]);
  });

  it.each([
    [0, "0"],
    [0.30000000000000004, "0.3"],
    [2500, "2500"],
    [25_000, "25k"],
    [1_500_000, "1.5M"],
    [0.00002, "2e-5"],
  ])("%d is written %s", (value, text) => {
    expect(formatTick(value)).toBe(text);
  });
});

describe("pathData", () => {
  it("draws lines and steps, and breaks at what is not finite", () => {
    expect(pathData([0, 10, 20], [0, 5, 0])).toBe("M0 0L10 5L20 0");
    expect(pathData([0, 10], [0, 5], true)).toBe("M0 0H10V5");
    expect(pathData([0, 10, 20, 30], [0, Number.NaN, 1, 2])).toBe("M0 0M20 1L30 2");
  });

  it("leaves out points nearer than a pixel can show, but keeps the last", () => {
    expect(pathData([0, 0.1, 0.2, 0.3], [0, 0, 0, 0])).toBe("M0 0L0.3 0");
  });
});

describe("sparkline", () => {
  it("goes from the lowest block to the highest", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
  });

  it("averages long series, keeps gaps, and draws constants in the middle", () => {
    expect(sparkline([0, 0, 7, 7], 2)).toBe("▁█");
    expect(sparkline([0, Number.NaN, 7])).toBe("▁ █");
    expect(sparkline([2, 2])).toBe("▄▄");
    expect(sparkline([])).toBe("");
  });
});
