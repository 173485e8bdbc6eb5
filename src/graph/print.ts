/** Stable text of a graph, for snapshots and for reading. */
import { showType } from "./apply.ts";
import { results, topological } from "./traverse.ts";
import type { Graph, Tensor } from "./types.ts";

function attribute(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

/** One line a node, `%3 = add(%1, %2) : f32[4]`, then outputs and updates. */
export function print(graph: Graph): string {
  const nodes = topological(results(graph));
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  const ref = ({ node, index }: Tensor): string => `%${numbers.get(node)}${node.outputs.length > 1 ? `.${index}` : ""}`;
  const lines = nodes.map((node) => {
    const attrs = Object.entries(node.attrs)
      .filter(([key]) => key !== "shape" && key !== "dtype")
      .map(([key, value]) => `${key}=${attribute(value)}`);
    const args = [...node.inputs.map(ref), ...attrs].join(", ");
    return `%${numbers.get(node)} = ${node.op.name}(${args}) : ${node.outputs.map(showType).join(", ")}`;
  });
  for (const [name, t] of Object.entries(graph.outputs)) lines.push(`output ${name} = ${ref(t)}`);
  for (const { state, value } of graph.updates) lines.push(`update ${state.node.attrs.name} <- ${ref(value)}`);
  return `${lines.join("\n")}\n`;
}
