import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import type { Device } from "../../src/device.ts";
import type { Layer } from "../../src/model/layer.ts";
import {
  randomBrightness,
  randomColorJitter,
  randomContrast,
  randomErasing,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
} from "../../src/model/layers/augmentation.ts";
import { embedding, masking } from "../../src/model/layers/embedding.ts";
import { randomScale, randomShift, timeWarp, windowSlice } from "../../src/model/layers/seriesAugmentation.ts";
import { sequential } from "../../src/model/model.ts";
import { modelFromJson } from "../../src/model/registry.ts";
import { openDevice } from "../../src/openDevice.ts";
import { draws } from "../../src/random.ts";
import { largestDifference } from "../train/support.ts";
import { counting, run } from "./run.ts";

const cpu = openCpu();
let gpu: Device;
beforeAll(async () => {
  gpu = await openDevice({ backend: "webgpu" });
});
afterAll(() => gpu.dispose());

const image = [3, 5, 4, 3];
const series = [3, 12, 2];

const imageLayers: [string, Layer][] = [
  ["randomFlip", randomFlip()],
  ["randomTranslation", randomTranslation({ heightFactor: 0.4, widthFactor: [-0.2, 0.6] })],
  [
    "randomTranslation, filled",
    randomTranslation({ heightFactor: 0.4, widthFactor: 0, fillMode: "constant", fillValue: 0.5 }),
  ],
  ["randomRotation", randomRotation(0.2)],
  ["randomRotation, nearest", randomRotation({ factor: 0.2, interpolation: "nearest", fillMode: "wrap" })],
  ["randomZoom", randomZoom(0.5)],
  ["randomZoom, both ways", randomZoom({ heightFactor: 0.5, widthFactor: [0, 0.3], fillMode: "nearest" })],
  ["randomBrightness", randomBrightness(0.3)],
  ["randomContrast", randomContrast({ factor: 0.5, valueRange: [0, 2] })],
  [
    "randomColorJitter",
    randomColorJitter({ brightnessFactor: 0.2, contrastFactor: 0.3, saturationFactor: 0.5, hueFactor: 0.2 }),
  ],
  ["randomErasing", randomErasing({ factor: 0.8, fillValue: 0.25 })],
];
const seriesLayers: [string, Layer][] = [
  ["randomShift", randomShift(0.3)],
  ["randomScale", randomScale(0.2)],
  ["timeWarp", timeWarp(0.8)],
  ["windowSlice", windowSlice(0.6)],
];
const cases: [string, Layer, number[]][] = [
  ...imageLayers.map(([name, layer]): [string, Layer, number[]] => [name, layer, image]),
  ...seriesLayers.map(([name, layer]): [string, Layer, number[]] => [name, layer, series]),
];

const pixels = (shape: readonly number[]): Float32Array => {
  const draw = draws(4, 0);
  return counting(shape).map((i) => draw.uniform(i));
};

/** One channel, one image. */
async function changed(layer: Layer, rows: readonly (readonly number[])[]): Promise<number[][]> {
  const width = rows[0].length;
  const { y } = await run([layer], rows.flat(), [1, rows.length, width, 1], { device: cpu, training: true });
  return rows.map((_, r) => y.slice(r * width, (r + 1) * width).map((v) => Math.round(v * 1e4) / 1e4 + 0));
}

async function changedSeries(
  layer: Layer,
  values: readonly number[],
  options: { step?: number } = {},
): Promise<number[]> {
  const { y } = await run([layer], values, [1, values.length, 1], { device: cpu, training: true, ...options });
  return y;
}

describe.each(cases)("%s", (_, layer, shape) => {
  const x = pixels(shape);

  it("is the same on CPU and GPU, and does something", async () => {
    const a = await run([layer], x, shape, { device: cpu, training: true, step: 5 });
    const b = await run([layer], x, shape, { device: gpu, training: true, step: 5 });
    expect(a.shape).toEqual(shape);
    expect(largestDifference(a.y, b.y)).toBeLessThan(2e-6);
    expect(largestDifference(a.y, x)).toBeGreaterThan(1e-3);
  });

  it("differs from step to step, and is the same again for the same step", async () => {
    const at = async (step: number) => (await run([layer], x, shape, { device: cpu, training: true, step })).y;
    const first = await at(1);
    expect(await at(1)).toEqual(first);
    expect(largestDifference([...(await at(2)), ...(await at(3))], [...first, ...first])).toBeGreaterThan(1e-3);
  });

  it("leaves data alone outside training", async () => {
    expect((await run([layer], x, shape, { device: cpu })).y).toEqual(Array.from(x));
  });

  it("comes back from JSON", () => {
    const model = sequential({ input: shape.slice(1) }, [layer]);
    const again = modelFromJson(JSON.parse(JSON.stringify(model.architecture)));
    expect(again.architecture).toEqual(model.architecture);
  });
});

