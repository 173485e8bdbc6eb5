/** Checks that a graph is well formed; run after every pass in tests and once per compile. */

import { invariant } from "../errors.ts";
import * as is from "../kinds.ts";
import { checkFields } from "../options.ts";
import { showType } from "./apply.ts";
import { results, topological } from "./traverse.ts";
import type { Graph } from "./types.ts";
import { sameShape } from "./types.ts";

/** The graph, once every node of it keeps the rules; `where` names it in errors. @throws E_ARGUMENT, E_INTERNAL */
export function verify(graph: Graph, where: string): Graph {
  checkFields("verify", graph, { outputs: is.object, updates: is.list }, "a graph, { outputs, updates }");
  const nodes = topological(results(graph));
  for (const { op, inputs, attrs, outputs } of nodes) {
    const inferred = op.shape(inputs, attrs);
    invariant(
      inferred.length === outputs.length &&
        inferred.every((t, i) => t.dtype === outputs[i].dtype && sameShape(t.shape, outputs[i].shape)),
      `${where}: ${op.name} claims ${outputs.map(showType)} but its rule gives ${inferred.map(showType)}.`,
    );
    for (const t of inputs) {
      const made = t.node.outputs[t.index];
      invariant(
        made && made.dtype === t.dtype && sameShape(made.shape, t.shape),
        `${where}: ${op.name} has a stale input.`,
      );
    }
  }
  const names = new Map<string, unknown>();
  for (const node of nodes) {
    if (node.op.name !== "state" && node.op.name !== "input") continue;
    invariant(!names.has(node.attrs.name), `${where}: two inputs or states are called "${node.attrs.name}".`);
    names.set(node.attrs.name, node);
  }
  const updated = new Set<unknown>();
  for (const { state, value } of graph.updates) {
    invariant(state.node.op.name === "state", `${where}: an update writes to ${state.node.op.name}, not to a state.`);
    invariant(!updated.has(state.node), `${where}: state "${state.node.attrs.name}" is updated twice.`);
    invariant(
      state.dtype === value.dtype && sameShape(state.shape, value.shape),
      `${where}: state "${state.node.attrs.name}" is ${showType(state)} but its update ${showType(value)}.`,
    );
    updated.add(state.node);
  }
  return graph;
}
