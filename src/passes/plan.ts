/**
 * Where every value lives. States and inputs have buffers of their own; packed tensors lie inside their arena; updates are
 * written where the state lives; everything else shares slots, reused as soon as the last reader has run.
 */
import { outputsOf, results, topological } from "../graph/traverse.ts";
import type { DType, Graph, Node, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { packedParts, packOp } from "../ops/core/concat.ts";
import { inputOp, stateOp } from "../ops/core/constant.ts";
import type { FusedGraph } from "./fuse.ts";
import type { Kernel } from "./kernels.ts";
import { base, readsOf } from "./reads.ts";

export interface BufferSpec {
  readonly kind: "input" | "state" | "output" | "arena" | "slot";
  /** Of the input, state or output; a number for the rest. */
  readonly name: string;
  readonly dtype: DType;
  /** Stored in f16 and read as f32. */
  readonly half: boolean;
  /** Elements. */
  size: number;
}

export const bytesOf = ({ half, size }: BufferSpec): number => (half ? 2 : 4) * size;

/** A value's place: element i is at `offset + i` of the buffer. */
export interface Place {
  readonly buffer: BufferSpec;
  readonly offset: number;
}

export interface Plan extends FusedGraph {
  readonly buffers: readonly BufferSpec[];
  /** The place of a stored value; undefined for what exists only inside a kernel. */
  placeOf(tensor: Tensor): Place | undefined;
  /** The watched pack that a value is a part of. */
  watcherOf(tensor: Tensor): Node | undefined;
}

export function plan(fused: FusedGraph): Plan {
  const { graph, kernels } = fused;
  const buffers: BufferSpec[] = [];
  const places = new Map<Node, (Place | undefined)[]>();
  const setPlace = (t: Tensor, place: Place): void => {
    const list = places.get(t.node) ?? t.node.outputs.map(() => undefined);
    list[t.index] = place;
    places.set(t.node, list);
  };
  const addBuffer: AddBuffer = (kind, name, dtype, size, half = false) => {
    const buffer = { kind, name, dtype, half, size };
    buffers.push(buffer);
    return buffer;
  };

  placeFixed(graph, fused.kernelOf, addBuffer, setPlace);
  const watchers = findWatchers(graph);

  const lastUse = new Map<Node, number[]>();
  kernels.forEach((kernel, at) => {
    for (const node of kernel.nodes) {
      for (const { source } of readsOf(node)) {
        if (fused.kernelOf.get(source.node) === kernel) continue;
        const list = lastUse.get(source.node) ?? source.node.outputs.map(() => -1);
        list[source.index] = at;
        lastUse.set(source.node, list);
      }
    }
  });
  const free: BufferSpec[] = [];
  const expiring: { at: number; buffer: BufferSpec }[] = [];
  kernels.forEach((kernel, at) => {
    for (const node of kernel.nodes) {
      node.outputs.forEach((type, index) => {
        // What no other kernel reads needs no memory, unless its own kernel reads it back.
        const last = lastUse.get(node)?.[index] ?? (peeksAt(kernel, node) ? at : -1);
        if (last < 0 || places.get(node)?.[index]) return;
        const kind = { dtype: type.dtype, half: node.op.storedAs === "f16" };
        const buffer = takeSlot(free, kind, sizeOf(type.shape)) ?? addBuffer("slot", "", kind.dtype, 0, kind.half);
        buffer.size = Math.max(buffer.size, sizeOf(type.shape));
        setPlace({ node, index, ...type }, { buffer, offset: 0 });
        expiring.push({ at: last, buffer });
      });
    }
    for (const { buffer } of expiring.filter((e) => e.at === at)) free.push(buffer);
  });
  const numbered = buffers.map((b, i) => (b.name === "" ? Object.assign(b, { name: String(i) }) : b));
  return {
    ...fused,
    buffers: numbered,
    placeOf: (t) => places.get(base(t).node)?.[base(t).index],
    watcherOf: ({ node, index }) => watchers.get(node)?.[index],
  };
}

/** By the node and the output that is a part. */
function findWatchers(graph: Graph): ReadonlyMap<Node, readonly Node[]> {
  const watchers = new Map<Node, Node[]>();
  for (const pack of topological(results(graph))) {
    if (pack.op !== packOp || pack.attrs.limit === undefined) continue;
    for (const { node, index } of packedParts(pack).map(base)) {
      const list = watchers.get(node) ?? [];
      list[index] = pack;
      watchers.set(node, list);
    }
  }
  return watchers;
}

type AddBuffer = (kind: BufferSpec["kind"], name: string, dtype: DType, size: number, half?: boolean) => BufferSpec;

/** Inputs, states, outputs, arenas, and updates inside their states. */
function placeFixed(
  graph: Graph,
  computed: ReadonlyMap<Node, unknown>,
  addBuffer: AddBuffer,
  setPlace: (t: Tensor, place: Place) => void,
): void {
  const states = new Map<Node, BufferSpec>();
  for (const node of topological(results(graph))) {
    const { op, attrs } = node;
    if (op !== inputOp && op !== stateOp && op !== packOp) continue;
    const [t] = outputsOf(node);
    const kind = op === inputOp ? "input" : op === stateOp ? "state" : "arena";
    const buffer = addBuffer(kind, attrs.name ?? "", t.dtype, sizeOf(t.shape));
    setPlace(t, { buffer, offset: 0 });
    if (op === stateOp) states.set(node, buffer);
    const parts = op === packOp ? packedParts(node) : [];
    parts.forEach((inner, k) => {
      if (computed.has(base(inner).node)) setPlace(base(inner), { buffer, offset: attrs.offsets[k] });
    });
  }
  for (const { state, value } of graph.updates) {
    setPlace(base(value), { buffer: states.get(state.node) as BufferSpec, offset: 0 });
  }
  for (const [name, t] of Object.entries(graph.outputs)) {
    setPlace(base(t), { buffer: addBuffer("output", name, t.dtype, sizeOf(t.shape)), offset: 0 });
  }
}

/** The smallest free slot that is large enough, else the largest, to be enlarged. */
function takeSlot(
  free: BufferSpec[],
  { dtype, half }: Pick<BufferSpec, "dtype" | "half">,
  size: number,
): BufferSpec | null {
  const fitting = free.filter((b) => b.dtype === dtype && b.half === half).sort((a, b) => a.size - b.size);
  const chosen = fitting.find((b) => b.size >= size) ?? fitting.at(-1);
  if (!chosen) return null;
  free.splice(free.indexOf(chosen), 1);
  return chosen;
}

function peeksAt(kernel: Kernel, node: Node): boolean {
  return kernel.anchor === node && node.op.readsBack === true;
}
