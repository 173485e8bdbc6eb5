/** Joining tensors: along an axis, and into a flat arena. */

import { TilegradError } from "../../errors.ts";
import { apply, apply1, checkTensors } from "../../graph/apply.ts";
import type { Node, OpDef, Tensor } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32, resolveAxis, shapeError } from "../op.ts";
import { slice } from "./slice.ts";

const concatOp: OpDef = {
  name: "concat",
  shape: (inputs, { axis }) => {
    const [first] = inputs;
    const fits = inputs.every(
      (t) =>
        t.dtype === first.dtype &&
        t.shape.length === first.shape.length &&
        t.shape.every((n, d) => d === axis || n === first.shape[d]),
    );
    if (!fits) throw shapeError("concat", inputs, `shapes equal but for axis ${axis}`);
    const total = inputs.reduce((n, t) => n + t.shape[axis], 0);
    return [{ dtype: first.dtype, shape: first.shape.map((n, d) => (d === axis ? total : n)) }];
  },
  grad: ({ inputs, attrs: { axis }, upstream: [dy] }) => {
    let start = 0;
    return inputs.map((x) => {
      const begin = x.shape.map((_, d) => (d === axis ? start : 0));
      start += x.shape[axis];
      return slice(dy as Tensor, begin, x.shape);
    });
  },
  reference: ({ inputs, inputTypes, attrs: { axis }, outputs: [y], outputTypes: [type] }) => {
    const inner = sizeOf(type.shape.slice(axis + 1));
    const outer = sizeOf(type.shape.slice(0, axis));
    const row = type.shape[axis] * inner;
    let start = 0;
    inputs.forEach((x, k) => {
      const width = inputTypes[k].shape[axis] * inner;
      for (let o = 0; o < outer; o++) y.set(x.subarray(o * width, (o + 1) * width), o * row + start);
      start += width;
    });
  },
  inline: (code, node, index) => {
    const { axis } = node.attrs;
    const { shape } = node.outputs[0];
    const row = sizeOf(shape.slice(axis));
    const inner = sizeOf(shape.slice(axis + 1));
    const rowDim = code.dim(row);
    const within = code.let(`${index} % ${rowDim}`);
    const outer = code.let(`${index} / ${rowDim}`);
    let start = 0;
    let value = "";
    for (const x of node.inputs) {
      const width = x.shape[axis] * inner;
      // Outside its piece the index is clamped and the element read is dropped by a later select.
      const local = start === 0 ? within : code.let(`${within} - ${code.dim(start)}`);
      const clamped = code.let(`${outer} * ${code.dim(width)} + min(${local}, ${code.dim(width)} - 1u)`);
      const element = code.at(x, clamped);
      value = start === 0 ? element : `select(${value}, ${element}, ${within} >= ${code.dim(start)})`;
      start += width;
    }
    return value;
  },
  flops: () => 0,
  samples: () => [
    { inputs: [f32(1), f32(1)], attrs: { axis: 0 } },
    { inputs: [f32(2, 3), f32(2, 5), f32(2, 1)], attrs: { axis: 1 } },
    { inputs: [f32(2, 3, 2), f32(4, 3, 2)], attrs: { axis: 0 } },
  ],
};

/**
 * Tensors laid into one flat arena [size] at given offsets, zeros between. The memory planner lets each producer write
 * to its place, so that packing costs nothing; an optimizer then takes all gradients in one kernel.
 *
 * A pack that is *watched* (see `packWatched`) has two more inputs and a second output: the fault.
 */
export const packOp: OpDef = {
  name: "pack",
  shape: (inputs, { offsets, size, limit }) => {
    const parts = inputs.slice(0, offsets.length);
    const fits = parts.every((x, k) => x.dtype === "f32" && offsets[k] + sizeOf(x.shape) <= (offsets[k + 1] ?? size));
    if (!fits) throw shapeError("pack", inputs, `places that do not overlap in [${size}]`);
    return limit === undefined ? [f32(size)] : [f32(size), f32()];
  },
  reference: ({ inputs, attrs: { offsets, limit }, outputs: [y, fault] }) => {
    const parts = inputs.slice(0, offsets.length);
    for (const [k, x] of parts.entries()) y.set(x, offsets[k]);
    if (!fault) return;
    const [before, place] = inputs.slice(offsets.length);
    const bad = parts.some((x) => x.some((v) => isBeyond(v, limit)));
    fault[0] = before[0] === 0 && bad ? 1 + place[0] : before[0];
  },
  flops: () => 0,
};

/** What a watched pack takes for a fault. */
export const isBeyond = (value: number, limit: number): boolean => !(Math.abs(value) < limit);

/** The tensors that a pack lays side by side. */
export const packedParts = ({ inputs, attrs }: Node): readonly Tensor[] => inputs.slice(0, attrs.offsets.length);

/** A kernel may bind eight buffers, one of them its output; longer lists are joined by parts. */
const MOST_INPUTS = 6;

/** Joins along `axis`. */
export function concat(tensors: readonly Tensor[], axis = -1): Tensor {
  checkValue("concat", "tensors", tensors, is.list);
  checkTensors("concat", ...tensors);
  if (tensors.length === 0) throw new TilegradError("E_ARGUMENT", "concat: got no tensors; expected 1 or more.");
  if (tensors.length === 1) return tensors[0];
  if (tensors.length > MOST_INPUTS) {
    const size = Math.ceil(tensors.length / MOST_INPUTS);
    const parts = Array.from({ length: Math.ceil(tensors.length / size) }, (_, i) =>
      tensors.slice(i * size, (i + 1) * size),
    );
    return concat(
      parts.map((part) => concat(part, axis)),
      axis,
    );
  }
  return apply1(concatOp, tensors, { axis: resolveAxis("concat", axis, tensors[0].shape.length) });
}

export const pack = (tensors: readonly Tensor[], offsets: readonly number[], size: number): Tensor =>
  apply1(packOp, tensors, { offsets, size });

/**
 * `pack` by kernels that look at each element they write, which costs no dispatch: the fault, a scalar, is 0 until one of them
 * is NaN or at least `limit` large, then 1 + the `place` where that happened first.
 * @param fault the state that holds it; the graph must update it with what is given back
 * @param place a step scalar u32, below 2^24
 */
export function packWatched(
  tensors: readonly Tensor[],
  offsets: readonly number[],
  size: number,
  { fault, place, limit }: { readonly fault: Tensor; readonly place: Tensor; readonly limit: number },
): { readonly packed: Tensor; readonly fault: Tensor } {
  const [packed, next] = apply(packOp, [...tensors, fault, place], { offsets, size, limit });
  return { packed, fault: next };
}

export const concatOps = [concatOp];
