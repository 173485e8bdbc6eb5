/** Logistic regression by gradient descent, written out in double precision: what a trainer of `dense(1)` must agree with. */
import { sigmoid, softplus } from "../../src/numeric.ts";
import type { Data } from "../../src/train/data.ts";

export interface LogisticOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly rate: number;
  readonly kernel: ArrayLike<number>;
  readonly classWeight?: readonly [number, number];
  readonly l1?: number;
  readonly l2?: number;
  readonly clipValue?: number;
  readonly clipNorm?: number;
}

export interface Fitted {
  readonly kernel: number[];
  readonly bias: number;
  /** The example-weighted mean of each epoch's losses. */
  readonly loss: number[];
}

/** Rows in order, the last batch as small as it is; penalties on the kernel only. */
export function logisticRegression({ x, y, sampleWeight }: Data, options: LogisticOptions): Fitted {
  const {
    epochs,
    batchSize,
    rate,
    classWeight = [1, 1],
    l1 = 0,
    l2 = 0,
    clipValue = Infinity,
    clipNorm = Infinity,
  } = options;
  const kernel = Array.from(options.kernel);
  let bias = 0;
  const rows = y.length;
  const features = kernel.length;
  const loss: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    let sum = 0;
    for (let start = 0; start < rows; start += batchSize) {
      const size = Math.min(batchSize, rows - start);
      const gradient = kernel.map((w) => l1 * Math.sign(w) + 2 * l2 * w);
      let biasGradient = 0;
      let value = kernel.reduce((total, w) => total + l1 * Math.abs(w) + l2 * w * w, 0);
      for (let r = start; r < start + size; r++) {
        const z = kernel.reduce((total, w, f) => total + w * x[r * features + f], bias);
        const weight = (sampleWeight?.[r] ?? 1) * classWeight[y[r] > 0.5 ? 1 : 0];
        value += (weight * (y[r] * softplus(-z) + (1 - y[r]) * softplus(z))) / size;
        const slope = (weight * (sigmoid(z) - y[r])) / size;
        for (let f = 0; f < features; f++) gradient[f] += slope * x[r * features + f];
        biasGradient += slope;
      }
      sum += value * size;
      const all = [...gradient, biasGradient].map((g) => Math.max(-clipValue, Math.min(clipValue, g)));
      const norm = Math.sqrt(all.reduce((total, g) => total + g * g, 0));
      const scale = Math.min(1, clipNorm / (norm + 1e-6));
      for (let f = 0; f < features; f++) kernel[f] -= rate * scale * all[f];
      bias -= rate * scale * all[features];
    }
    loss.push(sum / rows);
  }
  return { kernel, bias, loss };
}
