/** Deterministic data, initial weights, batch order and learning rates: every peer does the same work to the same numbers. */
import { draws, shuffle } from "../src/random.ts";
import type { Layer, Training } from "./workloads.ts";

export interface Data {
  /** [rows, ...input] */
  readonly x: Float32Array;
  /** [rows, 1], 0 or 1 */
  readonly y: Float32Array;
}

const SEED = 7;
/** Philox streams, apart from each other. */
const STREAM = { rows: 101, labels: 102, order: 103, weights: 104, matmul: 105 };

const product = (shape: readonly number[]) => shape.reduce((size, n) => size * n, 1);

/** Standard normal values, f32 [n]. */
export function normals(n: number, stream: number = STREAM.matmul, step = 0): Float32Array {
  const draw = draws(SEED, stream, step);
  return Float32Array.from({ length: n }, (_, i) => draw.normal(i));
}

/** Normal rows; the label is 1 for the `positives` share with the largest noisy linear score. XOR is the truth table. */
export function trainingData(workload: Training, rows = workload.rows): Data {
  if (workload.name === "xor") return { x: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), y: Float32Array.of(0, 1, 1, 0) };
  const width = product(workload.input);
  const x = normals(rows * width, STREAM.rows);
  const direction = normals(width, STREAM.labels, 0);
  const noise = normals(rows, STREAM.labels, 1);
  const scores = Float32Array.from(noise, (e, row) => {
    let score = Math.sqrt(width) * e * 0.5;
    for (let j = 0; j < width; j++) score += direction[j] * x[row * width + j];
    return score;
  });
  const threshold = scores.toSorted()[Math.round(rows * (1 - workload.positives))];
  return { x, y: scores.map((score) => (score >= threshold ? 1 : 0)) };
}

/** The shapes of a layer's weights and of one row of its output. */
function layerShapes(layer: Layer, input: readonly number[]): { weights: number[][]; output: number[] } {
  switch (layer.type) {
    case "dense":
      return { weights: [[input[0], layer.units], [layer.units]], output: [layer.units] };
    case "conv2d": {
      const [height, width, channels] = input;
      const { filters, kernel } = layer;
      const weights = [[kernel, kernel, channels, filters], [filters]];
      return { weights, output: [height - kernel + 1, width - kernel + 1, filters] };
    }
    case "maxPool2d":
      return { weights: [], output: [Math.floor(input[0] / layer.size), Math.floor(input[1] / layer.size), input[2]] };
    case "flatten":
      return { weights: [], output: [product(input)] };
    case "lstm": {
      const gates = 4 * layer.units;
      return { weights: [[input[1], gates], [layer.units, gates], [gates]], output: [layer.units] };
    }
    default:
      return layer satisfies never;
  }
}

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Per layer its kernels (Glorot uniform; Glorot and Bengio 2010, eq. 16) and its bias (zeros). */
export function initialWeights(workload: Training): Weight[][] {
  let input: readonly number[] = workload.input;
  let step = 0;
  return workload.layers.map((layer) => {
    const { weights, output } = layerShapes(layer, input);
    input = output;
    return weights.map((shape) => {
      const values = new Float32Array(product(shape));
      if (shape.length > 1) {
        const draw = draws(SEED, STREAM.weights, step++);
        const receptive = product(shape.slice(0, -2));
        const limit = Math.sqrt(6 / (receptive * (shape[shape.length - 2] + shape[shape.length - 1])));
        for (let i = 0; i < values.length; i++) values[i] = limit * (2 * draw.uniform(i) - 1);
      }
      return { shape, values };
    });
  });
}

export const stepsPerEpoch = (workload: Training) => Math.ceil(workload.rows / workload.batch);

/** The order in which an epoch (from 0) visits the rows, u32 [rows]. */
export function batchOrder(workload: Training, epoch: number): Uint32Array {
  return shuffle(workload.rows, SEED, STREAM.order, epoch);
}

/** The learning rate of a step (from 0). */
export function learningRate({ optimizer }: Training, step: number): number {
  if (optimizer.type !== "sgd" || optimizer.decay === undefined) return optimizer.rate;
  const { to, steps } = optimizer.decay;
  return optimizer.rate + (to - optimizer.rate) * Math.min(step / steps, 1);
}

export interface Batch extends Data {
  readonly size: number;
  /** Of the step, from 0. */
  readonly step: number;
  readonly rate: number;
}

/** Batches without end, gathered in batch order. Reuses no array: peers may keep what they get. */
export function* batches(workload: Training): Generator<Batch, never> {
  const { x, y } = trainingData(workload);
  const width = product(workload.input);
  for (let step = 0, epoch = 0; ; epoch++) {
    const order = batchOrder(workload, epoch);
    for (let start = 0; start < order.length; start += workload.batch, step++) {
      const rows = order.subarray(start, start + workload.batch);
      const batch = { x: new Float32Array(rows.length * width), y: new Float32Array(rows.length) };
      rows.forEach((row, i) => {
        batch.x.set(x.subarray(row * width, (row + 1) * width), i * width);
        batch.y[i] = y[row];
      });
      yield { ...batch, size: rows.length, step, rate: learningRate(workload, step) };
    }
  }
}
