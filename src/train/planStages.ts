/** A compiled plan as rows of a table and as a DOT graph. */
import type { Compiled } from "../compile.ts";
import { showType } from "../graph/apply.ts";
import { topological } from "../graph/traverse.ts";
import type { Node, Tensor } from "../graph/types.ts";
import { barrierOp } from "../ops/core/remat.ts";
import type { Plan } from "../passes/plan.ts";

/** `loss` is where both meet: the loss and its gradient in one kernel; `recompute` is what a checkpoint does again. */
export type StageName = "forward" | "loss" | "recompute" | "backward" | "update";

/** One dispatch. */
export interface Stage {
  readonly stage: StageName;
  readonly kernel: string;
  readonly ops: readonly string[];
  readonly workgroups: readonly [number, number, number];
  readonly bytes: number;
  readonly flops: number;
}

/** What the recorded loss needs is forward, what writes parameters, slots or statistics is an update. */
function stageOf({ graph }: Plan): (nodes: readonly Node[]) => StageName {
  const isLoss = (name: unknown): boolean => name === "record" || name === "alive";
  const valuesOf = (loss: boolean): Tensor[] =>
    graph.updates.filter(({ state }) => isLoss(state.node.attrs.name) === loss).map(({ value }) => value);
  const forward = new Set(topological(valuesOf(true)));
  const updates = new Set(valuesOf(false).map(({ node }) => node));
  // What barriers lead to and no gradient.
  const recomputed = new Set<Node>();
  for (const node of topological(valuesOf(false))) {
    const inputs = node.op === barrierOp ? node.inputs.slice(0, 1) : node.inputs;
    const known = inputs.every((t) => forward.has(t.node) || recomputed.has(t.node) || t.node.inputs.length === 0);
    if (known && (node.op === barrierOp || inputs.some((t) => recomputed.has(t.node)))) recomputed.add(node);
  }
  return (nodes) => {
    if (nodes.some((node) => updates.has(node))) return "update";
    if (nodes.every((node) => forward.has(node))) return "forward";
    if (nodes.every((node) => recomputed.has(node))) return "recompute";
    return nodes.some((node) => forward.has(node)) ? "loss" : "backward";
  };
}

export function planStages({ plan, calls }: Compiled): Stage[] {
  const stage = stageOf(plan);
  return calls.map(({ shader, workgroups, flops, bytes }, i) => {
    const { nodes } = plan.kernels[i];
    return { stage: stage(nodes), kernel: shader, ops: nodes.map((n) => n.op.name), workgroups, bytes, flops };
  });
}

const escaped = (text: string): string => JSON.stringify(text);

/** The graph after fusion for Graphviz: a box per kernel, an arrow per tensor. */
export function planDot({ plan, calls }: Compiled): string {
  const nodes = topological(plan.graph.updates.flatMap(({ state, value }) => [state, value]));
  const ids = new Map(nodes.map((node, i) => [node, `n${i}`]));
  const label = (node: Node): string => `${node.attrs.name ?? node.op.name}\n${node.outputs.map(showType).join(" ")}`;
  const declare = (node: Node): string => `${ids.get(node)} [label=${escaped(label(node))}];`;
  const inKernel = new Set(plan.kernels.flatMap((kernel) => kernel.nodes));
  const lines = ["digraph step {", "  rankdir=LR;", '  node [shape=box, fontname="monospace"];'];
  plan.kernels.forEach((kernel, i) => {
    lines.push(`  subgraph cluster_${i} {`, `    label=${escaped(`${i + 1} ${calls[i].shader}`)};`);
    for (const node of kernel.nodes) if (ids.has(node)) lines.push(`    ${declare(node)}`);
    lines.push("  }");
  });
  for (const node of nodes) {
    if (!inKernel.has(node)) lines.push(`  ${declare(node)}`);
    for (const { node: from } of node.inputs) lines.push(`  ${ids.get(from)} -> ${ids.get(node)};`);
  }
  for (const { state, value } of plan.graph.updates) {
    lines.push(`  ${ids.get(value.node)} -> ${ids.get(state.node)} [style=dashed];`);
  }
  return [...lines, "}"].join("\n");
}
