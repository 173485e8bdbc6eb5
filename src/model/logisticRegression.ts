/**
 * Logistic regression, which is one dense unit: the simplest model, beside which a network has to prove itself. Solved in
 * f64 on the CPU to its one optimum, so that it depends on no learning rate, seed or device.
 */

import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { checkLabels, checkWeights } from "../metrics/check.ts";
import { minimizeLogistic } from "../metrics/logistic.ts";
import { sigmoid } from "../numeric.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions } from "../options.ts";
import type { Numeric } from "../values.ts";
import { numbersOf } from "../values.ts";

export interface LogisticRegression {
  /** One per input. */
  readonly weights: Float64Array;
  readonly bias: number;
  readonly iterations: number;
  /** false when `maxIterations` came before the gradient was small. */
  readonly converged: boolean;
}

const logisticRegressionOptions = {
  /** [rows], at least 0; what counts is how they relate to each other. */
  sampleWeight: is.values as Kind<Numeric>,
  /** Factor on the sum of squared weights, beside the mean log loss. Default 1 / (2 rows), scikit-learn's C = 1. */
  l2: is.nonNegativeFinite,
  /** Default 200. */
  maxIterations: is.positiveInteger,
  /** Largest element of the gradient at which the search ends; default 1e-6. */
  tolerance: is.nonNegative,
};

export interface LogisticRegressionOptions extends OptionsOf<typeof logisticRegressionOptions> {}

/**
 * Minimizes mean log loss + l2 · |weights|² by L-BFGS (Liu & Nocedal 1989) with backtracking; the bias is not penalized.
 *
 * @param x [rows, inputs], row-major, best standardized
 * @param y [rows], 0 or 1
 * @throws E_SHAPE unless x has whole rows; E_DATA when one class is absent, since then no finite optimum exists
 */
export function fitLogisticRegression(
  features: Numeric,
  labels: Numeric,
  options: LogisticRegressionOptions = {},
): LogisticRegression {
  checkOptions("fitLogisticRegression", options, logisticRegressionOptions);
  const x = numbersOf("fitLogisticRegression", "x", features);
  const y = checkLabels("logistic regression", labels);
  const rows = y.length;
  const inputs = x.length / rows;
  if (!Number.isInteger(inputs) || inputs < 1) {
    throw new TilegradError("E_SHAPE", `logistic regression: x has ${x.length} values for ${rows} rows.`, {
      hint: "x is [rows, inputs], row-major.",
    });
  }
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i])) continue;
    const where = `row ${Math.floor(i / inputs)}, input ${i % inputs}`;
    throw new TilegradError("E_DATA", `logistic regression: x is ${x[i]} in ${where}; expected finite numbers.`);
  }
  const positives = Array.from(y).reduce((n, label) => n + label, 0);
  if (positives === 0 || positives === rows) {
    throw new TilegradError("E_DATA", `logistic regression: all rows are ${positives ? "positive" : "negative"}.`, {
      hint: "Fit on rows of both classes.",
    });
  }
  const { l2 = 1 / (2 * rows), maxIterations = 200, tolerance = 1e-6 } = options;
  const sampleWeight = checkWeights("logistic regression", rows, options.sampleWeight);
  const total = sampleWeight ? Array.from(sampleWeight).reduce((sum, w) => sum + w, 0) : rows;
  const weight = sampleWeight && Float64Array.from(sampleWeight, (w) => (w * rows) / total);
  const start = new Float64Array(inputs + 1);
  start[inputs] = Math.log(positives / (rows - positives));
  const { at, ...search } = minimizeLogistic({ x, y, weight, l2, start, tolerance, maxIterations });
  return { weights: at.slice(0, -1), bias: at[inputs], ...search };
}

/** Probabilities of rows x [rows, inputs] -> [rows]. */
export function predictLogisticRegression(
  model: Pick<LogisticRegression, "weights" | "bias">,
  features: Numeric,
): Float32Array {
  const expected = "a model, as fitLogisticRegression gives";
  checkFields("predictLogisticRegression", model, { weights: is.values, bias: is.number }, expected);
  const { weights, bias } = model;
  const inputs = weights.length;
  const x = numbersOf("predictLogisticRegression", "x", features);
  return Float32Array.from({ length: x.length / inputs }, (_, row) => {
    let z = bias;
    for (let j = 0; j < inputs; j++) z += weights[j] * x[row * inputs + j];
    return sigmoid(z);
  });
}
