/** Maximum and mean over axes, and what is made of them: softmax, log-softmax. */
import type { OpDef, Tensor } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import { f32 } from "../op.ts";
import type { AxesOptions } from "./broadcast.ts";
import { broadcastTo, reduceAxes, sum } from "./broadcast.ts";
import { div, equal, exp, log, mul, sub } from "./elementwise.ts";
import { reduceKernel, reduceReference, reduceShape } from "./reduce_kernel.ts";
import { reshape } from "./view.ts";

const maxOp: OpDef = {
  name: "reduceMax",
  shape: reduceShape("reduceMax"),
  // The maxima share the gradient equally (PyTorch's amax).
  grad: ({ inputs: [x], attrs, outputs: [y], upstream: [dy] }) => {
    const kept = x.shape.map((n, d) => (d >= attrs.begin && d < attrs.end ? 1 : n));
    const axes = x.shape.map((_, d) => d).filter((d) => d >= attrs.begin && d < attrs.end);
    const hit = equal(x, broadcastTo(reshape(y, kept), x.shape));
    return [mul(hit, div(reshape(dy as Tensor, kept), sum(hit, { axes, keepDims: true })))];
  },
  reference: reduceReference(Number.NEGATIVE_INFINITY, Math.max),
  readsOnce: [0],
  kernel: reduceKernel("max"),
  flops: (node) => sizeOf(node.inputs[0].shape),
  samples: () => [
    { inputs: [f32(1)], attrs: { begin: 0, end: 1 } },
    { inputs: [f32(3, 31, 5)], attrs: { begin: 1, end: 2 } },
    { inputs: [f32(7, 131)], attrs: { begin: 1, end: 2 } },
    { inputs: [f32(1031)], attrs: { begin: 0, end: 1 } },
  ],
};

/** Maximum over `axes` (default: all). */
export const max = (x: Tensor, options?: AxesOptions): Tensor => reduceAxes(maxOp, x, options);

/** Mean over `axes` (default: all). */
export function mean(x: Tensor, options?: AxesOptions): Tensor {
  const total = sum(x, options);
  return mul(total, sizeOf(total.shape) / sizeOf(x.shape));
}

const shifted = (x: Tensor, axis: number): Tensor => sub(x, max(x, { axes: axis, keepDims: true }));

/** e^x / sum e^x along `axis`, shifted by the maximum so that nothing overflows. */
export function softmax(x: Tensor, axis = -1): Tensor {
  const e = exp(shifted(x, axis));
  return div(e, sum(e, { axes: axis, keepDims: true }));
}

/** log softmax(x) along `axis`. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const z = shifted(x, axis);
  return sub(z, log(sum(exp(z), { axes: axis, keepDims: true })));
}

export const reduceOps = [maxOp];
