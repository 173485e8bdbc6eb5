import { draws } from "../../src/random.ts";
import type { FeatureRows } from "../../src/resample/neighbors.ts";
import type { Labelled } from "../../src/resample/types.ts";

export const normalMatrix = (rows: number, columns: number, stream: number): FeatureRows => {
  const draw = draws(11, stream);
  return { data: Float32Array.from({ length: rows * columns }, (_, i) => draw.normal(i)), rows, columns };
};

/** Two overlapping clouds: every `every`-th row is positive and lies 1.5 to the right in each column. */
export function clouds(rows: number, columns: number, every: number, stream = 1): { x: Float32Array; y: Float32Array } {
  const { data } = normalMatrix(rows, columns, stream);
  const y = Float32Array.from({ length: rows }, (_, row) => (row % every === 0 ? 1 : 0));
  return { x: data.map((v, i) => v + 1.5 * y[Math.floor(i / columns)]), y };
}

/** Squared distances summed in the order of the columns in f32, sorted, the lower row first. */
export function bruteForce(queries: FeatureRows, candidates: FeatureRows, k: number, options: { self?: boolean } = {}) {
  const { columns } = queries;
  const indices: number[] = [];
  const distances: number[] = [];
  for (let i = 0; i < queries.rows; i++) {
    const all: { row: number; distance: number }[] = [];
    for (let row = 0; row < candidates.rows; row++) {
      if (options.self && row === i) continue;
      let distance = 0;
      for (let c = 0; c < columns; c++) {
        const difference = queries.data[i * columns + c] - candidates.data[row * columns + c];
        distance = Math.fround(distance + difference * difference);
      }
      all.push({ row, distance });
    }
    all.sort((a, b) => a.distance - b.distance || a.row - b.row);
    indices.push(...all.slice(0, k).map((n) => n.row));
    distances.push(...all.slice(0, k).map((n) => n.distance));
  }
  return { indices, distances };
}

export const rowsOf = ({ x, y }: Labelled): number[][] =>
  Array.from({ length: y.length }, (_, i) =>
    Array.from(x.subarray((i * x.length) / y.length, ((i + 1) * x.length) / y.length)),
  );

export const positives = (y: ArrayLike<number>): number => Array.from(y).reduce((sum, v) => sum + v, 0);
