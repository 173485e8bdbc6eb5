/** Reverse-mode differentiation: walks the graph backwards and lets each op emit the graph of its gradient. */

import { TilegradError } from "../errors.ts";
import { checkTensors, showType } from "../graph/apply.ts";
import { outputsOf, topological } from "../graph/traverse.ts";
import type { Node, Tensor } from "../graph/types.ts";
import { sameShape } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { constant } from "../ops/core/constant.ts";
import { add } from "../ops/core/elementwise.ts";
import { barrierOp, rematOp } from "../ops/core/remat.ts";
import { checkValue } from "../options.ts";
import { recompute } from "./recompute.ts";

/**
 * d loss / d each of `wrt`; zeros where the loss does not depend on one.
 * @param loss f32 scalar
 * @throws E_SHAPE when the loss is no scalar; E_ARGUMENT when a gradient is asked of an op without a rule.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  checkValue("gradients", "wrt", wrt, is.list);
  checkTensors("gradients", loss, ...wrt);
  if (loss.shape.length > 0 || loss.dtype !== "f32") {
    throw new TilegradError("E_SHAPE", `gradients: the loss is ${showType(loss)}; expected f32[].`, {
      hint: "Reduce it with sum or mean.",
    });
  }
  const order = topological([loss]);
  const needed = new Set<Node>(wrt.map((t) => t.node));
  const findNeeded = (nodes: readonly Node[]): void => {
    for (const node of nodes) if (node.inputs.some((t) => needed.has(t.node))) needed.add(node);
  };
  findNeeded(order);

  const upstream = new Map<Node, (Tensor | null)[]>();
  const accumulate = (to: Tensor, gradient: Tensor): void => {
    // In the order in which it is without recomputation, so that the sum has the same bits.
    let t = to;
    while (t.node.op === barrierOp) [t] = t.node.inputs;
    if (!sameShape(t.shape, gradient.shape)) {
      throw new TilegradError(
        "E_INTERNAL",
        `gradient of ${t.node.op.name} is ${showType(gradient)} for ${showType(t)}.`,
      );
    }
    const slots = upstream.get(t.node) ?? t.node.outputs.map(() => null);
    const old = slots[t.index];
    slots[t.index] = old === null ? gradient : add(old, gradient);
    upstream.set(t.node, slots);
  };
  accumulate(loss, constant(1));
  const visit = (node: Node): void => {
    const dy = upstream.get(node);
    if (!dy || !node.inputs.some((t) => needed.has(t.node))) return;
    if (node.op === rematOp) {
      // The gradient goes through a copy of the segment, so that nothing of the segment itself is kept for it.
      const copy = recompute(node, dy[0] as Tensor);
      findNeeded(copy.nodes);
      accumulate(copy.output, dy[0] as Tensor);
      for (const inner of [...copy.nodes].reverse()) visit(inner);
      return;
    }
    if (!node.op.grad) {
      throw new TilegradError("E_ARGUMENT", `gradients: ${node.op.name} has no gradient, but the loss depends on it.`);
    }
    const { inputs, attrs } = node;
    const grads = node.op.grad({ node, inputs, attrs, outputs: outputsOf(node), upstream: dy });
    inputs.forEach((t, i) => {
      const gradient = grads[i];
      if (gradient && needed.has(t.node)) accumulate(t, gradient);
    });
  };
  for (const node of order.reverse()) visit(node);
  return wrt.map((t) => upstream.get(t.node)?.[t.index] ?? constant(0, t.shape));
}
