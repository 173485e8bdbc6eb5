/** Matrix products, plain, transposed and batched. */

import { apply1, checkTensors } from "../../graph/apply.ts";
import type { Elements, OpDef, Tensor, TensorType } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import { sum } from "../core/broadcast.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";
import { matmulExtents, matmulKernel, matmulVariants, splitsOf } from "./matmul_kernel.ts";

const MATMUL_OPTIONS = {
  transposeA: is.boolean,
  transposeB: is.boolean,
};

export interface MatmulOptions extends OptionsOf<typeof MATMUL_OPTIONS> {}

/** y = a · b for one matrix of each; the middle loop is over k so that rows of b are read in order. */
export function multiply(
  a: Elements,
  b: Elements,
  y: Elements,
  { m, n, k }: { m: number; n: number; k: number },
  { transposeA, transposeB }: MatmulOptions,
): void {
  const sums = new Float64Array(n);
  for (let row = 0; row < m; row++) {
    sums.fill(0);
    for (let inner = 0; inner < k; inner++) {
      const left = a[transposeA ? inner * m + row : row * k + inner];
      if (transposeB) for (let column = 0; column < n; column++) sums[column] += left * b[column * k + inner];
      else for (let column = 0, at = inner * n; column < n; column++, at++) sums[column] += left * b[at];
    }
    y.set(sums, row * n);
  }
}

const matmulOp: OpDef = {
  name: "matmul",
  shape: ([a, b], attrs) => {
    expectDType("matmul", a, "f32");
    expectDType("matmul", b, "f32");
    const lead = (t: TensorType): string => t.shape.slice(0, -2).join(",");
    const { m, k, n } = a.shape.length >= 2 && b.shape.length >= 2 ? matmulExtents(a, b, attrs) : { m: 0, k: 0, n: 0 };
    const inner = b.shape[b.shape.length - (attrs.transposeB ? 1 : 2)];
    if (m === 0 || k !== inner || lead(a) !== lead(b)) {
      const marks = `${attrs.transposeA ? "A^T" : "A"} · ${attrs.transposeB ? "B^T" : "B"}`;
      throw shapeError(`matmul (${marks})`, [a, b], "[..., m, k] · [..., k, n] with equal k and leading axes");
    }
    return [f32(...a.shape.slice(0, -2), m, n)];
  },
  // Y = A B:  dA = dY B^T,  dB = A^T dY; transposed operands swap the roles.
  grad: ({ inputs: [a, b], attrs: { transposeA, transposeB }, upstream: [upstream] }) => {
    const dy = upstream as Tensor;
    const da = transposeA
      ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
      : matmul(dy, b, { transposeB: !transposeB });
    const db = transposeB
      ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dy, { transposeA: !transposeA });
    return [da, db];
  },
  reference: ({ inputs: [a, b], inputTypes: [ta, tb], attrs, outputs: [y] }) => {
    const extents = matmulExtents(ta, tb, attrs);
    const { batch, m, n, k } = extents;
    for (let i = 0; i < batch; i++) {
      multiply(
        a.subarray(i * m * k, (i + 1) * m * k),
        b.subarray(i * k * n, (i + 1) * k * n),
        y.subarray(i * m * n, (i + 1) * m * n),
        extents,
        attrs,
      );
    }
  },
  // Partial products over equal shares of k, then their sum.
  expand: ({ inputs: [a, b], attrs }, limits) => {
    if (!attrs.transposeA || attrs.transposeB || a.shape.length > 2) return null;
    const { m, n, k } = matmulExtents(a, b, attrs);
    const splits = splitsOf(m, n, k, limits);
    if (splits === 1) return null;
    const parts = [a, b].map((t) => reshape(t, [splits, k / splits, t.shape[1]]));
    return [sum(matmul(parts[0], parts[1], { transposeA: true }), { axes: 0 })];
  },
  kernel: ({ inputs: [a, b], attrs }, limits) => matmulKernel(a, b, attrs, false, limits),
  variants: matmulVariants,
  readsCopies: true,
  flops: ({ inputs: [a, b], attrs }) => {
    const { batch, m, n, k } = matmulExtents(a, b, attrs);
    return 2 * batch * m * n * k;
  },
  samples: () => {
    const cases: [number, number, number][] = [
      [1, 1, 1],
      [3, 5, 2],
      [17, 13, 19],
      [64, 32, 48],
      [33, 129, 70],
    ];
    return [
      ...cases.flatMap(([m, k, n]) => [
        { inputs: [f32(m, k), f32(k, n)], attrs: {} },
        { inputs: [f32(k, m), f32(k, n)], attrs: { transposeA: true } },
        { inputs: [f32(m, k), f32(n, k)], attrs: { transposeB: true } },
        { inputs: [f32(k, m), f32(n, k)], attrs: { transposeA: true, transposeB: true } },
      ]),
      { inputs: [f32(130, 70), f32(70, 133)], gradcheck: false },
      { inputs: [f32(3, 2, 5), f32(3, 5, 7)], attrs: {} },
      { inputs: [f32(2, 2, 5, 3), f32(2, 2, 5, 7)], attrs: { transposeA: true } },
    ];
  },
};

/** a · b over the last two axes; leading axes are batches. A 2-D `b` serves every batch of `a`. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkTensors("matmul", a, b);
  const { transposeA = false, transposeB = false } = checkOptions("matmul", options, MATMUL_OPTIONS);
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    const rows = reshape(a, [-1, a.shape[a.shape.length - 1]]);
    const y = matmul(rows, b, { transposeB });
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]]);
  }
  return apply1(matmulOp, [a, b], { transposeA, transposeB });
}

export const matmulOps = [matmulOp];
