/** Writes composite ops out in ops that have kernels; after differentiation, so that they keep gradients of their own. */
import { rewrite } from "../graph/traverse.ts";
import type { Graph } from "../graph/types.ts";
import type { KernelLimits } from "../policy/limits.ts";
import { limitsFor } from "../policy/tuning.ts";

export const expand = (graph: Graph, limits: KernelLimits): Graph =>
  rewrite(graph, (node) => node.op.expand?.(node, limitsFor(node, limits)) ?? null);
