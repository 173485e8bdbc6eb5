/** Building nodes. */
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { checkFields } from "../options.ts";
import type { Attrs, Node, OpDef, Tensor, TensorType } from "./types.ts";

const FIELDS = { node: is.object, shape: is.list };

/** Where a tensor is an option. */
export const tensorKind: Kind<Tensor> = {
  expected: "a tensor, such as a layer's x or ops.input()",
  holds: (v) =>
    is.object.holds(v) && Object.entries(FIELDS).every(([n, kind]) => kind.holds(Reflect.get(Object(v), n))),
};

/** @throws E_ARGUMENT */
export function checkTensors(op: string, ...values: readonly unknown[]): void {
  for (const value of values) checkFields(op, value, FIELDS, tensorKind.expected);
}

/** Builds a node. Every op's public function goes through here, so a bad shape fails where it is written. */
export function apply(op: OpDef, inputs: readonly Tensor[], attrs: Attrs = {}): Tensor[] {
  checkTensors(op.name, ...inputs);
  const outputs = op.shape(inputs, attrs);
  const node: Node = { op, inputs, attrs, outputs };
  return outputs.map((type, index) => ({ node, index, dtype: type.dtype, shape: type.shape }));
}

/** `apply` for ops with one output. */
export function apply1(op: OpDef, inputs: readonly Tensor[], attrs: Attrs = {}): Tensor {
  return apply(op, inputs, attrs)[0];
}

export function showType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}
