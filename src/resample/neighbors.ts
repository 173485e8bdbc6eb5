/** Neighbour search over any number of rows, in tiles: on the device, by the op `nearestNeighbors`. */

import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { input } from "../ops/core/constant.ts";
import type { NearestOptions } from "../ops/neighbors/nearestNeighbors.ts";
import { insert, NO_ROW, nearestNeighbors as nearestOp } from "../ops/neighbors/nearestNeighbors.ts";
import { f32, u32 } from "../ops/op.ts";
import type { OptionsOf } from "../options.ts";
import { checkObject, checkOptions, checkValue, show } from "../options.ts";

/** Features of rows, row-major. */
export interface FeatureRows {
  /** f32 [rows, columns]. */
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

export interface Neighbors {
  /** Rows of the candidates, [queries, k], nearest first. */
  readonly indices: Uint32Array;
  /** Squared Euclidean distances, [queries, k]. */
  readonly distances: Float32Array;
}

const OPTIONS = {
  /** Query i is candidate i, which is not its own neighbour. Default false. */
  excludeSelf: is.boolean,
  /** The k farthest instead, farthest first. Default false. */
  farthest: is.boolean,
  /** Queries and candidates that the device holds at once, for tests; default: 4096, and what fits into 64 MiB. */
  tile: is.object as Kind<{ readonly queries: number; readonly candidates: number }>,
};

export interface NeighborOptions extends OptionsOf<typeof OPTIONS> {}

/** Queries of a dispatch. */
const QUERIES = 4096;
/** Bytes of candidates that are bound at once: half of what WebGPU grants everywhere. */
const CANDIDATE_BYTES = 2 ** 26;
/** Time a dispatch should take: a page stays responsive, and a watchdog quiet. */
const TARGET_MS = 80;
/** Differences that the first dispatch computes. */
const FIRST_WORK = 2 ** 22;

/**
 * The k nearest candidates of each query by squared Euclidean distance, summed in the order of the columns; of equal
 * distances the lower row comes first. Work is tiled, so that no matrix of distances is held and a dispatch stays short;
 * where it is cut never changes the result.
 * @throws E_ARGUMENT when there are fewer than k candidates; E_SHAPE when the columns differ, or values are missing; E_DATA when values are so
 *   large that distances overflow
 */
export async function nearestNeighbors(
  device: Device,
  queries: FeatureRows,
  candidates: FeatureRows,
  k: number,
  options: NeighborOptions = {},
): Promise<Neighbors> {
  checkValue("nearestNeighbors", "device", device, is.device);
  checkMatrix("nearestNeighbors: queries", queries);
  checkMatrix("nearestNeighbors: candidates", candidates);
  const { excludeSelf = false, farthest = false } = checkOptions("nearestNeighbors", options, OPTIONS);
  if (queries.columns !== candidates.columns) {
    throw new TilegradError(
      "E_SHAPE",
      `nearestNeighbors: the queries have ${queries.columns} columns, the candidates ${candidates.columns}; expected as many.`,
    );
  }
  if (excludeSelf && queries.rows !== candidates.rows) {
    throw new TilegradError(
      "E_ARGUMENT",
      `nearestNeighbors: got excludeSelf with ${queries.rows} queries and ${candidates.rows} candidates; expected the same rows.`,
      { hint: "Leave excludeSelf out: the rows are others anyway." },
    );
  }
  if (excludeSelf && farthest) {
    throw new TilegradError("E_ARGUMENT", "nearestNeighbors: got excludeSelf and farthest; expected one of them.", {
      hint: "A row is never its own farthest, unless all are equal.",
    });
  }
  if (queries.rows === 0) return { indices: new Uint32Array(0), distances: new Float32Array(0) };
  const others = candidates.rows - (excludeSelf ? 1 : 0);
  if (!Number.isInteger(k) || k < 1 || k > others) {
    throw new TilegradError(
      "E_ARGUMENT",
      `nearestNeighbors: got k ${k}; expected a whole number from 1 to ${others}.`,
      { hint: "There must be at least k candidates, the row itself not counted." },
    );
  }
  // One more is looked for, since one of them may be the query itself.
  const how = { ...options, k: excludeSelf ? k + 1 : k, farthest };
  const scale = scaleFor(queries, candidates);
  const found = await search(device, scaled(queries, scale), scaled(candidates, scale), how);
  if (scale !== 1) for (const [i, d] of found.distances.entries()) found.distances[i] = d / scale / scale;
  return excludeSelf ? withoutSelf(found, queries.rows, k) : found;
}

/** Largest values from which on squared differences that matter are far from the least f32; some devices flush denormals. */
const LEAST_LARGEST = 2 ** -20;

/** A power of 2, which rounds nothing, by which small values are large enough to be squared. */
function scaleFor(...matrices: readonly FeatureRows[]): number {
  const largest = matrices.reduce((most, { data }) => data.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
  return largest > 0 && largest < LEAST_LARGEST ? 2 ** -Math.floor(Math.log2(largest)) : 1;
}

const scaled = (matrix: FeatureRows, scale: number): FeatureRows =>
  scale === 1 ? matrix : { ...matrix, data: matrix.data.map((v) => v * scale) };

/** @throws E_ARGUMENT, E_SHAPE */
function checkMatrix(where: string, matrix: FeatureRows): void {
  checkObject(where, matrix, "{ data, rows, columns }");
  const { data, rows, columns } = matrix;
  if (!(data instanceof Float32Array)) {
    throw new TilegradError("E_ARGUMENT", `${where}: got data ${show(data)}; expected a Float32Array.`);
  }
  if (data.length === rows * columns) return;
  throw new TilegradError(
    "E_SHAPE",
    `${where}: got ${data.length} values; expected rows ${rows} * columns ${columns}.`,
  );
}

function withoutSelf({ indices, distances }: Neighbors, rows: number, k: number): Neighbors {
  const kept = { indices: new Uint32Array(rows * k), distances: new Float32Array(rows * k) };
  for (let row = 0; row < rows; row++) {
    for (let from = row * (k + 1), to = row * k; to < (row + 1) * k; from++) {
      if (indices[from] === row) continue;
      kept.indices[to] = indices[from];
      kept.distances[to++] = distances[from];
    }
  }
  return kept;
}

async function search(
  device: Device,
  queries: FeatureRows,
  candidates: FeatureRows,
  { k, farthest, tile }: NeighborOptions & NearestOptions,
): Promise<Neighbors> {
  const { columns } = queries;
  const indices = new Uint32Array(queries.rows * k).fill(NO_ROW);
  // Farthest first is nearest first by negative distance.
  const sign = farthest ? -1 : 1;
  const distances = new Float32Array(queries.rows * k).fill(Number.POSITIVE_INFINITY);
  const width = tileOf(queries.rows, tile?.queries ?? QUERIES);
  const height = tileOf(candidates.rows, tile?.candidates ?? Math.max(4, Math.floor(CANDIDATE_BYTES / (4 * columns))));
  const own: { dispose(): void }[] = [];
  const make = (type: Parameters<Device["tensor"]>[0], label: string): DeviceTensor => {
    const tensor = device.tensor(type, label);
    own.push(tensor);
    return tensor;
  };
  try {
    const bindings = {
      queries: make(f32(columns, width), "neighbour queries"),
      candidates: make(f32(columns, height), "neighbour candidates"),
      range: make(u32(2), "neighbour range"),
    };
    const [near, rows] = nearestOp(
      input("queries", [columns, width]),
      input("candidates", [columns, height]),
      input("range", [2], "u32"),
      { k, farthest },
    );
    const step = await device.compile({ outputs: { near, rows }, updates: [] }, { bindings, label: "neighbours" });
    own.push(step);
    let span = Math.max(16, Math.round(FIRST_WORK / (width * columns)));
    for (let base = 0; base < candidates.rows; base += height) {
      const end = Math.min(height, candidates.rows - base);
      bindings.candidates.write(transposed(candidates, base, height));
      for (let first = 0; first < queries.rows; first += width) {
        bindings.queries.write(transposed(queries, first, width));
        const count = Math.min(width, queries.rows - first);
        for (let from = 0; from < end; ) {
          const to = Math.min(end, from + span);
          const began = performance.now();
          bindings.range.write([from, to]);
          const [d, r] = await runOnce(device, step);
          const elapsed = Math.max(0.1, performance.now() - began);
          for (let i = 0; i < count * k; i++) {
            if (r[i] === NO_ROW) continue;
            insert(distances, indices, Math.floor(i / k) * k + first * k, k, sign * d[i], base + r[i]);
          }
          // Whole tiles of the kernel; grows at most twofold, since the first run of a kernel is slow.
          span = Math.max(16, 16 * Math.round(Math.min(2 * span, ((to - from) * TARGET_MS) / elapsed) / 16));
          from = to;
        }
      }
    }
    if (indices.includes(NO_ROW)) {
      throw new TilegradError("E_DATA", "nearestNeighbors: squared distances are beyond float32.", {
        hint: "Standardise the columns first.",
      });
    }
    if (farthest) for (let i = 0; i < distances.length; i++) distances[i] = -distances[i];
    return { indices, distances };
  } finally {
    for (const one of own.reverse()) one.dispose();
  }
}

async function runOnce(device: Device, step: CompiledStep): Promise<[Float32Array, Uint32Array]> {
  device.enqueue(step, {});
  const { near, rows } = step.outputs;
  return (await Promise.all([near.read(), rows.read()])) as [Float32Array, Uint32Array];
}

/** Rows of a tile: as few tiles as `most` allows, of equal height, a multiple of 4. */
function tileOf(rows: number, most: number): number {
  const tiles = Math.ceil(rows / (most - (most % 4)));
  return 4 * Math.ceil(rows / tiles / 4);
}

/** Rows first .. first + count - 1 as columns, zeros beyond the last: f32 [columns, count]. */
function transposed({ data, rows, columns }: FeatureRows, first: number, count: number): Float32Array {
  const out = new Float32Array(columns * count);
  const end = Math.min(count, rows - first);
  for (let row = 0; row < end; row++) {
    for (let column = 0; column < columns; column++) out[column * count + row] = data[(first + row) * columns + column];
  }
  return out;
}
