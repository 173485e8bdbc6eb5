/** Executes a graph in plain loops, node by node: the meaning that every other way of running it is checked against. */
import { invariant } from "../errors.ts";
import { results, topological } from "../graph/traverse.ts";
import type { DType, Elements, Graph, Node, StepValues, Tensor, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { inputOp, stateOp } from "../ops/core/constant.ts";
import { dynamicUpdateSliceOp } from "../ops/core/take.ts";

export type Precision = "f32" | "f64";

export function allocate({ dtype, shape }: TensorType, precision: Precision): Elements {
  return allocateElements(dtype, sizeOf(shape), precision);
}

function allocateElements(dtype: DType, size: number, precision: Precision): Elements {
  switch (dtype) {
    case "f32":
      return precision === "f64" ? new Float64Array(size) : new Float32Array(size);
    case "u32":
      return new Uint32Array(size);
    case "i32":
      return new Int32Array(size);
    default:
      return dtype satisfies never;
  }
}

/** A graph with memory for every value, ready to run many times. */
export interface Interpreter {
  /** Inputs and states are read from, and updates written to, the arrays bound by name. */
  run(step: StepValues): void;
  readonly outputs: Readonly<Record<string, Elements>>;
}

export function interpreter(
  graph: Graph,
  bound: (name: string, type: TensorType) => Elements,
  precision: Precision,
): Interpreter {
  const nodes = topological(results(graph));
  const arrays = new Map<Node, Elements[]>();
  const arrayOf = (t: Tensor): Elements => (arrays.get(t.node) as Elements[])[t.index];
  const calls: ((step: StepValues) => void)[] = [];
  for (const node of nodes) {
    if (node.op === inputOp || node.op === stateOp) {
      arrays.set(node, [bound(node.attrs.name, node.outputs[0])]);
      continue;
    }
    // Written where the state lives, after everything was computed.
    if (node.op === dynamicUpdateSliceOp) continue;
    const inputs = node.inputs.map(arrayOf);
    if (node.op.alias) {
      arrays.set(node, inputs);
      continue;
    }
    const { reference } = node.op;
    invariant(reference, `${node.op.name} has no reference.`);
    const outputs = node.outputs.map((type) => allocate(type, precision));
    arrays.set(node, outputs);
    const { attrs, outputs: outputTypes } = node;
    calls.push((step) => {
      for (const y of outputs) y.fill(0);
      reference({ inputs, inputTypes: node.inputs, attrs, outputs, outputTypes, step });
    });
  }
  // Values first, then states: an update may read a state that another update writes.
  const live = new Set(
    nodes.filter((n) => n.op === stateOp).map((n) => arrayOf({ node: n, index: 0, ...n.outputs[0] })),
  );
  const writes = graph.updates.map(({ state, value }) => {
    const part = value.node.op === dynamicUpdateSliceOp;
    const source = arrayOf(part ? value.node.inputs[1] : value);
    const offset = part ? arrayOf(value.node.inputs[2]) : null;
    return { target: arrayOf(state), source, offset, snapshot: live.has(source) ? source.slice() : null };
  });
  // An output that is a state's value is the one before the update.
  const kept = Object.entries(graph.outputs).map(([name, t]) => {
    const source = arrayOf(t);
    return { name, source, output: live.has(source) ? source.slice() : source };
  });
  return {
    outputs: Object.fromEntries(kept.map(({ name, output }) => [name, output])),
    run(step) {
      for (const call of calls) call(step);
      for (const { source, output } of kept) if (output !== source) output.set(source);
      for (const { source, snapshot } of writes) snapshot?.set(source);
      for (const { target, source, offset, snapshot } of writes) target.set(snapshot ?? source, offset ? offset[0] : 0);
    },
  };
}
