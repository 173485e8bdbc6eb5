/**
 * Gives every output, update and packed tensor a computing node of its own, so that each has one place in memory; and every
 * view that a kernel wants contiguous.
 */
import { apply, apply1 } from "../graph/apply.ts";
import { rewrite } from "../graph/traverse.ts";
import type { Graph, Node, OpDef, Tensor } from "../graph/types.ts";
import { packedParts, packOp } from "../ops/core/concat.ts";
import { isConstant } from "../ops/core/constant.ts";
import { base, isPassive } from "./reads.ts";

const copyOp: OpDef = {
  name: "copy",
  shape: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  reference: ({ inputs: [x], outputs: [y] }) => y.set(x),
  pointwise: true,
  inline: (code, node, index) => code.at(node.inputs[0], index),
  inline4: (code, node, index) => code.at4(node.inputs[0], index),
  flops: () => 0,
};

export const copy = (x: Tensor): Tensor => apply1(copyOp, [x]);

const isView = ({ node }: Tensor): boolean => node.op.free === true && node.inputs.length > 0;

/** Views, constants and values that are wanted in two places are copied. */
export function materialize(graph: Graph): Graph {
  const taken = new Map<Node, Set<number>>();
  const own = (t: Tensor): Tensor => {
    const { node, index } = base(t);
    // A fault is written where its state lives by whoever writes into the arena.
    if (node.op === packOp && index === 1) return t;
    const outputs = taken.get(node) ?? new Set();
    if (isPassive(node) || outputs.has(index)) return copy(t);
    taken.set(node, outputs.add(index));
    return t;
  };
  const copies = new Map<Node, Tensor>();
  const contiguousOf = (t: Tensor): Tensor => {
    if (!isView(base(t))) return t;
    const made = copies.get(t.node) ?? copy(t);
    copies.set(t.node, made);
    return made;
  };
  const packed = rewrite(graph, (node) => {
    const { contiguous } = node.op;
    if (contiguous?.some((k) => isView(base(node.inputs[k])))) {
      const inputs = node.inputs.map((t, k) => (contiguous.includes(k) ? contiguousOf(t) : t));
      return apply(node.op, inputs, node.attrs);
    }
    if (node.op !== packOp) return null;
    // Arenas are zero to begin with, so packed zeros need no kernel.
    const parts = packedParts(node).map((t) => (isConstant(t) && t.node.attrs.value === 0 ? t : own(t)));
    const inputs = [...parts, ...node.inputs.slice(parts.length)];
    // Nothing changes the second time.
    if (inputs.every((t, k) => t === node.inputs[k])) return null;
    return apply(packOp, inputs, node.attrs);
  });
  const updates = packed.updates.map(({ state, value }) => ({ state, value: own(value) }));
  const outputs = Object.fromEntries(Object.entries(packed.outputs).map(([name, t]) => [name, own(t)]));
  return { outputs, updates };
}
