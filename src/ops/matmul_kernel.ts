/** Which kernel multiplies matrices, given shapes and device. */
import matmulNaive from "../../shaders/matmul_naive.wgsl";
import type { TensorType } from "../graph/types.ts";
import type { Attrs } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { KernelChoice, KernelLimits } from "./op.ts";

export interface MatmulExtents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** a [..., m, k] (or [..., k, m] transposed) and b [..., k, n] (or [..., n, k]). */
export function matmulExtents(a: TensorType, b: TensorType, { transposeA, transposeB }: Attrs): MatmulExtents {
  const rank = a.shape.length;
  return {
    batch: sizeOf(a.shape.slice(0, -2)),
    m: a.shape[transposeA ? rank - 1 : rank - 2],
    k: a.shape[transposeA ? rank - 2 : rank - 1],
    n: b.shape[b.shape.length - (transposeB ? 2 : 1)],
  };
}

export function matmulKernel(
  a: TensorType,
  b: TensorType,
  attrs: Attrs,
  onesRow: boolean,
  _limits: KernelLimits,
): KernelChoice {
  const { batch, m, n, k } = matmulExtents(a, b, attrs);
  return {
    shader: matmulNaive,
    constants: { ONES_ROW: onesRow },
    params: {
      batch,
      m,
      n,
      k,
      a_batch: m * k,
      a_row: attrs.transposeA ? 1 : k,
      a_inner: attrs.transposeA ? m : 1,
      b_batch: b.shape.length > 2 ? k * n : 0,
      b_inner: attrs.transposeB ? 1 : n,
      b_column: attrs.transposeB ? k : 1,
    },
    grid: { threads: batch * (m + (onesRow ? 1 : 0)) * n },
    loads: [
      { hook: "load_a", input: 0 },
      { hook: "load_b", input: 1 },
    ],
    stores: [{ hook: "store_y", output: 0 }, ...(onesRow ? [{ hook: "store_total", output: 1 }] : [])],
  };
}
