/** What nodes read, seen through the free nodes (views, constants) that are written into whichever kernel reads them. */
import type { Node, Tensor } from "../graph/types.ts";
import { packOp } from "../ops/core/concat.ts";
import { inputOp, stateOp } from "../ops/core/constant.ts";
import { barrierOp } from "../ops/core/remat.ts";
import { dynamicUpdateSliceOp } from "../ops/core/take.ts";

export const isLeaf = (node: Node): boolean => node.op === inputOp || node.op === stateOp;

/** Nodes that no kernel computes: leaves, free nodes, and packs, whose parts are written in place. */
export const isPassive = (node: Node): boolean => node.op.free === true || node.op === packOp || isLeaf(node);

/** The value itself, without the reshapes around it. */
export function base(t: Tensor): Tensor {
  let found = t;
  while (found.node.op.alias) found = found.node.inputs[0];
  return found;
}

/** One value that a computing node reads. */
export interface Read {
  readonly source: Tensor;
  /** Through which of its inputs. */
  readonly input: number;
  /** Element i for its own element i, or (a reduction) every element once: it may be a variable instead of memory. */
  readonly identity: boolean;
}

const readsInPlace = (user: Node, k: number): boolean =>
  user.op.pointwise === true ||
  user.op.readsOnce?.includes(k) === true ||
  (user.op === dynamicUpdateSliceOp && k === 1);

function collect(user: Node, stop: (node: Node) => boolean, awaited = true): Read[] {
  const found: Read[] = [];
  const visit = (t: Tensor, input: number, identity: boolean): void => {
    if (stop(t.node)) found.push({ source: t, input, identity });
    else {
      const { op, inputs } = t.node;
      inputs.forEach((inner, i) => {
        if (awaited || op !== barrierOp || i === 0) visit(inner, input, identity && op.alias === true && i === 0);
      });
    }
  };
  user.inputs.forEach((t, k) => {
    // The state that a dynamicUpdateSlice writes to is not read.
    if (user.op !== dynamicUpdateSliceOp || k > 0) visit(t, k, readsInPlace(user, k));
  });
  return found;
}

const known = new WeakMap<Node, readonly Read[]>();

/** The leaves and computing nodes that `user` reads, or that a barrier has it wait for. */
export function readsOf(user: Node): readonly Read[] {
  const found = known.get(user) ?? collect(user, (node) => !isPassive(node) || isLeaf(node));
  known.set(user, found);
  return found;
}

/** The same by the memory that is read: a packed tensor is one, whatever it is packed of. */
export const memoryReadsOf = (user: Node): readonly Read[] =>
  collect(user, (node) => !isPassive(node) || isLeaf(node) || node.op === packOp, false);

/** One computing node's reading of another. */
export interface Use extends Omit<Read, "source"> {
  readonly user: Node;
}

/** Per node and output: who computes with it. */
export function findUses(order: readonly Node[]): Map<Node, Use[][]> {
  const uses = new Map<Node, Use[][]>();
  for (const user of order) {
    if (isPassive(user)) continue;
    for (const { source, input, identity } of readsOf(user)) {
      const lists = uses.get(source.node) ?? source.node.outputs.map(() => []);
      lists[source.index].push({ user, input, identity });
      uses.set(source.node, lists);
    }
  }
  return uses;
}
