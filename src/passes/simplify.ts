/** Graph -> smaller graph with the same values: one copy of equal nodes, identities folded, logarithms made stable. */

import { apply1 } from "../graph/apply.ts";
import type { Rule } from "../graph/traverse.ts";
import { outputsOf, rewrite } from "../graph/traverse.ts";
import type { Graph, Node, Tensor } from "../graph/types.ts";
import { constant, isConstant } from "../ops/core/constant.ts";
import { greater, log, mul, neg, softplus, sub } from "../ops/core/elementwise.ts";
import { reshape, transpose } from "../ops/core/view.ts";

/** Dead code needs no pass: a graph is what its results reach. */
export function simplify(graph: Graph): Graph {
  return shareEqual(rewrite(shareEqual(graph), foldIdentities));
}

const is = (x: Tensor, value: number): boolean => isConstant(x) && x.node.attrs.value === value;

const foldIdentities: Rule = (node) => {
  const [a, b, c] = node.inputs;
  switch (node.op.name) {
    case "add":
      return is(b, 0) ? [a] : is(a, 0) ? [b] : foldConstants(node, (x, y) => x + y);
    case "sub":
      return is(b, 0) ? [a] : foldConstants(node, (x, y) => x - y);
    case "mul":
      if (is(b, 1)) return [a];
      if (is(a, 1)) return [b];
      // Exact for finite values; a non-finite one is caught where the loss is recorded.
      if (is(a, 0) || is(b, 0)) return [constant(0, node.outputs[0].shape)];
      return maskBeforeUnpooling(a, b) ?? foldConstants(node, (x, y) => x * y);
    case "div":
      return is(b, 1) ? [a] : foldConstants(node, (x, y) => x / y);
    case "neg":
      return a.node.op.name === "neg" ? [a.node.inputs[0]] : foldConstants(node, (x) => -x);
    case "log":
      return stableLog(a);
    case "where":
      return isConstant(a) ? [a.node.attrs.value !== 0 ? b : c] : null;
    case "reshape":
      if (isConstant(a)) return [constant(a.node.attrs.value, node.outputs[0].shape, a.dtype)];
      return a.node.op.name === "reshape" ? [reshape(a.node.inputs[0], node.outputs[0].shape)] : null;
    case "transpose": {
      const order: readonly number[] = node.attrs.permutation;
      if (order.every((d, i) => d === i)) return [a];
      if (isConstant(a)) return [constant(a.node.attrs.value, node.outputs[0].shape, a.dtype)];
      if (a.node.op.name !== "transpose") return null;
      const inner: readonly number[] = a.node.attrs.permutation;
      const joined = order.map((d) => inner[d]);
      return [joined.every((d, i) => d === i) ? a.node.inputs[0] : transpose(a.node.inputs[0], joined)];
    }
    default:
      return null;
  }
};

/**
 * The gradient of a maximum over windows of x, times (x > 0), which relu's gradient is: the pixel that a window's gradient goes
 * to is the maximum y, so the windows' gradients times (y > 0) serve, which are fewer.
 */
function maskBeforeUnpooling({ node }: Tensor, { node: mask }: Tensor): Tensor[] | null {
  if (node.op.name !== "maxPool2dGrad" || mask.op.name !== "greater") return null;
  const [x, y, dy] = node.inputs;
  const [masked, bound] = mask.inputs;
  if (masked.node !== x.node || masked.index !== x.index || !is(bound, 0)) return null;
  return [apply1(node.op, [x, y, mul(dy, greater(y, 0))], node.attrs)];
}

/** log sigmoid(z), log(1 - sigmoid(z)) and log(e^z / s), so that a loss on probabilities is computed from logits. */
function stableLog(p: Tensor): Tensor[] | null {
  const [x, y] = p.node.inputs;
  if (p.node.op.name === "sigmoid") return [neg(softplus(neg(x)))];
  if (p.node.op.name === "sub" && is(x, 1) && y.node.op.name === "sigmoid") return [neg(softplus(y.node.inputs[0]))];
  if (p.node.op.name === "div" && x.node.op.name === "exp") return [sub(x.node.inputs[0], log(y))];
  return null;
}

function foldConstants(node: Node, js: (...x: number[]) => number): Tensor[] | null {
  if (!node.inputs.every(isConstant)) return null;
  const value = js(...node.inputs.map((x) => x.node.attrs.value));
  return Number.isFinite(Math.fround(value)) ? [constant(value, node.outputs[0].shape)] : null;
}

/** Common subexpressions: nodes with one op, equal attributes and the same inputs become one. */
function shareEqual(graph: Graph): Graph {
  const known = new Map<string, Node>();
  const numbers = new Map<Node, number>();
  const number = (node: Node): number => {
    const n = numbers.get(node) ?? numbers.size;
    numbers.set(node, n);
    return n;
  };
  return rewrite(graph, (node) => {
    if (node.outputs.length === 0) return null;
    const inputs = node.inputs.map((t) => `${number(t.node)}.${t.index}`).join(",");
    const types = node.outputs.map((t) => `${t.dtype}${t.shape}`).join(";");
    const key = `${node.op.name}|${inputs}|${types}|${JSON.stringify(node.attrs)}`;
    const first = known.get(key);
    if (!first) known.set(key, node);
    return first ? outputsOf(first) : null;
  });
}
