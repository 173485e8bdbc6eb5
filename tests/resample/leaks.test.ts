import { describe, expect, it } from "vitest";
import { openCpu } from "../../src/cpu/device.ts";
import { stratifiedKFold } from "../../src/data/splits.ts";
import { rocAuc } from "../../src/metrics/areas.ts";
import { shuffle } from "../../src/random.ts";
import type { ResamplerName } from "../../src/resample/methods.ts";
import { resample, resamplers } from "../../src/resample/methods.ts";
import type { Labelled } from "../../src/resample/types.ts";
import { normalMatrix } from "./support.ts";

// Labels that nothing predicts: 20,000 rows, a tenth of them positive.
const ROWS = 20_000;
const matrix = normalMatrix(ROWS, 2, 21);
const order = shuffle(ROWS, 3, 1, 0);
const y = Float32Array.from(order, (place) => (place < ROWS / 10 ? 1 : 0));

const device = openCpu();
const rowsAt = ({ x, y: labels }: Labelled, rows: ArrayLike<number>): Labelled => {
  const columns = x.length / labels.length;
  return {
    x: Float32Array.from(Array.from(rows).flatMap((row) => [...x.subarray(row * columns, (row + 1) * columns)])),
    y: Float32Array.from(rows, (row) => labels[row]),
  };
};

/** How many positives are among the five rows nearest to a point, rows sorted by their first column; `from` is the point's place. */
function positivesNear({ x, y: labels }: Labelled, from: number, px: number, py: number): number {
  const distances = new Float64Array(5).fill(Number.POSITIVE_INFINITY);
  const positives = new Float64Array(5);
  let [left, right] = [from - 1, from];
  const gap = (row: number): number => (row >= 0 && row < labels.length ? Math.abs(x[2 * row] - px) : Infinity);
  while (Math.min(gap(left), gap(right)) ** 2 < distances[4]) {
    const row = gap(left) < gap(right) ? left-- : right++;
    const distance = (x[2 * row] - px) ** 2 + (x[2 * row + 1] - py) ** 2;
    if (!(distance < distances[4])) continue;
    let at = 4;
    for (; at > 0 && distances[at - 1] > distance; at--) {
      distances[at] = distances[at - 1];
      positives[at] = positives[at - 1];
    }
    distances[at] = distance;
    positives[at] = labels[row];
  }
  return positives.reduce((total, one) => total + one, 0);
}

/** Scores of k nearest neighbours, the model that remembers every row it has seen: the share of positives among five. */
function memorize(seen: Labelled, x: Float32Array): Float32Array {
  const sorted = rowsAt(
    seen,
    Array.from({ length: seen.y.length }, (_, row) => row).sort((a, b) => seen.x[2 * a] - seen.x[2 * b]),
  );
  return Float32Array.from({ length: x.length / 2 }, (_, i) => {
    let [low, high] = [0, sorted.y.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted.x[2 * middle] < x[2 * i]) low = middle + 1;
      else high = middle;
    }
    return positivesNear(sorted, low, x[2 * i], x[2 * i + 1]) / 5;
  });
}

/** Of two folds; every other test row is scored. */
async function crossValidated(data: Labelled, learn: (train: Labelled) => Promise<Labelled>): Promise<number> {
  const [labels, scores]: [number[], number[]] = [[], []];
  for (const { train, test } of stratifiedKFold(data.y, 2, { shuffle: true, seed: 4 })) {
    const seen = await learn(rowsAt(data, train));
    const scored = rowsAt(
      data,
      test.filter((_, i) => i % 2 === 0),
    );
    scores.push(...memorize(seen, scored.x));
    labels.push(...Array.from(scored.y));
  }
  return rocAuc(labels, scores) as number;
}

describe("shuffled labels of 20,000 rows are not predicted after resampling within each fold", () => {
  it.each(Object.keys(resamplers) as ResamplerName[])(
    "by %s",
    async (name) => {
      // Two columns are numbers for all but SMOTE-NC, which takes the sign of the second for a category.
      const nc = name === "smoteNC";
      const x = nc ? matrix.data.map((v, i) => (i % 2 === 1 ? Math.sign(v) : v)) : matrix.data;
      // Fewer made rows are cleaned sooner.
      const ratio = name.startsWith("smote") ? { samplingStrategy: 0.5 } : {};
      const surroundings = { device, categoricalFeatures: [1] };
      const auc = await crossValidated({ x, y }, (train) => resample(name, train, surroundings, ratio));
      expect(Math.abs(auc - 0.5)).toBeLessThanOrEqual(0.03);
    },
    60_000,
  );

  it("but they are when rows are resampled before they are split, which this test would notice", async () => {
    const leaked = await resamplers.randomOverSampler({ x: matrix.data.subarray(0, 8000), y: y.subarray(0, 4000) });
    expect(await crossValidated(leaked, async (train) => train)).toBeGreaterThan(0.8);
  });
});
