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
import { results, topological } from "../graph/traverse.ts";
import type { Graph, Node, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { packedParts, packOp } from "../ops/core/concat.ts";
import { dynamicUpdateSliceOp } from "../ops/core/take.ts";
import type { KernelLimits } from "../policy/limits.ts";
import type { Cluster } from "./kernels.ts";
import { Kernel } from "./kernels.ts";
import { copy, materialize } from "./materialize.ts";
import type { Read, Use } from "./reads.ts";
import { base, findUses, isPassive, memoryReadsOf, readsOf } from "./reads.ts";
import { schedule } from "./schedule.ts";

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

export function fuse(original: Graph, { limits, fusion }: FuseOptions): FusedGraph {
  const graph = materialize(original);
  // Fusion hopes that chains will fit; where they did not, it is done again with less room for hope.
  for (let room = limits.maxStorageBuffers; ; room--) {
    const fuser = new Fuser(graph, room, fusion);
    fuser.placeAll();
    if (fuser.mostBindings() <= limits.maxStorageBuffers || room === 1) return fuser.finish();
  }
}

/** Elements a node's cluster runs over. */
const domain = (node: Node): number =>
  sizeOf(node.op === dynamicUpdateSliceOp ? node.inputs[1].shape : node.outputs[0].shape);

const readsFrom = (node: Node, source: Node): readonly Read[] =>
  isPassive(node) ? [] : readsOf(node).filter((r) => r.source.node === source);

class Fuser {
  private readonly graph: Graph;
  /** Storage buffers that a kernel may bind. */
  private readonly room: number;
  private readonly fusion: boolean;
  private readonly order: readonly Node[];
  private readonly position: ReadonlyMap<Node, number>;
  private readonly uses: ReadonlyMap<Node, readonly (readonly Use[])[]>;
  private readonly updates: readonly { readonly state: Node; readonly value: Node }[];
  /** Where values that must live in memory live: in a state, in an arena (per output), or in a buffer of their own. */
  private readonly stateOf: ReadonlyMap<Node, Node>;
  private readonly arenaOf = new Map<Node, Node[]>();
  private readonly kept: Set<Node>;

  private readonly kernels = new Set<Kernel>();
  private readonly kernelOf = new Map<Node, Kernel>();
  private readonly clusterOf = new Map<Node, Cluster>();
  /** States whose update cannot be written in place, because the old value is still to be read. */
  private readonly copied = new Set<Node>();

  constructor(graph: Graph, room: number, fusion: boolean) {
    this.graph = graph;
    this.room = room;
    this.fusion = fusion;
    this.order = topological(results(graph));
    this.position = new Map(this.order.map((node, i) => [node, i]));
    this.uses = findUses(this.order);
    this.updates = graph.updates.map(({ state, value }) => ({ state: state.node, value: base(value).node }));
    this.stateOf = new Map(this.updates.map(({ state, value }) => [value, state]));
    this.kept = new Set(results(graph).map((t) => base(t).node));
    for (const arena of this.order) {
      if (arena.op !== packOp) continue;
      for (const { node, index } of packedParts(arena).map(base)) {
        this.kept.add(node);
        const arenas = this.arenaOf.get(node) ?? [];
        arenas[index] = arena;
        this.arenaOf.set(node, arenas);
      }
    }
  }

  placeAll(): void {
    for (const node of [...this.order].reverse()) {
      if (isPassive(node)) continue;
      if (node.op.kernel) this.placeAnchor(node);
      else this.placePointwise(node);
    }
    const rank = (node: Node): number => this.position.get(node) as number;
    for (const kernel of this.kernels) kernel.nodes.sort((a, b) => rank(a) - rank(b));
  }

  mostBindings(): number {
    return Math.max(0, ...[...this.kernels].map((k) => this.bindings(k.nodes)));
  }

  finish(): FusedGraph {
    const { graph, kernelOf, clusterOf } = this;
    const kernels = schedule([...this.kernels], this.position, (node) => this.kept.has(node));
    // An update that would overwrite a state still to be read was computed elsewhere; it moves in when all is done.
    const updates = graph.updates.map(({ state, value }) => {
      if (!this.copied.has(state.node)) return { state, value };
      invariant(
        value.node.op !== dynamicUpdateSliceOp,
        `state "${state.node.attrs.name}" is read after its slice changed.`,
      );
      const moved = copy(value);
      kernels.push(this.newMap(moved.node));
      return { state, value: moved };
    });
    return { graph: { outputs: graph.outputs, updates }, kernels, clusterOf, kernelOf };
  }

  /** A kernel of its own; pointwise consumers of its outputs ride in its store hooks. */
  private placeAnchor(node: Node): void {
    const kernel = new Kernel(node);
    this.kernels.add(kernel);
    this.put(node, kernel);
    node.outputs.forEach((type, index) => {
      const cluster: Cluster = { kernel, role: { store: index }, size: sizeOf(type.shape) };
      const riders = this.candidates(node, index, cluster.size).filter((c) => c.kernel.anchor === null);
      if (riders.some((c) => this.merge(cluster, c))) kernel.clusters.push(cluster);
    });
  }

  /** With a consumer if possible, else a map of its own. */
  private placePointwise(node: Node): void {
    const home = this.candidates(node, 0, domain(node)).find((c) => this.fits(node, c));
    if (!home || node.op.storedAs) {
      this.kernels.add(this.newMap(node));
      return;
    }
    this.clusterOf.set(node, home);
    this.put(node, home.kernel);
  }

  private newMap(node: Node): Kernel {
    const kernel = new Kernel(null);
    const cluster: Cluster = { kernel, role: { map: true }, size: domain(node) };
    kernel.clusters.push(cluster);
    this.clusterOf.set(node, cluster);
    this.put(node, kernel);
    return kernel;
  }

  /** Clusters that read an output of `node` in place, siblings merged; an anchor's takes the others in. */
  private candidates(node: Node, index: number, size: number): Cluster[] {
    const found = new Set<Cluster>();
    for (const use of this.uses.get(node)?.[index] ?? []) {
      const cluster = this.clusterAt(use, size);
      if (cluster) found.add(cluster);
    }
    const anchored = (c: Cluster): number => Number(c.kernel.anchor !== null);
    const left: Cluster[] = [];
    for (const cluster of [...found].sort((a, b) => anchored(b) - anchored(a))) {
      if (!left.some((c) => this.merge(c, cluster))) left.push(cluster);
    }
    return left;
  }

  /** The cluster through which a use reads its value in place, if any. */
  private clusterAt({ user, input, identity }: Use, size: number): Cluster | null {
    if (!identity || !this.fusion) return null;
    const kernel = this.kernelOf.get(user) as Kernel;
    if (user !== kernel.anchor) {
      const cluster = this.clusterOf.get(user) as Cluster;
      return cluster.size === size ? cluster : null;
    }
    const found = kernel.loading(input);
    if (found) return found;
    const cluster: Cluster = { kernel, role: { load: input }, size };
    kernel.clusters.push(cluster);
    return cluster;
  }

  /** The cluster in which `user` reads its input: for an anchor, that of the input's load hook. */
  private readingCluster(user: Node, input: number): Cluster | undefined {
    const kernel = this.kernelOf.get(user);
    return kernel?.anchor === user ? kernel.loading(input) : this.clusterOf.get(user);
  }

  /** The cluster in which an output is a variable: for an anchor, that of its store hook. */
  private holds(cluster: Cluster, { node, index }: Tensor): boolean {
    if (cluster.kernel.anchor === node) return "store" in cluster.role && cluster.role.store === index;
    return this.clusterOf.get(node) === cluster;
  }

  /** Puts a node into a kernel, and the kernel before those that must wait for it. */
  private put(node: Node, kernel: Kernel): void {
    const { kernelOf, updates, copied } = this;
    kernel.nodes.push(node);
    kernelOf.set(node, kernel);
    for (const users of this.uses.get(node) ?? []) {
      for (const { user, identity } of users) kernel.precede(kernelOf.get(user) as Kernel, identity);
    }
    // A state's readers run before its update ...
    for (const { state, value } of updates) {
      const updater = kernelOf.get(value);
      if (copied.has(state) || !updater || value === node) continue;
      for (const { identity } of readsFrom(node, state)) kernel.precede(updater, identity);
    }
    // ... or the update goes to a buffer of its own and is copied at the end.
    for (const update of updates) {
      if (update.value !== node) continue;
      const readers = this.order.filter((n) => kernelOf.has(n) && readsFrom(n, update.state).length > 0);
      if (readers.some((n) => this.readsLate(n, update))) copied.add(update.state);
      else
        for (const n of readers)
          kernelOf.get(n)?.precede(
            kernel,
            readsFrom(n, update.state).every((r) => r.identity),
          );
    }
  }

  /** Would `reader` see a state only after its update may have overwritten it? */
  private readsLate(reader: Node, { state, value }: { state: Node; value: Node }): boolean {
    const kernel = this.kernelOf.get(reader) as Kernel;
    const updater = this.kernelOf.get(value) as Kernel;
    if (kernel !== updater) return updater.reaches(kernel);
    return readsFrom(reader, state).some(
      (r) => !r.identity || this.readingCluster(reader, r.input) !== this.clusterOf.get(value),
    );
  }

  /** Could `node` be computed in `home` without kernels waiting for each other? */
  private fits(node: Node, home: Cluster): boolean {
    const { kernel } = home;
    for (const users of this.uses.get(node) ?? []) {
      for (const { user, input, identity } of users) {
        const reader = this.kernelOf.get(user) as Kernel;
        if (reader !== kernel ? reader.reaches(kernel) : !identity || this.readingCluster(user, input) !== home)
          return false;
      }
    }
    for (const { state, value } of this.updates) {
      const updater = this.kernelOf.get(value);
      if (!updater || this.copied.has(state)) continue;
      for (const { identity } of readsFrom(node, state)) {
        if (updater !== kernel ? updater.reaches(kernel) : !identity || this.clusterOf.get(value) !== home)
          return false;
      }
    }
    return this.bindings([...kernel.nodes, node]) <= this.room;
  }

  /** Moves the map kernel of `b` into cluster `a` if nothing stands between them; returns whether it did. */
  private merge(a: Cluster, b: Cluster): boolean {
    const into = a.kernel;
    const from = b.kernel;
    if (into === from) return a === b;
    if (a.size !== b.size || from.anchor !== null || into.blocks(from) || from.blocks(into)) return false;
    if (!this.meetInside(a, from) || this.bindings([...into.nodes, ...from.nodes]) > this.room) return false;
    for (const node of from.nodes) {
      this.kernelOf.set(node, into);
      this.clusterOf.set(node, a);
    }
    into.absorb(from, this.kernels);
    this.kernels.delete(from);
    return true;
  }

  /**
   * Once `a` held all of `from`, would they exchange values and states within `a` alone? Another cluster of the same kernel
   * is another function, at another index.
   */
  private meetInside(a: Cluster, from: Kernel): boolean {
    const into = a.kernel;
    const updatedIn = (state: Node, kernel: Kernel): Node | undefined =>
      this.updates.find((u) => u.state === state && this.kernelOf.get(u.value) === kernel)?.value;
    const joining = from.nodes.every((node) =>
      readsOf(node).every(({ source }) => {
        const updater = updatedIn(source.node, into);
        if (updater && this.clusterOf.get(updater) !== a) return false;
        return this.kernelOf.get(source.node) !== into || this.holds(a, source);
      }),
    );
    const receiving = into.nodes.every((node) =>
      readsOf(node).every(({ source, input }) => {
        const touched = updatedIn(source.node, from) !== undefined || this.kernelOf.get(source.node) === from;
        return !touched || this.readingCluster(node, input) === a;
      }),
    );
    return joining && receiving;
  }

  /** Buffers that a kernel of these nodes binds at least. Pointwise values without a place yet are hoped to join it. */
  private bindings(nodes: readonly Node[]): number {
    const inside = new Set(nodes);
    const buffers = new Set<string>();
    const add = (node: Node, index: number): void => void buffers.add(`${this.position.get(node)}.${index}`);
    for (const node of nodes) {
      for (const { source, identity } of memoryReadsOf(node)) {
        const hoped = identity && !this.kernelOf.has(source.node) && source.node.op.pointwise === true;
        if (!inside.has(source.node) && !hoped) add(source.node, source.index);
      }
      node.outputs.forEach((_, index) => {
        const read = (this.uses.get(node)?.[index] ?? []).some((u) => !inside.has(u.user));
        const state = this.stateOf.get(node);
        const arena = this.arenaOf.get(node)?.[index];
        if (state && !this.copied.has(state)) add(state, 0);
        else if (arena) for (const k of arena.outputs.keys()) add(arena, k);
        else if (read || this.kept.has(node)) add(node, index);
      });
    }
    return buffers.size;
  }
}
