/** The solver behind calibration and logistic regression, in f64 on the CPU. */
import { sigmoid, softplus } from "../numeric.ts";

export interface LogisticProblem {
  /** [rows, inputs], row-major */
  readonly x: ArrayLike<number>;
  /** [rows], in [0, 1] */
  readonly y: ArrayLike<number>;
  /** [rows], at least 0, of mean 1; default: each 1 */
  readonly weight?: Float64Array | undefined;
  /** Factor on the sum of squared coefficients. */
  readonly l2: number;
  /** Where the search begins: a coefficient for each input, and then the bias, if there is to be one; it is not penalized. */
  readonly start: Float64Array;
  /** Largest element of the gradient at which the search ends. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export interface LogisticOptimum {
  /** As `start`. */
  readonly at: Float64Array;
  readonly iterations: number;
  /** false when `maxIterations` came before the gradient was small. */
  readonly converged: boolean;
}

/** Steps that the search remembers the curvature of. */
const MEMORY = 10;
/** A step must lower the loss by this share of what the slope promises (Armijo). */
const SUFFICIENT = 1e-4;
/** Where a step promises less than this share of the loss, rounding hides whether it falls; the gradient still tells. */
const HIDDEN = 1e-14;

/**
 * Minimizes the weighted mean log loss of sigmoid(x · coefficients + bias) + l2 · |coefficients|², which is convex, by L-BFGS
 * (Liu & Nocedal 1989) with backtracking.
 */
export function minimizeLogistic(problem: LogisticProblem): LogisticOptimum {
  const { tolerance, maxIterations } = problem;
  const cells = cellsOf(problem);
  const lossAndGradient = (place: Float64Array) => lossAndGradientAt(problem, cells, place);
  let at = problem.start;
  let here = lossAndGradient(at);
  const past: Step[] = [];
  for (let iterations = 0; iterations < maxIterations; iterations++) {
    const steepest = largest(here.gradient);
    if (steepest <= tolerance) return { at, iterations, converged: true };
    const direction = descent(here.gradient, past);
    const slope = dot(direction, here.gradient);
    let size = past.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next = along(at, direction, size);
    let there = lossAndGradient(next);
    const hidden = -slope < HIDDEN * here.loss;
    const isBetter = (): boolean =>
      hidden ? largest(there.gradient) < steepest : there.loss <= here.loss + SUFFICIENT * size * slope;
    while (!isBetter()) {
      size /= 2;
      if (hidden || size < 1e-12) return { at, iterations, converged: true }; // float64 tells no lower point
      next = along(at, direction, size);
      there = lossAndGradient(next);
    }
    const [moved, bent] = [difference(next, at), difference(there.gradient, here.gradient)];
    const curvature = dot(moved, bent);
    if (curvature > 0) past.push({ moved, bent, curvature });
    if (past.length > MEMORY) past.shift();
    [at, here] = [next, there];
  }
  return { at, iterations: maxIterations, converged: largest(here.gradient) <= tolerance };
}

/** A step of the search: how far it went, how the gradient changed, and their product. */
interface Step {
  readonly moved: Float64Array;
  readonly bent: Float64Array;
  readonly curvature: number;
}

/** The cells of x that are not 0, row by row: of categories, all but one in each. The sums are the same without the others. */
interface Cells {
  /** Where the cells of each row begin, and behind the last. [rows + 1] */
  readonly begin: Uint32Array;
  readonly input: Uint32Array;
  readonly value: Float64Array;
}

function cellsOf({ x, y }: LogisticProblem): Cells {
  const inputs = x.length / y.length;
  let count = 0;
  for (let i = 0; i < x.length; i++) if (x[i] !== 0) count++;
  const cells = { begin: new Uint32Array(y.length + 1), input: new Uint32Array(count), value: new Float64Array(count) };
  for (let row = 0, cell = 0; row < y.length; row++) {
    for (let j = 0; j < inputs; j++) {
      const value = x[row * inputs + j];
      if (value === 0) continue;
      cells.input[cell] = j;
      cells.value[cell++] = value;
    }
    cells.begin[row + 1] = cell;
  }
  return cells;
}

function lossAndGradientAt({ x, y, weight, l2 }: LogisticProblem, cells: Cells, at: Float64Array) {
  const { begin, input, value } = cells;
  const rows = y.length;
  const inputs = x.length / rows;
  const gradient = new Float64Array(at.length);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const end = begin[row + 1];
    let z = at[inputs] ?? 0;
    for (let i = begin[row]; i < end; i++) z += at[input[i]] * value[i];
    const w = weight ? weight[row] : 1;
    loss += w * (softplus(z) - y[row] * z);
    const residual = w * (sigmoid(z) - y[row]);
    for (let i = begin[row]; i < end; i++) gradient[input[i]] += residual * value[i];
    // Without a bias, a write beyond the end, which does nothing.
    gradient[inputs] += residual;
  }
  loss /= rows;
  for (let j = 0; j < at.length; j++) gradient[j] /= rows;
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
