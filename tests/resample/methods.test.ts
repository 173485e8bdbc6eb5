import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { TilegradError } from "../../src/errors.ts";
import { adasyn } from "../../src/resample/adasyn.ts";
import { borderlineSmote } from "../../src/resample/borderlineSmote.ts";
import { editedNearestNeighbours } from "../../src/resample/editedNearestNeighbours.ts";
import { kMeans } from "../../src/resample/kMeans.ts";
import { kMeansSmote } from "../../src/resample/kMeansSmote.ts";
import type { ResamplerName } from "../../src/resample/methods.ts";
import { resample, resamplers } from "../../src/resample/methods.ts";
import { nearMiss } from "../../src/resample/nearMiss.ts";
import { randomOverSampler } from "../../src/resample/randomOverSampler.ts";
import { randomUnderSampler } from "../../src/resample/randomUnderSampler.ts";
import { smote } from "../../src/resample/smote.ts";
import { smoteEnn } from "../../src/resample/smoteEnn.ts";
import { smoteNC } from "../../src/resample/smoteNC.ts";
import { smoteTomek } from "../../src/resample/smoteTomek.ts";
import { tomekLinks } from "../../src/resample/tomekLinks.ts";
import type { Labelled } from "../../src/resample/types.ts";
import { openTestGpu } from "../devices.ts";
import { bruteForce, clouds, positives, rowsOf } from "./support.ts";

const device = openCpu();
const data = clouds(240, 3, 8);
const categoricalFeatures = [2];

const names = Object.keys(resamplers) as ResamplerName[];

describe.each(names)("%s", (name) => {
  const run = (labelled: Labelled, surroundings: { seed?: number }) =>
    resample(name, labelled, { device, categoricalFeatures, ...surroundings });

  it("keeps given rows as they are, in their order and first, and names them", async () => {
    const { x, y, source } = await run(data, { seed: 3 });
    const [given, got] = [rowsOf(data), rowsOf({ x, y })];
    const kept = source.filter((row) => row >= 0);
    if (name !== "randomOverSampler") expect(Array.from(kept)).toEqual([...new Set(kept)].sort((a, b) => a - b));
    for (const [i, row] of source.entries()) {
      expect(y[i]).toBe(row < 0 ? 1 : data.y[row]);
      if (row >= 0) expect(got[i]).toEqual(given[row]);
    }
    expect(source.indexOf(-1) === -1 || source.subarray(source.indexOf(-1)).every((row) => row === -1)).toBe(true);
  });

  it("depends on the seed and nothing else", async () => {
    const [a, b, other] = [await run(data, { seed: 5 }), await run(data, { seed: 5 }), await run(data, { seed: 6 })];
    expect(a).toEqual(b);
    const random = !["tomekLinks", "editedNearestNeighbours", "nearMiss"].includes(name);
    expect(Array.from(a.x).join() !== Array.from(other.x).join()).toBe(random);
  });

  it("refuses options that it does not have, and nonsense for those that it has", async () => {
    const few = clouds(24, 3, 4);
    const typed = (options: object) => resample(name, few, { device, categoricalFeatures }, options);
    await expect(typed({ nonsense: 1 })).rejects.toThrow(`${name}: there is no option "nonsense"`);
    await expect(resamplers[name](few, null as never)).rejects.toThrow(`${name}: got null; expected an object`);
    for (const option of Object.keys(resamplers[name].options())) {
      for (const wrong of [null, "x", {}, () => 0, 1n]) {
        await expect(typed({ [option]: wrong }), `${option} ${wrong}`).rejects.toMatchObject({ code: "E_ARGUMENT" });
      }
      for (const odd of [Number.NaN, Infinity, -1, 0, 1.5, 1e9, [], [null]]) {
        await typed({ [option]: odd }).catch((error) =>
          expect(error, `${option} ${odd}`).toBeInstanceOf(TilegradError),
        );
      }
    }
  });

  it("refuses labels that are not 0 or 1, one class, and values that are not finite", async () => {
    await expect(run({ x: data.x, y: data.y.map((v) => 2 * v) }, {})).rejects.toThrow("row 0 is 2; expected 0 or 1");
    await expect(run({ x: data.x, y: data.y.map(() => 0) }, {})).rejects.toThrow("all 240 rows have the label 0");
    const x = data.x.slice();
    x[7] = Number.NaN;
    await expect(run({ x, y: data.y }, {})).rejects.toThrow(/^\w+: row 2, column 1 is NaN/);
  });
});

