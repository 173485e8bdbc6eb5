/** Looking up what was measured on a device: choices that take the place of an op's own rule. */
import type { KernelForce, KernelLimits, KernelVariant } from "./limits.ts";

/** What decides of a node of the graph. */
interface Tuned {
  readonly op: { readonly name: string; readonly variants?: (limits: KernelLimits) => readonly KernelVariant[] };
  readonly inputs: readonly { readonly shape: readonly number[] }[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

/**
 * An op with its attributes and sizes, these rounded up to powers of two, beside what of 16, 4 or 1 divides them: kernels
 * that load four elements at once are another text where 4 does not divide a size.
 */
export function bucketOf({ op, inputs, attrs }: Tuned): string {
  const size = (n: number): string => {
    const power = 2 ** Math.ceil(Math.log2(n));
    return n % 16 === 0 ? `${power}` : `${power}/${n % 4 === 0 ? 4 : 1}`;
  };
  const shapes = inputs.map(({ shape }) => shape.map(size).join("x"));
  const set = Object.entries(attrs).filter(([, value]) => value);
  return [op.name, ...shapes, ...(set.length > 0 ? [JSON.stringify(Object.fromEntries(set))] : [])].join(" ");
}

/** What forces each kernel of an op that a measurement may choose. Equal bits for some data would not do. */
export const tunableForces = ({ variants }: Tuned["op"], limits: KernelLimits): KernelForce[] =>
  (variants?.(limits) ?? []).flatMap(({ force, reorders }) => (reorders ? [] : [force]));

/** What forces the kernel that was the fastest for nodes like this one; nothing where none was, or it is not there. */
export function tunedKernel(node: Tuned, limits: KernelLimits): KernelForce {
  // A stage of a resident plan has one kernel to choose.
  if (limits.resident || !limits.tuning) return {};
  const found = limits.tuning.kernels[bucketOf(node)];
  if (!found) return {};
  const text = JSON.stringify(found);
  return tunableForces(node.op, limits).find((force) => JSON.stringify(force) === text) ?? {};
}

/** By what a node's kernel is chosen: what was asked for wins over what was measured, and that over the op's own rule. */
export const limitsFor = (node: Tuned, limits: KernelLimits): KernelLimits => ({
  ...limits,
  force: { ...tunedKernel(node, limits), ...limits.force },
});
