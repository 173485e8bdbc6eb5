/** What was measured on a device: figures and choices that take the place of the rules for its family. */
import type { Node } from "../graph/types.ts";
import type { Costs } from "./costs.ts";
import type { KernelLimits } from "./op.ts";

/** What forces one of several kernels that give the same bits. */
export type KernelForce = Pick<KernelLimits, "matmul" | "conv2d" | "sequences" | "lstm">;

/** Plain data, so that it can be kept in a file and pinned. */
export interface Tuning {
  /** What it was measured on and with, by `tuningKey`: it serves nothing else. */
  readonly device: string;
  /** Decides between dispatch and resident plan. */
  readonly costs: Costs;
  /** The fastest kernel by `bucketOf`, where it is not the one that the op would choose. */
  readonly kernels: Readonly<Record<string, KernelForce>>;
}

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

/** What forces the kernel that was the fastest for nodes like this one; nothing where none was, or it is not there. */
export function tunedKernel(node: Node, limits: KernelLimits): KernelForce {
  // A stage of a resident plan has one kernel to choose.
  const found = limits.resident ? undefined : limits.tuning?.kernels[bucketOf(node)];
  if (!found) return {};
  const text = JSON.stringify(found);
  return node.op.variants?.(limits).find((variant) => JSON.stringify(variant) === text) ?? {};
}