describe("the ratio", () => {
  it.each(["randomOverSampler", "smote", "borderlineSmote", "kMeansSmote"] as const)(
    "is reached by %s",
    async (name) => {
      for (const samplingStrategy of [0.25, 0.5, 1]) {
        const { y } = await resample(name, data, { device }, { samplingStrategy });
        expect(positives(y)).toBe(Math.floor(210 * samplingStrategy));
        expect(y.length - positives(y)).toBe(210);
      }
    },
  );

  it.each(["randomUnderSampler", "nearMiss"] as const)("is reached by %s", async (name) => {
    for (const samplingStrategy of [0.25, 0.5, 1]) {
      const { y } = await resample(name, data, { device }, { samplingStrategy });
      expect([positives(y), y.length]).toEqual([30, 30 + Math.floor(30 / samplingStrategy)]);
    }
  });

  it("below the present one, or out of (0, 1], is an error that tells the present one", async () => {
    await expect(smote(data, { device, samplingStrategy: 0.1 })).rejects.toThrow(
      "smote: got samplingStrategy 0.1; the rows have 30 to 210 (0.143) already.",
    );
    await expect(randomUnderSampler(data, { samplingStrategy: 2 })).rejects.toThrow(/expected a number in \(0, 1\]/);
  });

  it("is for the rarer class, whichever label that is", async () => {
    const { y } = await smote({ x: data.x, y: data.y.map((v) => 1 - v) }, { device });
    expect([positives(y), y.length]).toEqual([210, 420]);
  });
});

it("smote says how many neighbours there can be", async () => {
  const few = clouds(40, 2, 10);
  await expect(smote(few, { device })).rejects.toMatchObject({
    message: "smote: got 4 rows of the rarer class; kNeighbors 5 needs at least 6.",
    hint: "Set kNeighbors to 3 or less, use randomOverSampler, or bring more rows.",
  });
  expect((await smote(few, { device, kNeighbors: 3 })).y.length).toBe(72);
});

it("randomOverSampler copies, or with shrinkage spreads by Silverman's bandwidth", async () => {
  const exact = await randomOverSampler(data);
  expect(exact.source.every((row) => row >= 0)).toBe(true);
  const spread = await randomOverSampler(clouds(20_000, 2, 10), { shrinkage: 2 });
  const plain = await randomOverSampler(clouds(20_000, 2, 10));
  const noise = spread.x.subarray(40_000).map((v, i) => v - plain.x[40_000 + i]);
  const std = Math.sqrt(noise.reduce((sum, v) => sum + v * v, 0) / noise.length);
  // n = 2000, d = 2, columns of standard deviation 1.
  expect(std).toBeCloseTo(2 * (4 / (4 * 2000)) ** (1 / 6), 1);
});

it("randomUnderSampler may draw rows twice, when asked to", async () => {
  const once = await randomUnderSampler(data, { seed: 1 });
  const twice = await randomUnderSampler(data, { seed: 1, replacement: true });
  expect(new Set(once.source).size).toBe(60);
  expect(new Set(twice.source).size).toBeLessThan(60);
});

