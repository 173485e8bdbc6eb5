/**
 * Logistic regression, which is one dense unit: the simplest model, beside which a network has to prove itself. Solved in
 * f64 on the CPU to its one optimum, so that it depends on no learning rate, seed or device.
 */

import { TilegradError } from "../errors.ts";
import { checkLabels } from "../metrics/check.ts";
import { sigmoid, softplus } from "../numeric.ts";
import type { OptionKinds } from "../options.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";

export interface LogisticRegression {
  /** One per input. */
  readonly weights: Float64Array;
  readonly bias: number;
  readonly iterations: number;
  /** false when `maxIterations` came before the gradient was small. */
  readonly converged: boolean;
}

export interface LogisticRegressionOptions {
  /** [rows], at least 0; what counts is how they relate to each other. */
  readonly sampleWeight?: ArrayLike<number>;
  /** Factor on the sum of squared weights, beside the mean log loss. Default 1 / (2 rows), scikit-learn's C = 1. */
  readonly l2?: number;
  /** Default 200. */
  readonly maxIterations?: number;
  /** Largest element of the gradient at which the search ends; default 1e-6. */
  readonly tolerance?: number;
}

/** Steps that the search remembers the curvature of. */
const MEMORY = 10;
/** A step must lower the loss by this share of what the slope promises (Armijo). */
const SUFFICIENT = 1e-4;

/**
 * Minimizes mean log loss + l2 · |weights|² by L-BFGS (Liu & Nocedal 1989) with backtracking; the bias is not penalized.
 *
 * @param x [rows, inputs], row-major, best standardized
 * @param y [rows], 0 or 1
 * @throws E_SHAPE unless x has whole rows; E_DATA when one class is absent, since then no finite optimum exists
 */
export function fitLogisticRegression(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: LogisticRegressionOptions = {},
): LogisticRegression {
  checkOptions("fitLogisticRegression", options, {
    sampleWeight: "values",
    l2: "nonNegativeFinite",
    maxIterations: "positiveInteger",
    tolerance: "nonNegative",
  } satisfies OptionKinds<LogisticRegressionOptions>);
  checkValue("fitLogisticRegression", "x", x, "values");
  checkValue("fitLogisticRegression", "y", y, "values");
  checkLabels("logistic regression", y);
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
  const { l2 = 1 / (2 * rows), maxIterations = 200, tolerance = 1e-6, sampleWeight } = options;
  const total = sampleWeight ? Array.from(sampleWeight).reduce((sum, w) => sum + w, 0) : rows;
  const weight = sampleWeight && Float64Array.from(sampleWeight, (w) => (w * rows) / total);
  // Weights, then the bias.
  let at: Float64Array = new Float64Array(inputs + 1);
  at[inputs] = Math.log(positives / (rows - positives));
  let here = lossAndGradient(x, y, at, l2, weight);
  const past: Step[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (largest(here.gradient) <= tolerance) return result(at, iteration, true);
    const direction = descent(here.gradient, past);
    const slope = dot(direction, here.gradient);
    let size = past.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next = along(at, direction, size);
    let there = lossAndGradient(x, y, next, l2, weight);
    while (!(there.loss <= here.loss + SUFFICIENT * size * slope)) {
      size /= 2;
      if (size < 1e-12) return result(at, iteration, true); // float64 tells no lower point
      next = along(at, direction, size);
      there = lossAndGradient(x, y, next, l2, weight);
    }
    const [moved, bent] = [difference(next, at), difference(there.gradient, here.gradient)];
    const curvature = dot(moved, bent);
    if (curvature > 0) past.push({ moved, bent, curvature });
    if (past.length > MEMORY) past.shift();
    [at, here] = [next, there];
  }
  return result(at, maxIterations, largest(here.gradient) <= tolerance);
}

/** Probabilities of rows x [rows, inputs] -> [rows]. */
export function predictLogisticRegression(
  model: Pick<LogisticRegression, "weights" | "bias">,
  x: ArrayLike<number>,
): Float32Array {
  const expected = "a model, as fitLogisticRegression gives";
  checkFields("predictLogisticRegression", model, { weights: "values", bias: "number" }, expected);
  const { weights, bias } = model;
  const inputs = weights.length;
  checkValue("predictLogisticRegression", "x", x, "values");
  return Float32Array.from({ length: x.length / inputs }, (_, row) => {
    let z = bias;
    for (let j = 0; j < inputs; j++) z += weights[j] * x[row * inputs + j];
    return sigmoid(z);
  });
}

/** A step of the search: how far it went, how the gradient changed, and their product. */
interface Step {
  readonly moved: Float64Array;
  readonly bent: Float64Array;
  readonly curvature: number;
}

const result = (at: Float64Array, iterations: number, converged: boolean): LogisticRegression => ({
  weights: at.slice(0, -1),
  bias: at[at.length - 1],
  iterations,
  converged,
});

/** weight: of mean 1 */
function lossAndGradient(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  at: Float64Array,
  l2: number,
  weight?: Float64Array,
) {
  const [rows, inputs] = [y.length, at.length - 1];
  const gradient = new Float64Array(at.length);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const begin = row * inputs;
    let z = at[inputs];
    for (let j = 0; j < inputs; j++) z += at[j] * x[begin + j];
    const w = weight ? weight[row] : 1;
    loss += w * (softplus(z) - y[row] * z);
    const residual = w * (sigmoid(z) - y[row]);
    for (let j = 0; j < inputs; j++) gradient[j] += residual * x[begin + j];
    gradient[inputs] += residual;
  }
  loss /= rows;
  for (let j = 0; j <= inputs; j++) gradient[j] /= rows;
  for (let j = 0; j < inputs; j++) {
    loss += l2 * at[j] * at[j];
    gradient[j] += 2 * l2 * at[j];
  }
  return { loss, gradient };
}

/** -H · gradient, H being the inverse curvature that past steps suggest: the two-loop recursion. */
function descent(gradient: Float64Array, past: readonly Step[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const shares = new Float64Array(past.length);
  for (let i = past.length - 1; i >= 0; i--) {
    shares[i] = dot(past[i].moved, direction) / past[i].curvature;
    addTo(direction, past[i].bent, -shares[i]);
  }
  const last = past.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.bent, last.bent);
    for (let j = 0; j < direction.length; j++) direction[j] *= scale;
  }
  past.forEach(({ moved, bent, curvature }, i) => {
    addTo(direction, moved, shares[i] - dot(bent, direction) / curvature);
  });
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

function addTo(a: Float64Array, b: Float64Array, factor: number): void {
  for (let j = 0; j < a.length; j++) a[j] += factor * b[j];
}

const along = (at: Float64Array, direction: Float64Array, size: number): Float64Array =>
  at.map((value, j) => value + size * direction[j]);
const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, j) => value - b[j]);
const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
