/** Looking up what was measured on a device: choices that take the place of an op's own rule. */
import type { Node } from "../graph/types.ts";
import type { KernelForce, KernelLimits } from "./limits.ts";

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

/** May it be chosen without asking for `deterministic: false`? Equal bits for some data would not do. */
export const keepsOrder = ({ splits, matmul, conv2d }: KernelForce): boolean =>
  splits === undefined && conv2d === undefined && matmul !== "subgroupMatrix";

/** What forces the kernel that was the fastest for nodes like this one; nothing where none was, or it is not there. */
export function tunedKernel(node: Node, limits: KernelLimits): KernelForce {
  // A stage of a resident plan has one kernel to choose.
  if (limits.resident || !limits.tuning) return {};
  const { kernels, reordered } = limits.tuning;
  const bucket = bucketOf(node);
  const found = (limits.deterministic === false ? reordered[bucket] : undefined) ?? kernels[bucket];
  if (!found) return {};
  const text = JSON.stringify(found);
  return node.op.variants?.(limits).find((variant) => JSON.stringify(variant) === text) ?? {};
}
