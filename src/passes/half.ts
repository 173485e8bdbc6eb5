/**
 * Mixed precision: what kernels hand to each other through memory is stored in f16, and everything is computed in f32. That
 * halves the memory of activations and of their gradients, and what crosses the bus for them. f32 stay: parameters, of which
 * large products read a copy, and optimizer slots, gradients of weights, sums and what is made of them (losses, statistics of
 * normalisation), and data.
 */
import { TilegradError } from "../errors.ts";
import { apply } from "../graph/apply.ts";
import { outputsOf, results, topological } from "../graph/traverse.ts";
import type { Graph, Node, Tensor, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { packedParts, packOp } from "../ops/core/concat.ts";
import { inputOp, stateOp } from "../ops/core/constant.ts";
import { half } from "../ops/core/half.ts";
import type { KernelLimits } from "../policy/limits.ts";
import type { FusedGraph } from "./fuse.ts";
import { fuse } from "./fuse.ts";
import { materialize } from "./materialize.ts";
import { base, findUses, readsOf } from "./reads.ts";

export const PRECISIONS = ["f32", "mixed"] as const;
export type TrainingPrecision = (typeof PRECISIONS)[number];

/** Smaller values are not worth it. */
const FEWEST = 256;

/**
 * Can kernels of a device with these limits (null: the CPU, which rounds as f16 would) compute in this precision?
 * @throws E_ARGUMENT, E_DEVICE
 */
export function checkPrecision(precision: TrainingPrecision, limits: KernelLimits | null): void {
  if (!PRECISIONS.includes(precision)) {
    throw new TilegradError("E_ARGUMENT", `precision: got "${precision}"; expected ${PRECISIONS.join(" or ")}.`);
  }
  if (precision === "f32" || !limits || limits.f16) return;
  throw new TilegradError("E_DEVICE", 'precision: got "mixed", but this adapter has no shader-f16.', {
    hint: 'Use precision "f32", or another device.',
  });
}

/** The graph in which kernels read what others computed through `half`; `limits` tell which values those are. */
export function storeInHalf(original: Graph, limits: KernelLimits, fusion: boolean): Graph {
  const graph = materialize(original);
  const { kernelOf } = fuse(graph, { limits, fusion });
  const order = topological(results(graph));
  const origins = originsOf(order);
  const chosen = chooseValues(graph, order, { kernelOf, origins });
  const made = new Map<Node, readonly Tensor[]>();
  const halves = new Map<Tensor, Tensor>();
  const copied = copiedStates(order);
  /** A value as its reader sees it: what the reader's own kernel computes is whole. */
  const read = ({ node, index }: Tensor, reader: Node | undefined): Tensor => {
    if (node.op.free && node.inputs.length > 0) {
      const inputs = node.inputs.map((t) => read(t, reader));
      return apply(node.op, inputs, node.attrs)[index];
    }
    const value = (made.get(node) as readonly Tensor[])[index];
    const stored = chosen.has(node) && (!reader || kernelOf.get(node) !== kernelOf.get(reader)) && isWorthIt(value);
    if (!stored && !(copied.has(node) && reader?.op.readsCopies)) return value;
    const known = halves.get(value) ?? half(value);
    halves.set(value, known);
    return known;
  };
  for (const node of order) {
    if (node.op.free && node.inputs.length > 0) continue;
    const inputs = node.inputs.map((t) => read(t, node));
    made.set(node, inputs.length > 0 ? apply(node.op, inputs, node.attrs) : outputsOf(node));
  }
  const whole = (t: Tensor): Tensor => read(t, undefined);
  return {
    outputs: Object.fromEntries(Object.entries(graph.outputs).map(([name, t]) => [name, whole(t)])),
    updates: graph.updates.map(({ state, value }) => ({ state: whole(state), value: whole(value) })),
  };
}

/** Rows for which a product reads a weight once, and bytes that must be saved to be worth a kernel. */
const ROWS_AT_ONCE = 64;
const LEAST_SAVED = 2 ** 20;

/**
 * Parameters that are copied to f16 at the start of the step: products of many rows read them so often that this saves more
 * bytes than the copy moves. By shapes alone, as it changes what is computed.
 */
function copiedStates(order: readonly Node[]): ReadonlySet<Node> {
  const saved = new Map<Node, number>();
  for (const node of order) {
    if (!node.op.readsCopies) continue;
    for (const { source, input } of readsOf(node)) {
      if (source.node.op !== stateOp) continue;
      const size = sizeOf(node.inputs[input].shape);
      const rows = (node.op.flops?.(node) ?? 0) / (2 * size);
      saved.set(source.node, (saved.get(source.node) ?? 0) + 2 * size * Math.ceil(rows / ROWS_AT_ONCE));
    }
  }
  const worth = [...saved].filter(([{ outputs }, bytes]) => bytes - 6 * sizeOf(outputs[0].shape) >= LEAST_SAVED);
  return new Set(worth.map(([state]) => state));
}

const isWorthIt = ({ dtype, shape }: TensorType): boolean => dtype === "f32" && sizeOf(shape) >= FEWEST;

/** The nodes whose outputs other kernels may see in f16. */
function chooseValues(
  graph: Graph,
  order: readonly Node[],
  { kernelOf, origins }: Pick<FusedGraph, "kernelOf"> & { readonly origins: ReadonlyMap<Node, number> },
): Set<Node> {
  const kept = new Set(
    [...results(graph), ...order.flatMap((n) => (n.op === packOp ? packedParts(n) : []))].map(baseNode),
  );
  const uses = findUses(order);
  // What is only added up, or copied into a result or an arena: the parts of a weight's gradient.
  const summed = new Set<Node>();
  for (const node of [...order].reverse()) {
    const users = (uses.get(node) ?? []).flat().map(({ user }) => user);
    const isSum = (user: Node): boolean => !user.op.kernel && (kept.has(user) || summed.has(user));
    if (users.every((user) => reduces(user) || isSum(user))) summed.add(node);
  }
  return new Set(
    [...kernelOf.keys()].filter(
      (node) => !kept.has(node) && !summed.has(node) && !node.op.readsBack && !staysF32(origins.get(node) as number),
    ),
  );
}

const baseNode = (t: Tensor): Node => base(t).node;

/** Reductions are the kernels that read all of their first input once. */
const reduces = ({ op }: Node): boolean => op.readsOnce?.includes(0) === true;

/** What a value is made of, in bits. */
const DATA = 1;
const STATE = 2;
const SUM = 4;

/**
 * What a kernel for matrices, images or sequences makes of more than data is an activation; other nodes pass on what they
 * read, and so does the pooling of data.
 */
function originsOf(order: readonly Node[]): Map<Node, number> {
  const origins = new Map<Node, number>();
  for (const node of order) {
    const { op, inputs } = node;
    const read = inputs.reduce((all, t) => all | (origins.get(t.node) as number), 0);
    const activates = op.kernel && read !== DATA;
    const own = op === inputOp ? DATA : op === stateOp ? STATE : reduces(node) ? SUM : activates ? DATA | STATE : read;
    origins.set(node, own);
  }
  return origins;
}

/** Made of sums and weights (a mean, 1 / sqrt(variance)), or of data alone, which may have any range. */
const staysF32 = (origin: number): boolean =>
  ((origin & SUM) !== 0 && (origin & DATA) === 0) || ((origin & DATA) !== 0 && (origin & STATE) === 0);