describe("images", () => {
  const letter = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];

  it("are flipped, half of them on either axis", async () => {
    const x = Array.from({ length: 400 }, () => letter.flat()).flat();
    const { y } = await run([randomFlip()], x, [400, 3, 3, 1], { device: cpu, training: true });
    const seen = new Map<string, number>();
    for (let n = 0; n < 400; n++) {
      const key = y.slice(9 * n, 9 * n + 9).join("");
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(["123456789", "321654987", "789456123", "987654321"]);
    // 100 +- 4 standard deviations.
    for (const count of seen.values()) expect(Math.abs(count - 100)).toBeLessThan(35);
  });

  it("are flipped along one axis alone", async () => {
    const seen = new Set<string>();
    for (let step = 0; step < 8; step++) {
      const { y } = await run([randomFlip("vertical")], letter.flat(), [1, 3, 3, 1], {
        device: cpu,
        training: true,
        step,
      });
      seen.add(y.join(""));
    }
    expect([...seen].sort()).toEqual(["123456789", "789456123"]);
  });

  it("turn counter-clockwise", async () => {
    expect(await changed(randomRotation([0.25, 0.25]), letter)).toEqual([
      [3, 6, 9],
      [2, 5, 8],
      [1, 4, 7],
    ]);
  });

  it("move down and to the right", async () => {
    const layer = (fillMode: "constant" | "nearest" | "reflect" | "wrap") =>
      randomTranslation({
        heightFactor: [1 / 3, 1 / 3],
        widthFactor: [1 / 3, 1 / 3],
        fillMode,
        interpolation: "nearest",
      });
    expect(await changed(layer("constant"), letter)).toEqual([
      [0, 0, 0],
      [0, 1, 2],
      [0, 4, 5],
    ]);
    expect(await changed(layer("nearest"), letter)).toEqual([
      [1, 1, 2],
      [1, 1, 2],
      [4, 4, 5],
    ]);
    expect(await changed(layer("wrap"), letter)).toEqual([
      [9, 7, 8],
      [3, 1, 2],
      [6, 4, 5],
    ]);
    expect((await changed(layer("reflect"), letter))[1]).toEqual([1, 1, 2]);
  });

  it("zoom about their centre", async () => {
    expect(await changed(randomZoom([-0.5, -0.5]), letter)).toEqual([
      [3, 3.5, 4],
      [4.5, 5, 5.5],
      [6, 6.5, 7],
    ]);
    const wide = randomZoom({ heightFactor: [0, 0], widthFactor: [1, 1], fillMode: "constant", fillValue: -1 });
    expect((await changed(wide, letter))[0]).toEqual([-1, 2, -1]);
  });

  it("become lighter, within their range", async () => {
    expect(await changed(randomBrightness([0.25, 0.25]), [[0, 0.5, 0.9]])).toEqual([[0.25, 0.75, 1]]);
    expect(await changed(randomBrightness({ factor: [-0.5, -0.5], valueRange: [0, 10] }), letter)).toEqual([
      [0, 0, 0],
      [0, 0, 1],
      [2, 3, 4],
    ]);
  });

  it("gain contrast about the mean of each channel", async () => {
    expect(await changed(randomContrast([1, 1]), [[0.4, 0.5, 0.6]])).toEqual([[0.3, 0.5, 0.7]]);
    const { y } = await run([randomContrast([-1, -1])], [0, 0.5, 1, 0.7], [1, 1, 2, 2], {
      device: cpu,
      training: true,
    });
    expect(largestDifference(y, [0.5, 0.6, 0.5, 0.6])).toBeLessThan(1e-6);
  });

  it("have their colours turned and bleached", async () => {
    const color = async (layer: Layer, rgb: readonly number[]) =>
      (await run([layer], rgb, [1, 1, 1, 3], { device: cpu, training: true })).y;
    const third = randomColorJitter({ hueFactor: [1 / 3, 1 / 3] });
    expect(largestDifference(await color(third, [0.8, 0.1, 0.2]), [0.2, 0.8, 0.1])).toBeLessThan(1e-6);
    expect(largestDifference(await color(third, [0.4, 0.4, 0.4]), [0.4, 0.4, 0.4])).toBeLessThan(1e-6);
    const bleached = await color(randomColorJitter({ saturationFactor: [-1, -1] }), [1, 0, 0]);
    expect(largestDifference(bleached, [0.299, 0.299, 0.299])).toBeLessThan(1e-6);
  });

  it("lose one rectangle of the area that was asked for", async () => {
    const size = 40;
    const count = 20;
    const layer = randomErasing({ scale: [0.1, 0.1], ratio: [0.5, 2] });
    const x = new Float32Array(count * size * size).fill(1);
    const { y } = await run([layer], x, [count, size, size, 1], { device: cpu, training: true });
    for (let n = 0; n < count; n++) {
      const rows = new Set<number>();
      const columns = new Set<number>();
      let erased = 0;
      for (let i = 0; i < size * size; i++) {
        if (y[n * size * size + i] !== 0) continue;
        erased++;
        rows.add(Math.floor(i / size));
        columns.add(i % size);
      }
      expect(erased).toBe(rows.size * columns.size);
      // Each side is whole pixels, at most one off.
      expect(Math.abs(Math.sqrt(erased) - Math.sqrt(160))).toBeLessThan(1.5);
      expect(rows.size / columns.size).toBeGreaterThan(0.4);
      expect(rows.size / columns.size).toBeLessThan(2.5);
    }
  });
});

