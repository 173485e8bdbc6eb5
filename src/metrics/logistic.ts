/** Keeps the optimum finite on separable rows; far below what rows can tell. */
const RIDGE = 1e-9;
const MAX_STEPS = 200;

/** 1 / (1 + e^-z), without overflow. */
export const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** ln(p / (1 - p)) with p clipped to [eps, 1 - eps]; the default is what float32 tells from 1. */
export function logit(p: number, eps = 1e-7): number {
  const q = Math.min(1 - eps, Math.max(eps, p));
  return Math.log(q) - Math.log1p(-q);
}

/** ln(1 + e^z), without overflow. */
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/**
 * Coefficients that minimize the weighted log loss of sigmoid(sum_j coefficient_j · feature_j) against soft targets:
 * damped Newton steps, each halved until the loss falls. The loss is convex, so there is one minimum.
 *
 * @param features k columns of n values (a column of ones for an intercept)
 * @param target [n], in [0, 1]
 * @param weight [n], >= 0
 */
export function fitLogistic(features: readonly Float64Array[], target: Float64Array, weight: Float64Array): number[] {
  const k = features.length;
  const n = target.length;
  const ridge = RIDGE * weight.reduce((a, b) => a + b, 0);
  const score = (c: readonly number[], i: number) => c.reduce((z, cj, j) => z + cj * features[j][i], 0);
  const lossOf = (c: readonly number[]) => {
    let loss = c.reduce((sum, cj) => sum + (ridge / 2) * cj * cj, 0);
    for (let i = 0; i < n; i++) {
      const z = score(c, i);
      loss += weight[i] * (softplus(z) - target[i] * z);
    }
    return loss;
  };

  let at: number[] = new Array(k).fill(0);
  let loss = lossOf(at);
  for (let step = 0; step < MAX_STEPS; step++) {
    const gradient = at.map((c) => ridge * c);
    const hessian = at.map((_, a) => at.map((_, b) => (a === b ? ridge : 0)));
    for (let i = 0; i < n; i++) {
      const p = sigmoid(score(at, i));
      for (let a = 0; a < k; a++) {
        gradient[a] += weight[i] * (p - target[i]) * features[a][i];
        for (let b = 0; b < k; b++) hessian[a][b] += weight[i] * p * (1 - p) * features[a][i] * features[b][i];
      }
    }
    const direction = solve(hessian, gradient);
    let size = 1;
    let next = at;
    let nextLoss = loss;
    for (; size > 1e-10; size /= 2) {
      next = at.map((c, j) => c - size * direction[j]);
      nextLoss = lossOf(next);
      if (nextLoss < loss) break;
    }
    if (!(nextLoss < loss)) break;
    const moved = Math.max(...next.map((c, j) => Math.abs(c - at[j]) / (1 + Math.abs(c))));
    at = next;
    loss = nextLoss;
    if (moved < 1e-12) break;
  }
  return at;
}

/** Solves the k x k system of a positive definite matrix by Gaussian elimination with pivoting (k is 1 to 3). */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const k = rows.length;
  for (let c = 0; c < k; c++) {
    const pivot = rows.slice(c).reduce((p, _, r) => (Math.abs(rows[c + r][c]) > Math.abs(rows[p][c]) ? c + r : p), c);
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    for (let r = 0; r < k; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      for (let j = c; j <= k; j++) rows[r][j] -= factor * rows[c][j];
    }
  }
  return rows.map((row, i) => row[k] / row[i]);
}
