/** Walking and rewriting graphs. Passes are pure: they return new nodes and share what did not change. */
import * as is from "../kinds.ts";
import { checkFields } from "../options.ts";
import { apply } from "./apply.ts";
import type { Graph, Node, Tensor } from "./types.ts";

/** What a graph must compute: outputs, then updates. */
export function results(graph: Graph): Tensor[] {
  checkFields("graph", graph, { outputs: is.object, updates: is.list }, "{ outputs, updates }");
  return [...Object.values(graph.outputs), ...graph.updates.flatMap(({ state, value }) => [state, value])];
}

/** Every node that `tensors` need, inputs before users, in a stable order. Iterative: graphs may be deep. */
export function topological(tensors: readonly Tensor[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const { node: root } of tensors) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        const { node } = top.node.inputs[top.next++];
        if (!seen.has(node)) {
          seen.add(node);
          stack.push({ node, next: 0 });
        }
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** A rewrite rule: the outputs that replace a node's (its inputs are rewritten already), or null to keep it. */
export type Rule = (node: Node) => readonly Tensor[] | null;

export const outputsOf = (node: Node): Tensor[] =>
  node.outputs.map((type, index) => ({ node, index, dtype: type.dtype, shape: type.shape }));

/** Rewrites bottom-up, each node once. */
export function rewrite(graph: Graph, rule: Rule): Graph {
  const replaced = new Map<Node, readonly Tensor[]>();
  const follow = (t: Tensor): Tensor => replaced.get(t.node)?.[t.index] ?? t;
  for (const node of topological(results(graph))) {
    const inputs = node.inputs.map(follow);
    const same = inputs.every((t, i) => t.node === node.inputs[i].node && t.index === node.inputs[i].index);
    const current = same ? outputsOf(node) : apply(node.op, inputs, node.attrs);
    replaced.set(node, rule(current.length === 0 ? node : current[0].node) ?? current);
  }
  return {
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, t]) => [name, follow(t)])),
    updates: graph.updates.map(({ state, value }) => ({ state: follow(state), value: follow(value) })),
  };
}
