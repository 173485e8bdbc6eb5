/** Leaves of the graph: constants, counters, step scalars, inputs and states. */
import { TilegradError } from "../../errors.ts";
import { apply1 } from "../../graph/apply.ts";
import type { DType, OpDef, Tensor } from "../../graph/types.ts";
import { DTYPES } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";

function literal(value: number, dtype: DType): string {
  if (dtype === "u32") return `${value}u`;
  if (dtype === "i32") return `i32(${value})`;
  if (!Number.isFinite(value))
    throw new TilegradError("E_ARGUMENT", `constant: got ${value}; expected a finite number.`);
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new TilegradError("E_ARGUMENT", `constant: ${value} overflows f32.`);
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/** Every element is `value`. The reference keeps its double precision. */
const constantOp: OpDef = {
  name: "constant",
  shape: (_, { dtype, shape }) => [{ dtype, shape }],
  grad: () => [],
  reference: ({ attrs, outputs }) => void outputs[0].fill(attrs.value),
  inline: (_, node) => literal(node.attrs.value, node.attrs.dtype),
  free: true,
  flops: () => 0,
};

/** 0, 1, 2 ... */
const iotaOp: OpDef = {
  name: "iota",
  shape: (_, { size }) => [{ dtype: "u32", shape: [size] }],
  reference: ({ outputs: [y] }) => {
    for (let i = 0; i < y.length; i++) y[i] = i;
  },
  inline: (_, __, index) => index,
  free: true,
  flops: () => 0,
};

/** A number the host gives for each step: learning rate, row offset, step number. */
const stepScalarOp: OpDef = {
  name: "stepScalar",
  shape: (_, { dtype }) => [{ dtype, shape: [] }],
  grad: () => [],
  reference: ({ attrs, outputs, step }) => {
    if (!(attrs.name in step)) throw new TilegradError("E_INTERNAL", `stepScalar "${attrs.name}" was not given.`);
    outputs[0][0] = step[attrs.name];
  },
  inline: (code, { attrs }) => code.step(attrs.name, attrs.dtype),
  free: true,
  flops: () => 0,
};

export const inputOp: OpDef = { name: "input", shape: (_, { dtype, shape }) => [{ dtype, shape }] };
export const stateOp: OpDef = { name: "state", shape: (_, { dtype, shape }) => [{ dtype, shape }] };

const ATTRS = {
  value: is.finite,
  name: is.string,
  shape: is.numberList,
  dtype: is.oneOf(...DTYPES),
  size: is.positiveInteger,
};

/** @throws E_ARGUMENT */
function leaf(op: OpDef, attrs: { readonly [K in keyof typeof ATTRS]?: unknown }): Tensor {
  for (const [name, kind] of Object.entries(ATTRS)) {
    if (name in attrs) checkValue(op.name, name, Reflect.get(attrs, name), kind);
  }
  return apply1(op, [], attrs);
}

/** A tensor whose elements are all `value`. */
export const constant = (value: number, shape: readonly number[] = [], dtype: DType = "f32"): Tensor =>
  leaf(constantOp, { value, shape, dtype });
/** 0, 1, ... size - 1: u32 [size]. */
export const iota = (size: number): Tensor => leaf(iotaOp, { size });
/** A number that the host gives anew for each step, such as a learning rate. */
export const stepScalar = (name: string, dtype: DType = "f32"): Tensor => leaf(stepScalarOp, { name, dtype });
/** A tensor the caller feeds; it stays on the device until another is fed. */
export const input = (name: string, shape: readonly number[], dtype: DType = "f32"): Tensor =>
  leaf(inputOp, { name, shape, dtype });
/** A tensor that lives on the device between steps and may be updated by the graph. */
export const state = (name: string, shape: readonly number[], dtype: DType = "f32"): Tensor =>
  leaf(stateOp, { name, shape, dtype });

export const isConstant = (x: Tensor): boolean => x.node.op === constantOp;
export const isStepScalar = (x: Tensor): boolean => x.node.op === stepScalarOp;
