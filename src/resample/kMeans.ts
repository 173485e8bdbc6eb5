/** k-means by Lloyd's algorithm, seeded by k-means++ (Arthur & Vassilvitskii 2007). */
import { draws } from "../random.ts";
import type { FeatureRows } from "./neighbors.ts";
import { RESAMPLE_STREAM } from "./types.ts";

const MOST_ROUNDS = 50;

/** The cluster of each row, u32 [rows], of at most `clusters`; in plain loops, since there are few of them. */
export function kMeans(matrix: FeatureRows, clusters: number, seed: number): Uint32Array {
  const { rows, columns } = matrix;
  const centers = firstCenters(matrix, clusters, seed);
  const label = new Uint32Array(rows);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let moved = false;
    for (let row = 0; row < rows; row++) {
      const at = nearestCenter(matrix, row, centers);
      if (at !== label[row]) moved = true;
      label[row] = at;
    }
    if (!moved && round > 0) break;
    const counts = new Float64Array(centers.length);
    const sums = centers.map(() => new Float64Array(columns));
    for (let row = 0; row < rows; row++) {
      counts[label[row]]++;
      const sum = sums[label[row]];
      for (let c = 0; c < columns; c++) sum[c] += matrix.data[row * columns + c];
    }
    // A cluster that lost all its rows stays where it is.
    sums.forEach((sum, i) => {
      if (counts[i] > 0) centers[i] = sum.map((v) => v / counts[i]);
    });
  }
  return label;
}

/** Each next center is a row drawn with a probability that grows with the squared distance to the nearest so far. */
function firstCenters(matrix: FeatureRows, clusters: number, seed: number): Float64Array[] {
  const { data, rows, columns } = matrix;
  const draw = draws(seed, RESAMPLE_STREAM.cluster);
  const rowAt = (row: number) => Float64Array.from(data.subarray(row * columns, (row + 1) * columns));
  const centers = [rowAt(draw.integer(0, rows))];
  const least = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  while (centers.length < Math.min(clusters, rows)) {
    let total = 0;
    for (let row = 0; row < rows; row++) {
      least[row] = Math.min(least[row], squared(matrix, row, centers[centers.length - 1]));
      total += least[row];
    }
    if (total === 0) break;
    let left = draw.uniform(4 * centers.length) * total;
    let next = 0;
    for (let row = 0; row < rows; row++) {
      if (least[row] === 0) continue;
      next = row;
      left -= least[row];
      if (left < 0) break;
    }
    centers.push(rowAt(next));
  }
  return centers;
}

function nearestCenter(matrix: FeatureRows, row: number, centers: readonly Float64Array[]): number {
  let at = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < centers.length; i++) {
    const distance = squared(matrix, row, centers[i]);
    if (distance >= best) continue;
    best = distance;
    at = i;
  }
  return at;
}

function squared({ data, columns }: FeatureRows, row: number, center: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += (data[row * columns + c] - center[c]) ** 2;
  return sum;
}
