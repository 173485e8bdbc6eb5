/** The nearest (or farthest) rows by squared Euclidean distance, without ever holding the matrix of distances. */
import shader from "../../../shaders/neighbors/nearest_neighbors.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply } from "../../graph/apply.ts";
import type { Elements, OpDef, ReferenceCall, Sample, Tensor } from "../../graph/types.ts";
import { f32, shapeError, u32 } from "../op.ts";

/** In place of a row number where there are fewer than k candidates. */
export const NO_ROW = 0xffffffff;
/** Farther than any. */
const FAR = 3.4028234663852886e38;

/** Candidates whose distances the reference holds at once. */
const TILE = 256;

/**
 * queries [columns, n], candidates [columns, m], both finite, range u32 [2] = first, end
 * -> squared distances f32 [n, k] and candidates u32 [n, k], nearest first, the lower number first among equals, of the
 * candidates first <= j < end. Where these are fewer than k, there are NO_ROW and a distance that means nothing. With
 * `farthest`, the farthest first.
 */
const nearestNeighborsOp: OpDef = {
  name: "nearestNeighbors",
  finite: true,
  shape: ([queries, candidates, range], { k }) => {
    const columns = queries.shape[0];
    const ok = queries.shape.length === 2 && candidates.shape.length === 2 && candidates.shape[0] === columns;
    if (!ok || queries.dtype !== "f32" || candidates.dtype !== "f32") {
      throw shapeError("nearestNeighbors", [queries, candidates], "f32 [columns, n] and f32 [columns, m]");
    }
    if (range.dtype !== "u32" || range.shape.length !== 1 || range.shape[0] !== 2) {
      throw shapeError("nearestNeighbors", [range], "the range u32 [2]");
    }
    if (!Number.isInteger(k) || k < 1) {
      throw new TilegradError("E_ARGUMENT", `nearestNeighbors: got k ${k}; expected a whole number >= 1.`);
    }
    return [f32(queries.shape[1], k), u32(queries.shape[1], k)];
  },
  reference,
  kernel: ({ inputs: [queries, candidates], attrs }) => {
    const wide = candidates.shape[1] % 4 === 0;
    const wideQueries = queries.shape[1] % 4 === 0;
    return {
      shader,
      constants: { K: attrs.k, WIDE: wide, WIDE_QUERIES: wideQueries, FARTHEST: attrs.farthest },
      params: { queries: queries.shape[1], candidates: candidates.shape[1], columns: queries.shape[0] },
      grid: { threads: Math.ceil(queries.shape[1] / 4) },
      loads: [
        wideQueries ? { hook: "load_queries4", input: 0, width: 4 } : { hook: "load_queries", input: 0 },
        wide ? { hook: "load_candidates4", input: 1, width: 4 } : { hook: "load_candidates", input: 1 },
        { hook: "load_range", input: 2 },
      ],
      stores: [
        { hook: "store_distances", output: 0 },
        { hook: "store_rows", output: 1 },
      ],
    };
  },
  flops: ({ inputs: [queries, candidates] }) => 3 * queries.shape[0] * queries.shape[1] * candidates.shape[1],
  samples: () => [
    sample(1, 1, 1, 1),
    sample(3, 7, 131, 5),
    sample(5, 67, 64, 3, [6, 41]),
    sample(4, 72, 70, 2),
    sample(2, 3, 4, 6),
    sample(2, 5, 9, 2, [9, 9]),
    // On a grid, distances are exact and tie everywhere.
    sample(2, 37, 48, 7, [0, 48], (i) => (i * 7) % 3),
    sample(1, 130, 33, 4, [1, 32], (i) => (i * 5) % 4),
    { ...sample(3, 7, 131, 5), attrs: { k: 5, farthest: true } },
  ],
};

function sample(
  columns: number,
  n: number,
  m: number,
  k: number,
  range: readonly number[] = [0, m],
  value?: (i: number) => number,
): Sample {
  const grid = (size: number) => (value ? { values: Array.from({ length: size }, (_, i) => value(i)) } : {});
  return {
    inputs: [
      { ...f32(columns, n), ...grid(columns * n) },
      { ...f32(columns, m), ...grid(columns * m) },
      { ...u32(2), values: range },
    ],
    attrs: { k, farthest: false },
  };
}

function reference({ inputs, inputTypes, attrs: { k, farthest }, outputs: [distances, rows] }: ReferenceCall): void {
  const [queries, candidates, [first, last]] = inputs;
  const [columns, n] = inputTypes[0].shape;
  const m = inputTypes[1].shape[1];
  const end = Math.min(last, m);
  const sums = distances instanceof Float64Array ? new Float64Array(TILE) : new Float32Array(TILE);
  distances.fill(FAR);
  rows.fill(NO_ROW);
  for (let tile = first; tile < end; tile += TILE) {
    const size = Math.min(TILE, end - tile);
    for (let query = 0; query < n; query++) {
      sums.fill(0);
      for (let column = 0; column < columns; column++) {
        addSquares(sums, size, queries[column * n + query], candidates, column * m + tile);
      }
      insertTile(distances, rows, query * k, k, sums, size, tile, farthest ? -1 : 1);
    }
  }
  if (farthest) for (let i = 0; i < distances.length; i++) distances[i] = -distances[i];
}

function addSquares(sums: Elements, size: number, q: number, candidates: Elements, start: number): void {
  for (let j = 0; j < size; j++) {
    const difference = q - candidates[start + j];
    sums[j] += difference * difference;
  }
}

/** Puts those of rows `first` .. that are near enough where they belong. */
function insertTile(
  distances: Elements,
  rows: Elements,
  start: number,
  k: number,
  sums: Elements,
  size: number,
  first: number,
  sign: number,
): void {
  let limit = distances[start + k - 1];
  for (let j = 0; j < size; j++) {
    if (!(sign * sums[j] < limit)) continue;
    insert(distances, rows, start, k, sign * sums[j], first + j);
    limit = distances[start + k - 1];
  }
}

/** Puts a row where it belongs among the k nearest from `start` on, behind those as near; forgets the farthest. */
export function insert(
  distances: Elements,
  rows: Elements,
  start: number,
  k: number,
  distance: number,
  row: number,
): void {
  let at = start + k - 1;
  if (!(distance < distances[at])) return;
  for (; at > start && distances[at - 1] > distance; at--) {
    distances[at] = distances[at - 1];
    rows[at] = rows[at - 1];
  }
  distances[at] = distance;
  rows[at] = row;
}

export interface NearestOptions {
  readonly k: number;
  readonly farthest: boolean;
}

/** See `nearestNeighborsOp`: [distances, rows]. */
export const nearestNeighbors = (
  queries: Tensor,
  candidates: Tensor,
  range: Tensor,
  { k, farthest }: NearestOptions,
): Tensor[] => apply(nearestNeighborsOp, [queries, candidates, range], { k, farthest });

export const nearestNeighborsOps = [nearestNeighborsOp];