describe("sequences", () => {
  it("move in time", async () => {
    expect(await changedSeries(randomShift([0.5, 0.5]), [1, 2, 3, 4])).toEqual([1, 1, 1, 2]);
    expect(await changedSeries(randomShift({ factor: [-0.25, -0.25], fillMode: "wrap" }), [1, 2, 3, 4])).toEqual([
      2, 3, 4, 1,
    ]);
    expect(await changedSeries(randomShift([0.125, 0.125]), [1, 2, 3, 4])).toEqual([1, 1.5, 2.5, 3.5]);
  });

  it("are multiplied", async () => {
    expect(await changedSeries(randomScale([0.5, 0.5]), [1, 2, -3])).toEqual([1.5, 3, -4.5]);
  });

  it("keep their order and ends under a time warp, whose speed stays in bounds", async () => {
    const time = Array.from({ length: 65 }, (_, t) => t);
    let largest = 0;
    for (let step = 0; step < 10; step++) {
      const y = await changedSeries(timeWarp({ factor: 0.7, waves: 3 }), time, { step });
      expect(y[0]).toBeCloseTo(0, 4);
      expect(y[64]).toBeCloseTo(64, 4);
      for (let t = 1; t < 65; t++) {
        expect(y[t] - y[t - 1]).toBeGreaterThan(0.29);
        expect(y[t] - y[t - 1]).toBeLessThan(1.71);
      }
      largest = Math.max(largest, largestDifference(y, time));
    }
    expect(largest).toBeGreaterThan(2);
  });

  it("are cut to a window that is stretched to the full time", async () => {
    const time = Array.from({ length: 21 }, (_, t) => t);
    const starts = new Set<number>();
    for (let step = 0; step < 5; step++) {
      const y = await changedSeries(windowSlice(0.5), time, { step });
      expect(y[0]).toBeGreaterThanOrEqual(0);
      expect(y[20]).toBeLessThanOrEqual(20);
      for (let t = 1; t < 21; t++) expect(y[t] - y[t - 1]).toBeCloseTo(0.5, 4);
      starts.add(y[0]);
    }
    expect(starts.size).toBe(5);
  });

  it("of one step stay what they are", async () => {
    expect(await changedSeries(timeWarp(0.5), [3])).toEqual([3]);
    expect(await changedSeries(windowSlice(), [3])).toEqual([3]);
  });
});

describe("errors", () => {
  it.each<[string, () => unknown]>([
    ["randomFlip", () => randomFlip("diagonal" as "vertical")],
    ["randomRotation", () => randomRotation(-0.1)],
    ["randomTranslation", () => randomTranslation({ heightFactor: [0.2, 0.1], widthFactor: 0 })],
    ["randomZoom", () => randomZoom([-1.5, 0])],
    ["randomContrast", () => randomContrast({ factor: 0.1, valueRange: [1, 0] })],
    ["randomErasing", () => randomErasing({ scale: [0.5, 1.5] })],
    ["randomErasing", () => randomErasing({ ratio: [0, 1] })],
    ["randomShift", () => randomShift(Number.NaN)],
    ["timeWarp", () => timeWarp(1)],
    ["timeWarp", () => timeWarp({ factor: 0.5, waves: 0 })],
    ["windowSlice", () => windowSlice(0)],
  ])("%s says what it got", (name, make) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "E_ARGUMENT", message: expect.stringMatching(`^${name}: got`) }),
    );
  });

  it("name the layer whose input is none of its kind", () => {
    const model = (layer: Layer, input: number[]) => () => sequential({ input }, [layer]);
    for (const [, layer] of imageLayers) expect(model(layer, [4, 4])).toThrow(/^layer "random\w+".*expected an image/);
    for (const [, layer] of seriesLayers) expect(model(layer, [4])).toThrow(/^layer "\w+".*\[batch, time, features\]/);
    expect(model(randomColorJitter({}), [4, 4, 1])).toThrow(/3 channels/);
    expect(() => randomRotation({ factor: 0.1, fillMode: "mirror" as "wrap" })).toThrow(/fillMode "mirror"/);
  });

  it("refuse to move the steps of padded sequences", () => {
    expect(() => sequential({ input: [4, 2] }, [masking(), windowSlice()])).toThrow(/masked/);
    const padded = embedding({ inputDim: 5, outputDim: 2, maskZero: true });
    expect(() => sequential({ input: [4] }, [padded, randomScale(0.1)])).not.toThrow();
  });
});
