/** The intermediate representation: readonly nodes over statically shaped tensors. */
import type { OpDef } from "../ops/op.ts";

export const DTYPES = ["f32", "u32", "i32"] as const;
export type DType = (typeof DTYPES)[number];

/** Row-major, static shape; `[]` is a scalar. Images are NHWC, kernels HWIO, sequences [batch, time, features]. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

// biome-ignore lint/suspicious/noExplicitAny: each op types its own attributes; the IR carries any of them
export type Attrs = Readonly<Record<string, any>>;

/** One application of an op. Its inputs were built before it, so graphs cannot have cycles. */
export interface Node {
  readonly op: OpDef;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  readonly outputs: readonly TensorType[];
}

/** A symbolic tensor: the `index`-th output of a node. */
export interface Tensor extends TensorType {
  readonly node: Node;
  readonly index: number;
}

/**
 * A computation over *inputs* (fed by the caller), *states* (kept on the device between runs), with *outputs* and
 * *updates* (state <- value, all taking effect together after everything was computed).
 * Inputs and states are found by walking from outputs and updates.
 */
export interface Graph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates: readonly Update[];
}

export interface Update {
  /** A `state` tensor. */
  readonly state: Tensor;
  /** Its next value, of the same type. */
  readonly value: Tensor;
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
