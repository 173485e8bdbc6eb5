/** Copies the nodes of a `checkpoint` segment for the backward pass. */

import { apply, apply1 } from "../graph/apply.ts";
import { outputsOf, topological } from "../graph/traverse.ts";
import type { Node, Tensor } from "../graph/types.ts";
import { isStepScalar } from "../ops/core/constant.ts";
import { barrierOp } from "../ops/core/remat.ts";
import { isLeaf } from "./reads.ts";

export interface Recomputed {
  readonly output: Tensor;
  /** The copies, inputs before users. */
  readonly nodes: readonly Node[];
}

/**
 * The output of a segment once more, from inputs behind barriers: not before `after` is known. Copied is what depends on the
 * segment's inputs, and random draws, which depend on step scalars and constants alone; weights and other captured tensors
 * are shared.
 */
export function recompute({ inputs: [y, ...inputs] }: Node, after: Tensor): Recomputed {
  const later = (t: Tensor): Tensor => apply1(barrierOp, [t, after]);
  const starts = inputs.map((from) => ({ from, to: later(from) }));
  const startOf = (t: Tensor): Tensor | undefined =>
    starts.find(({ from }) => from.node === t.node && from.index === t.index)?.to;
  const copies = new Map<Node, readonly Tensor[]>();
  const inside = new Set<Node>();
  const drawn = new Set<Node>();
  const copyOf = (t: Tensor): Tensor => startOf(t) ?? copies.get(t.node)?.[t.index] ?? t;
  for (const node of topological([y])) {
    if (isLeaf(node)) continue;
    if (node.inputs.every((t) => drawn.has(t.node))) drawn.add(node);
    if (node.inputs.some((t) => inside.has(t.node) || startOf(t))) inside.add(node);
    const [first] = outputsOf(node);
    if (isStepScalar(first)) copies.set(node, [later(first)]);
    else if (node.inputs.length > 0 && (inside.has(node) || drawn.has(node)))
      copies.set(node, apply(node.op, node.inputs.map(copyOf), node.attrs));
  }
  const made = [...starts.map(({ to }) => to), ...[...copies.values()].map(([first]) => first)];
  return { output: copyOf(y), nodes: made.map(({ node }) => node) };
}
