/**
 * Graph -> kernels. Every computing node goes into exactly one kernel, so nothing is computed twice; free nodes (views,
 * constants, step scalars) are written into whichever kernel reads them.
 *
 * A kernel is either a *map* (one thread per element) or an *anchor* (matmul, reduction ...) with clusters of pointwise
 * nodes riding in its hooks: in a store hook (epilogue: bias, activation, an activation's gradient) or in the load hook of
 * an input that it reads exactly once (prologue: the loss and its gradient inside the reduction of the loss).
 *
 * Nodes are placed consumers first. A node joins the cluster of a consumer that reads it at the same index, unless that
 * would make two kernels wait for each other. Consumers of one node are siblings and are merged where possible, which is
 * how an optimizer's updates become one kernel.
 */
import { invariant } from "../errors.ts";
import { results, rewrite, topological } from "../graph/traverse.ts";
import type { Graph, Node, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { pack, packOp } from "../ops/concat.ts";
import { inputOp, isConstant, stateOp } from "../ops/constant.ts";
import { dynamicUpdateSliceOp } from "../ops/gather.ts";
import type { KernelLimits, OpDef } from "../ops/op.ts";
import { apply1 } from "../ops/op.ts";

/** Pointwise nodes computed at one index of `size` elements. */
export interface Cluster {
  readonly kernel: Kernel;
  readonly role: Role;
  readonly size: number;
}

/** Where a cluster rides: alone, in the load hook of input `load`, or in the store hook of output `store`. */
export type Role = { readonly map: true } | { readonly load: number } | { readonly store: number };

export class Kernel {
  readonly anchor: Node | null;
  /** In the order of the graph, anchor included. */
  nodes: Node[] = [];
  clusters: Cluster[] = [];
  /** Kernels that must run after this one; true where every reason allows the two to be one kernel. */
  readonly after = new Map<Kernel, boolean>();

  constructor(anchor: Node | null) {
    this.anchor = anchor;
  }
}

export interface FusedGraph {
  readonly graph: Graph;
  /** In an order that may be run. */
  readonly kernels: readonly Kernel[];
  readonly clusterOf: ReadonlyMap<Node, Cluster>;
  readonly kernelOf: ReadonlyMap<Node, Kernel>;
}

export interface FuseOptions {
  readonly limits: KernelLimits;
  /** Off: one kernel per computing node; for tests and for finding a faulty kernel. */
  readonly fusion: boolean;
}

const isLeaf = (node: Node): boolean => node.op === inputOp || node.op === stateOp;
const isPassive = (node: Node): boolean => node.op.free === true || node.op === packOp || isLeaf(node);

/** Elements a node's cluster runs over. */
const domain = (node: Node): number =>
  sizeOf(node.op === dynamicUpdateSliceOp ? node.inputs[1].shape : node.outputs[0].shape);

/** Does `user` read element i of its k-th input at its own index i, or (a reduction) every element once? */
const readsInPlace = (user: Node, k: number): boolean =>
  user.op.pointwise === true ||
  user.op.readsOnce?.includes(k) === true ||
  (user.op === dynamicUpdateSliceOp && k === 1);

interface Use {
  readonly user: Node;
  readonly input: number;
  /** Read at the user's own index, so that it may be a variable instead of memory. */
  readonly identity: boolean;
}

export function fuse(original: Graph, options: FuseOptions): FusedGraph {
  const graph = materializeResults(original);
  // Fusion hopes that chains will fit; where they did not, it is done again with less room for hope.
  for (let room = options.limits.maxStorageBuffers; ; room--) {
    const { most, ...fused } = place(graph, options, room);
    if (most <= options.limits.maxStorageBuffers || room === 1) return fused;
  }
}

function place(graph: Graph, options: FuseOptions, room: number): FusedGraph & { readonly most: number } {
  const order = topological(results(graph));
  const uses = findUses(order);
  const updates = graph.updates.map(({ state, value }) => ({ state: state.node, value: base(value).node }));
  const kernelOf = new Map<Node, Kernel>();
  const clusterOf = new Map<Node, Cluster>();
  const copied = new Set<Node>();
  const kernels = new Set<Kernel>();

  const position = new Map(order.map((node, i) => [node, i]));

  /** Can `from` reach `to` through at least one kernel between them, or by an edge that forbids their being one? */
  function blocked(from: Kernel, to: Kernel): boolean {
    if (from.after.get(to) === false) return true;
    const seen = new Set<Kernel>([from]);
    const stack = [...from.after.keys()].filter((k) => k !== to);
    while (stack.length > 0) {
      const k = stack.pop() as Kernel;
      if (k === to) return true;
      if (seen.has(k)) continue;
      seen.add(k);
      stack.push(...k.after.keys());
    }
    return false;
  }

  function reaches(from: Kernel, to: Kernel): boolean {
    return from === to || from.after.has(to) || blocked(from, to);
  }

  function addEdge(from: Kernel, to: Kernel, fusable: boolean): void {
    if (from !== to) from.after.set(to, (from.after.get(to) ?? true) && fusable);
  }

  /** What a kernel binds at least if it holds these nodes. Pointwise values without a place yet are hoped to join it. */
  function bindings(nodes: readonly Node[]): number {
    const inside = new Set(nodes);
    const buffers = new Set<Node | string>();
    for (const node of nodes) {
      for (const { source, identity } of buffersOf(node)) {
        const hoped = identity && !kernelOf.has(source.node) && source.node.op.pointwise === true;
        if (!inside.has(source.node) && !hoped) buffers.add(key(source));
      }
      node.outputs.forEach((_, index) => {
        const read = (uses.get(node)?.[index] ?? []).some((u) => !inside.has(u.user));
        const state = stateOf.get(node);
        const arena = arenaOf.get(node)?.[index];
        if (state && !copied.has(state)) buffers.add(key({ node: state, index: 0 }));
        else if (arena) buffers.add(key({ node: arena, index: 0 }));
        else if (read || kept.has(node)) buffers.add(key({ node, index }));
      });
    }
    return buffers.size;
  }
  const key = ({ node, index }: { node: Node; index: number }): string => `${position.get(node)}.${index}`;
  const kept = new Set(results(graph).map((t) => base(t).node));
  const stateOf = new Map(updates.map(({ state, value }) => [value, state]));
  const arenaOf = new Map<Node, Node[]>();
  for (const arena of order) {
    if (arena.op !== packOp) continue;
    for (const { node, index } of arena.inputs.map(base)) {
      kept.add(node);
      const arenas = arenaOf.get(node) ?? [];
      arenas[index] = arena;
      arenaOf.set(node, arenas);
    }
  }

  /** The cluster in which `user` reads its input: for an anchor, that of the input's load hook. */
  function readingCluster(user: Node, input: number): Cluster | undefined {
    const kernel = kernelOf.get(user);
    if (kernel?.anchor !== user) return clusterOf.get(user);
    return kernel.clusters.find((c) => "load" in c.role && c.role.load === input);
  }

  /**
   * Once `a` holds all of kernel `other`, would `node` (on the other side) exchange values and states with it within `a`
   * alone? Another cluster of one kernel is another function, at another index.
   */
  function seesOnly(node: Node, other: Kernel, a: Cluster): boolean {
    const joining = other.anchor === null && other !== a.kernel;
    for (const { source, input } of reads(node)) {
      const updated = updates.find(({ state, value }) => state === source.node && kernelOf.get(value) === other);
      if (updated && !(joining || clusterOf.get(updated.value) === a)) return false;
      if (updated && joining && readingCluster(node, input) !== a) return false;
      if (kernelOf.get(source.node) !== other) continue;
      if (joining) {
        if (readingCluster(node, input) !== a) return false;
      } else if (source.node === other.anchor) {
        if (!("store" in a.role && a.role.store === source.index)) return false;
      } else if (clusterOf.get(source.node) !== a) return false;
    }
    return true;
  }

  /** Merges b's kernel into a's if nothing stands between them; returns whether it did. */
  function merge(a: Cluster, b: Cluster): boolean {
    const into = a.kernel;
    const from = b.kernel;
    if (into === from) return a === b;
    if (a.size !== b.size || from.anchor !== null || blocked(into, from) || blocked(from, into)) return false;
    if (!from.nodes.every((n) => seesOnly(n, into, a)) || !into.nodes.every((n) => seesOnly(n, from, a))) return false;
    if (bindings([...into.nodes, ...from.nodes]) > room) return false;
    for (const [k, fusable] of from.after) addEdge(into, k, fusable);
    for (const k of kernels) {
      const edge = k.after.get(from);
      if (edge !== undefined) {
        k.after.delete(from);
        addEdge(k, into, edge);
      }
    }
    into.after.delete(from);
    into.after.delete(into);
    for (const node of from.nodes) {
      kernelOf.set(node, into);
      clusterOf.set(node, a);
    }
    into.nodes.push(...from.nodes);
    kernels.delete(from);
    return true;
  }

  /** The cluster through which a use reads its value in place, if any. */
  function clusterAt(use: Use, size: number): Cluster | null {
    if (!use.identity || !options.fusion) return null;
    const kernel = kernelOf.get(use.user) as Kernel;
    if (use.user !== kernel.anchor) {
      const cluster = clusterOf.get(use.user) as Cluster;
      return cluster.size === size ? cluster : null;
    }
    const found = kernel.clusters.find((c) => "load" in c.role && c.role.load === use.input);
    if (found) return found;
    const cluster: Cluster = { kernel, role: { load: use.input }, size };
    kernel.clusters.push(cluster);
    return cluster;
  }

  function put(node: Node, kernel: Kernel): void {
    kernel.nodes.push(node);
    kernelOf.set(node, kernel);
    for (const users of uses.get(node) ?? []) {
      for (const use of users) addEdge(kernel, kernelOf.get(use.user) as Kernel, use.identity);
    }
    // A state's readers run before its update ...
    for (const { state, value } of updates) {
      const updater = kernelOf.get(value);
      if (copied.has(state) || !updater || value === node) continue;
      for (const read of readsOf(node, state)) addEdge(kernel, updater, read.identity);
    }
    // ... or the update goes to a buffer of its own and is copied at the end.
    for (const { state, value } of updates) {
      if (value !== node) continue;
      const readers = order.filter((n) => kernelOf.has(n) && readsOf(n, state).length > 0);
      if (readers.some((n) => readsLate(n, state, kernel))) copied.add(state);
      else for (const n of readers) addEdge(kernelOf.get(n) as Kernel, kernel, readsInside(n, state));
    }
  }

  const readsInside = (node: Node, state: Node): boolean => readsOf(node, state).every((r) => r.identity);

  /** Does `reader` see `state` only after kernel `updater` may have overwritten it? */
  function readsLate(reader: Node, state: Node, updater: Kernel): boolean {
    const kernel = kernelOf.get(reader) as Kernel;
    if (kernel !== updater) return reaches(updater, kernel);
    const { value } = updates.find((u) => u.state === state) as { value: Node };
    return readsOf(reader, state).some((r) => !r.identity || readingCluster(reader, r.input) !== clusterOf.get(value));
  }

  /** Could `node` be computed in `home` without kernels waiting for each other? */
  function fits(node: Node, home: Cluster): boolean {
    const { kernel } = home;
    for (const users of uses.get(node) ?? []) {
      for (const use of users) {
        const user = kernelOf.get(use.user) as Kernel;
        if (user !== kernel ? reaches(user, kernel) : !use.identity || readingCluster(use.user, use.input) !== home) {
          return false;
        }
      }
    }
    for (const { state, value } of updates) {
      const updater = kernelOf.get(value);
      if (!updater || copied.has(state)) continue;
      for (const read of readsOf(node, state)) {
        if (updater !== kernel ? reaches(updater, kernel) : !read.identity || clusterOf.get(value) !== home) return false;
      }
    }
    return bindings([...kernel.nodes, node]) <= room;
  }

  for (const node of [...order].reverse()) {
    if (isPassive(node)) continue;
    const anchored = node.op.kernel !== undefined;
    const candidates = (index: number, size: number): Cluster[] => {
      const found = new Set<Cluster>();
      for (const use of uses.get(node)?.[index] ?? []) {
        const cluster = clusterAt(use, size);
        if (cluster) found.add(cluster);
      }
      return mergeSiblings([...found], merge);
    };
    if (anchored) {
      const kernel = new Kernel(node);
      kernels.add(kernel);
      put(node, kernel);
      node.outputs.forEach((type, index) => {
        const size = sizeOf(type.shape);
        const cluster: Cluster = { kernel, role: { store: index }, size };
        const riders = candidates(index, size).filter((c) => c.kernel.anchor === null);
        if (riders.some((c) => merge(cluster, c))) kernel.clusters.push(cluster);
      });
      continue;
    }
    const home = candidates(0, domain(node)).find((c) => fits(node, c));
    if (home) {
      clusterOf.set(node, home);
      put(node, home.kernel);
    } else {
      const kernel = new Kernel(null);
      const cluster: Cluster = { kernel, role: { map: true }, size: domain(node) };
      kernel.clusters.push(cluster);
      kernels.add(kernel);
      clusterOf.set(node, cluster);
      put(node, kernel);
    }
  }
  for (const kernel of kernels) kernel.nodes.sort((a, b) => (position.get(a) as number) - (position.get(b) as number));
  const most = Math.max(0, ...[...kernels].map((k) => bindings(k.nodes)));
  const scheduled = schedule([...kernels], position);
  // An update that would overwrite a state still to be read was computed elsewhere; it moves in when all is done.
  const moved = graph.updates.map(({ state, value }) => {
    if (!copied.has(state.node)) return { state, value };
    invariant(value.node.op !== dynamicUpdateSliceOp, `state "${state.node.attrs.name}" is read after its slice changed.`);
    const copy = apply1(copyOp, [value]);
    const kernel = new Kernel(null);
    const cluster: Cluster = { kernel, role: { map: true }, size: sizeOf(copy.shape) };
    kernel.clusters.push(cluster);
    kernel.nodes.push(copy.node);
    clusterOf.set(copy.node, cluster);
    kernelOf.set(copy.node, kernel);
    scheduled.push(kernel);
    return { state, value: copy };
  });
  return { graph: { outputs: graph.outputs, updates: moved }, kernels: scheduled, clusterOf, kernelOf, most };
}

/** Merges what can be merged; an anchor's own cluster, if there is one, takes the others in. */
function mergeSiblings(clusters: Cluster[], merge: (a: Cluster, b: Cluster) => boolean): Cluster[] {
  const ordered = clusters.sort((a, b) => Number(b.kernel.anchor !== null) - Number(a.kernel.anchor !== null));
  const left: Cluster[] = [];
  for (const cluster of ordered) if (!left.some((c) => merge(c, cluster))) left.push(cluster);
  return left;
}

/** Kernels in an order that respects `after`, otherwise that of the graph. */
function schedule(kernels: readonly Kernel[], position: ReadonlyMap<Node, number>): Kernel[] {
  const rank = (k: Kernel): number => position.get(k.nodes[0]) as number;
  const waiting = new Map(kernels.map((k) => [k, 0]));
  for (const k of kernels) for (const next of k.after.keys()) waiting.set(next, (waiting.get(next) as number) + 1);
  const ready = kernels.filter((k) => waiting.get(k) === 0);
  const done: Kernel[] = [];
  while (ready.length > 0) {
    ready.sort((a, b) => rank(b) - rank(a));
    const kernel = ready.pop() as Kernel;
    done.push(kernel);
    for (const next of kernel.after.keys()) {
      const left = (waiting.get(next) as number) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  invariant(done.length === kernels.length, "kernels wait for each other.");
  return done;
}

/** The value itself, without the reshapes around it. */
export function base(t: Tensor): Tensor {
  let found = t;
  while (found.node.op.alias) found = found.node.inputs[0];
  return found;
}

/** What a node reads from memory or from other nodes, seen through free nodes. */
export function sourcesOf(node: Node): Tensor[] {
  return reads(node).map((r) => r.source);
}

interface Read {
  readonly source: Tensor;
  readonly input: number;
  readonly identity: boolean;
}

/** What a node reads from memory, packed tensors as one. */
function buffersOf(user: Node): readonly Read[] {
  const found: Read[] = [];
  const visit = (t: Tensor, input: number, identity: boolean): void => {
    if (!isPassive(t.node) || isLeaf(t.node) || t.node.op === packOp) found.push({ source: t, input, identity });
    else for (const inner of t.node.inputs) visit(inner, input, identity && t.node.op.alias === true);
  };
  user.inputs.forEach((t, k) => visit(t, k, readsInPlace(user, k)));
  return found;
}

const readCache = new WeakMap<Node, readonly Read[]>();

function reads(user: Node): readonly Read[] {
  const known = readCache.get(user);
  if (known) return known;
  const found: Read[] = [];
  const visit = (t: Tensor, input: number, identity: boolean): void => {
    const { node } = t;
    if (!isPassive(node) || isLeaf(node)) found.push({ source: t, input, identity });
    else for (const inner of node.inputs) visit(inner, input, identity && node.op.alias === true);
  };
  user.inputs.forEach((t, k) => {
    // The state that a dynamicUpdateSlice writes to is not read.
    if (user.op !== dynamicUpdateSliceOp || k > 0) visit(t, k, readsInPlace(user, k));
  });
  readCache.set(user, found);
  return found;
}

const readsOf = (node: Node, source: Node): readonly Read[] =>
  isPassive(node) ? [] : reads(node).filter((r) => r.source.node === source);

/** Per node and output: who computes with it. */
function findUses(order: readonly Node[]): Map<Node, Use[][]> {
  const uses = new Map<Node, Use[][]>();
  for (const user of order) {
    if (isPassive(user)) continue;
    for (const { source, input, identity } of reads(user)) {
      const lists = uses.get(source.node) ?? source.node.outputs.map(() => []);
      lists[source.index].push({ user, input, identity });
      uses.set(source.node, lists);
    }
  }
  return uses;
}

/** Copies an element; what makes a view, a constant or another state's value a value with a place of its own. */
const copyOp: OpDef = {
  name: "copy",
  shape: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  reference: ({ inputs: [x], outputs: [y] }) => y.set(x),
  pointwise: true,
  inline: (code, node, index) => code.at(node.inputs[0], index),
  inline4: (code, node, index) => code.at4(node.inputs[0], index),
  flops: () => 0,
};

/** Gives every output, update and packed tensor a computing node of its own. */
function materializeResults(graph: Graph): Graph {
  const taken = new Map<Node, Set<number>>();
  const own = (t: Tensor): Tensor => {
    const { node, index } = base(t);
    const outputs = taken.get(node) ?? new Set();
    if (isPassive(node) || outputs.has(index)) return apply1(copyOp, [t]);
    taken.set(node, outputs.add(index));
    return t;
  };
  const packed = rewrite(graph, (node) => {
    // Arenas are zero to begin with, so packed zeros need no kernel.
    if (node.op !== packOp) return null;
    const inputs = node.inputs.map((t) => (isConstant(t) && t.node.attrs.value === 0 ? t : own(t)));
    return [pack(inputs, node.attrs.offsets, node.attrs.size)];
  });
  const updates = packed.updates.map(({ state, value }) => ({ state, value: own(value) }));
  const outputs = Object.fromEntries(Object.entries(packed.outputs).map(([name, t]) => [name, own(t)]));
  return { outputs, updates };
}
