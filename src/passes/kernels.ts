/** Kernels in the making, and which must wait for which. */
import type { Node } from "../graph/types.ts";

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
  readonly clusters: Cluster[] = [];
  /** Kernels that must run after this one; true where every reason allows the two to be one kernel. */
  private readonly after = new Map<Kernel, boolean>();

  constructor(anchor: Node | null) {
    this.anchor = anchor;
  }

  /** The cluster in the load hook of an input of the anchor. */
  loading(input: number): Cluster | undefined {
    return this.clusters.find((c) => "load" in c.role && c.role.load === input);
  }

  /** Kernels that must run after this one. */
  get followers(): Iterable<Kernel> {
    return this.after.keys();
  }

  precede(next: Kernel, fusable: boolean): void {
    if (next !== this) this.after.set(next, (this.after.get(next) ?? true) && fusable);
  }

  /** Must `to` wait for this kernel? */
  reaches(to: Kernel): boolean {
    return this === to || this.after.has(to) || this.blocks(to);
  }

  /** Must `to` wait for another kernel that waits for this one, or for a reason that forbids their being one? */
  blocks(to: Kernel): boolean {
    if (this.after.get(to) === false) return true;
    const seen = new Set<Kernel>([this]);
    const stack = [...this.after.keys()].filter((k) => k !== to);
    while (stack.length > 0) {
      const kernel = stack.pop() as Kernel;
      if (kernel === to) return true;
      if (seen.has(kernel)) continue;
      seen.add(kernel);
      stack.push(...kernel.after.keys());
    }
    return false;
  }

  /** Takes over the nodes of `other` and its place in the order; `all` are the kernels that may wait for it. */
  absorb(other: Kernel, all: Iterable<Kernel>): void {
    for (const [next, fusable] of other.after) this.precede(next, fusable);
    for (const kernel of all) {
      const fusable = kernel.after.get(other);
      if (fusable === undefined) continue;
      kernel.after.delete(other);
      kernel.precede(this, fusable);
    }
    this.after.delete(other);
    this.after.delete(this);
    this.nodes.push(...other.nodes);
  }
}
