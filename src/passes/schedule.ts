/**
 * The order in which kernels run: that of the graph, but a kernel that frees more memory than it takes goes first, so that a
 * layer's weight gradient is computed before the gradient goes on to the layer below, and its activations are free.
 */
import { invariant } from "../errors.ts";
import type { Node, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Kernel } from "./kernels.ts";
import { isLeaf, readsOf } from "./reads.ts";

/** A value that one kernel stores for others. */
interface Value {
  readonly bytes: number;
  /** Kernels that have not read it yet. */
  readonly readers: Set<Kernel>;
}

/**
 * @param position the nodes' places in the graph
 * @param isFixed whether a node's values have a place of their own (updates, outputs, parts of an arena), which is never free
 */
export function schedule(
  kernels: readonly Kernel[],
  position: ReadonlyMap<Node, number>,
  isFixed: (node: Node) => boolean,
): Kernel[] {
  const { stored, read } = findValues(kernels, isFixed);
  const takes = (kernel: Kernel): number => total(stored.get(kernel) ?? []);
  const frees = (kernel: Kernel): number =>
    total([...(read.get(kernel) ?? [])].filter(({ readers }) => readers.size === 1));
  const rank = (k: Kernel): number => position.get(k.nodes[0]) as number;
  const waiting = new Map(kernels.map((k) => [k, 0]));
  for (const k of kernels) for (const next of k.followers) waiting.set(next, (waiting.get(next) as number) + 1);

  const ready = kernels.filter((k) => waiting.get(k) === 0).sort((a, b) => rank(a) - rank(b));
  const done: Kernel[] = [];
  while (ready.length > 0) {
    const freeing = ready.findIndex((k) => frees(k) > takes(k));
    const [kernel] = ready.splice(Math.max(0, freeing), 1);
    done.push(kernel);
    for (const { readers } of read.get(kernel) ?? []) readers.delete(kernel);
    for (const next of kernel.followers) {
      const left = (waiting.get(next) as number) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
    ready.sort((a, b) => rank(a) - rank(b));
  }
  invariant(done.length === kernels.length, "kernels wait for each other.");
  return done;
}

const total = (values: Iterable<Value>): number => [...values].reduce((n, { bytes }) => n + bytes, 0);

/** What each kernel stores for others, and reads of others. */
function findValues(
  kernels: readonly Kernel[],
  isFixed: (node: Node) => boolean,
): { stored: ReadonlyMap<Kernel, readonly Value[]>; read: ReadonlyMap<Kernel, ReadonlySet<Value>> } {
  const kernelOf = new Map(kernels.flatMap((kernel) => kernel.nodes.map((node) => [node, kernel] as const)));
  const values = new Map<Node, Value[]>();
  const stored = new Map<Kernel, Value[]>(kernels.map((kernel) => [kernel, []]));
  const storedValue = ({ node, index, shape }: Tensor, maker: Kernel): Value => {
    const list = values.get(node) ?? [];
    values.set(node, list);
    if (!list[index]) {
      list[index] = { bytes: (node.op.storedAs === "f16" ? 2 : 4) * sizeOf(shape), readers: new Set() };
      stored.get(maker)?.push(list[index]);
    }
    return list[index];
  };
  const read = new Map<Kernel, Set<Value>>();
  for (const kernel of kernels) {
    const found = new Set<Value>();
    for (const { source } of kernel.nodes.flatMap(readsOf)) {
      const maker = kernelOf.get(source.node);
      if (isLeaf(source.node) || isFixed(source.node) || !maker || maker === kernel) continue;
      const value = storedValue(source, maker);
      value.readers.add(kernel);
      found.add(value);
    }
    read.set(kernel, found);
  }
  return { stored, read };
}
