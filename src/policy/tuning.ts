/** Looking up what was measured on a device: choices that take the place of an op's own rule. */
import type { Node } from "../graph/types.ts";
import type { KernelForce, KernelLimits } from "./limits.ts";
import { KERNEL_GRAD_VARIANTS, LSTM_VARIANTS, MATMUL_VARIANTS, SEQUENCE_COUNTS } from "./limits.ts";

/**
 * An op with its attributes and sizes, these rounded up to powers of two, beside what of 16, 4 or 1 divides them: kernels
 * that load four elements at once are another text where 4 does not divide a size.
 */
export function bucketOf({ op, inputs, attrs }: Node): string {
  const size = (n: number): string => {
    const power = 2 ** Math.ceil(Math.log2(n));
    return n % 16 === 0 ? `${power}` : `${power}/${n % 4 === 0 ? 4 : 1}`;
  };
  const shapes = inputs.map(({ shape }) => shape.map(size).join("x"));
  const set = Object.entries(attrs).filter(([, value]) => value);
  return [op.name, ...shapes, ...(set.length > 0 ? [JSON.stringify(Object.fromEntries(set))] : [])].join(" ");
}

/** What may be chosen by measurement: kernels that sum in the same order. Equal bits for some data would not do. */
export const TUNABLE: Readonly<Partial<Record<keyof KernelForce, readonly (string | number)[]>>> = {
  matmul: MATMUL_VARIANTS,
  conv2dKernelGrad: KERNEL_GRAD_VARIANTS,
  sequences: SEQUENCE_COUNTS,
  lstm: LSTM_VARIANTS,
};

/** What forces the kernel that was the fastest for nodes like this one; nothing where none was, or it is not there. */
export function tunedKernel(node: Node, limits: KernelLimits): KernelForce {
  // A stage of a resident plan has one kernel to choose.
  if (limits.resident || !limits.tuning) return {};
  const found = limits.tuning.kernels[bucketOf(node)];
  if (!found) return {};
  const text = JSON.stringify(found);
  return node.op.variants?.(limits).find((variant) => JSON.stringify(variant) === text) ?? {};
}