describe("smoteNC", () => {
  // Three numbers, a code and a one-hot group: the category follows the sign of the first number.
  const rows = clouds(200, 3, 5);
  const sign = rowsOf(rows).map(([v]) => (v > 1.5 ? 1 : 0));
  const x = Float32Array.from(rowsOf(rows).flatMap((row, i) => [...row, 7 + sign[i], sign[i], 1 - sign[i]]));
  const mixed = { x, y: rows.y };
  const features = [3, [4, 5]];

  it("interpolates numbers and takes categories whole, from the neighbours", async () => {
    const made = await smoteNC(mixed, { device, categoricalFeatures: features });
    const fresh = rowsOf(made).slice(200);
    expect(fresh.length).toBe(120);
    for (const row of fresh) {
      expect([7, 8]).toContain(row[3]);
      expect([row[4], row[5]]).toEqual([row[3] - 7, 8 - row[3]]);
    }
    expect(new Set(fresh.map((row) => row[3])).size).toBe(2);
  });

  it.each([
    [1.05, 0],
    [1.1, 1],
  ])(
    "adds half the squared deviation for another category: with a row at %d, rows from 0 get category %d",
    async (third, want) => {
      // Rows at 0 (category 0), 1 (category 1) and `third` (category 0): from 0, 1 is as far as sqrt(1 + deviation^2 / 2).
      const others = Array.from({ length: 20 }, (_, i) => [5 + i, 0]).flat();
      const tiny = { x: Float32Array.from([0, 0, 1, 1, third, 0, ...others]), y: [1, 1, 1, ...Array(20).fill(0)] };
      const { x: all } = await smoteNC(tiny, { device, kNeighbors: 1, categoricalFeatures: [1] });
      const fromZero = rowsOf({ x: all.subarray(46), y: new Float32Array(17) }).filter(([v]) => v < 1);
      expect(fromZero.length).toBeGreaterThan(2);
      expect(fromZero.map(([, category]) => category)).toEqual(fromZero.map(() => want));
    },
  );

  it("wants columns of both kinds, each once", async () => {
    const options = (categoricalFeatures: (number | number[])[]) => ({ device, categoricalFeatures });
    await expect(smoteNC(mixed, options([]))).rejects.toThrow("0 of 6 columns are categorical");
    await expect(smoteNC(mixed, options([6]))).rejects.toThrow("got categorical column 6");
    await expect(smoteNC(mixed, options([4, [4, 5]]))).rejects.toThrow("twice");
  });
});

it("borderlineSmote 2 makes half of its rows towards the other class, less than half the way", async () => {
  const wide: Labelled = {
    x: Float32Array.from([0, 0.2, 0.4, 1, 1.2, 1.4, 1.6, 1.8, 2, 2.2]),
    y: [1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  };
  const options = { device, kNeighbors: 2, mNeighbors: 4, kind: "borderline-2" } as const;
  const { x, y } = await borderlineSmote(wide, options);
  expect(positives(y)).toBe(7);
  const [near, far] = [x.subarray(10, 12), x.subarray(12)];
  expect(Array.from(near).every((v) => v >= 0 && v <= 0.4)).toBe(true);
  expect(Array.from(far).every((v) => v >= 0 && v < 0.8)).toBe(true);
});

it("adasyn makes more where the other class is near", async () => {
  const line: Labelled = {
    x: Float32Array.from([0, 1, 2, 3, 4, 4.5, 5, 6, 7, 8, 9, 10]),
    y: [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  };
  const { x, y } = await adasyn(line, { device, nNeighbors: 2 });
  // Of the two nearest of row 4 (at 4), 4.5 alone is of the other class; of row 3, none: row 2 and row 4.
  expect(positives(y)).toBe(7);
  expect(x.subarray(12).every((v) => v >= 2 && v <= 4)).toBe(true);
});

it("tomekLinks removes the frequent row of each mutual nearest pair, and all of them when asked", async () => {
  const line: Labelled = { x: Float32Array.from([0, 1, 1.1, 3, 4, 5, 5.2]), y: [0, 0, 1, 0, 0, 1, 1] };
  expect(Array.from((await tomekLinks(line, { device })).source)).toEqual([0, 2, 3, 4, 5, 6]);
  const both = await tomekLinks(line, { device, samplingStrategy: "all" });
  expect(Array.from(both.source)).toEqual([0, 3, 4, 5, 6]);
});

it("editedNearestNeighbours removes what its neighbours contradict, wholly or mostly", async () => {
  const [all, mode] = [
    await editedNearestNeighbours(data, { device }),
    await editedNearestNeighbours(data, { device, kindSel: "mode" }),
  ];
  const matrix = { data: data.x, rows: 240, columns: 3 };
  const { indices } = bruteForce(matrix, matrix, 3, { self: true });
  const agree = (row: number) => indices.slice(3 * row, 3 * row + 3).filter((j) => data.y[j] === data.y[row]).length;
  const want = (least: number) => [...data.y.keys()].filter((row) => data.y[row] === 1 || agree(row) >= least);
  expect(Array.from(all.source)).toEqual(want(3));
  expect(Array.from(mode.source)).toEqual(want(2));
});

it("smoteTomek and smoteEnn clean what smote made", async () => {
  const more = await smote(data, { device, seed: 2 });
  const cleaned = [
    [await smoteTomek(data, { device, seed: 2 }), await tomekLinks(more, { device, samplingStrategy: "all" })],
    [
      await smoteEnn(data, { device, seed: 2 }),
      await editedNearestNeighbours(more, { device, samplingStrategy: "all" }),
    ],
  ];
  for (const [got, want] of cleaned) {
    expect(got.x).toEqual(want.x);
    expect(got.y.length).toBeLessThanOrEqual(more.y.length);
    expect(got.source).toEqual(want.source.map((row) => more.source[row]));
  }
});

it.each([
  [1, [4, 5]],
  [2, [4, 5]],
  [3, [6, 7]],
] as const)("nearMiss %d keeps the rows its definition names", async (version, want) => {
  // Positives at 0, 1, 2, 3. Version 1 and 2 keep the nearest, version 3 the farthest of those that are near to one.
  const line: Labelled = {
    x: Float32Array.from([0, 1, 2, 3, 3.5, 4, 5, 6, 50, 60]),
    y: [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
  };
  const options = { device, version, nNeighbors: 2, nNeighborsVer3: 4 };
  const { source, y } = await nearMiss({ ...line, y: line.y }, { ...options, samplingStrategy: 1 });
  expect(positives(y)).toBe(4);
  const kept = Array.from(source).filter((row) => line.y[row] === 0);
  expect(kept).toEqual(expect.arrayContaining([...want]));
  expect(kept.length).toBe(4);
});

it("kMeans finds three clouds that lie apart, and kMeansSmote makes rows in the mixed one only", async () => {
  const x = Float32Array.from({ length: 300 }, (_, i) => 100 * (i % 3) + (i % 7) / 7);
  const label = kMeans({ data: x, rows: 300, columns: 1 }, 3, 4);
  for (let i = 3; i < 300; i++) expect(label[i]).toBe(label[i % 3]);
  expect(new Set(label).size).toBe(3);
  const y = Array.from({ length: 300 }, (_, i) => (i % 3 === 2 && i % 2 === 0 ? 1 : 0));
  const made = await kMeansSmote({ x, y }, { device, nClusters: 3 });
  expect(positives(made.y)).toBe(250);
  expect(made.x.subarray(300).every((v) => v >= 200 && v <= 201)).toBe(true);
  await expect(kMeansSmote({ x, y }, { device, nClusters: 3, clusterBalanceThreshold: 0.9 })).rejects.toThrow(
    /in none of 3 clusters/,
  );
});

it("gives the same rows on the CPU and on the GPU", async () => {
  const gpu = await openTestGpu();
  for (const name of names) {
    const [want, got] = [
      await resample(name, data, { device, categoricalFeatures }),
      await resample(name, data, { device: gpu, categoricalFeatures }),
    ];
    expect(got, name).toEqual(want);
  }
  gpu.dispose();
});
