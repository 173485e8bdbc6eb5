/** Slicing and its adjoint, zero padding. */

import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { InlineCode, OpDef, Tensor } from "../../graph/types.ts";
import { sameShape } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { f32, shapeError, stridesOf, walk } from "../op.ts";
import { dot, takeSliceOp } from "./take.ts";

const sliceOp: OpDef = {
  ...takeSliceOp,
  grad: ({ inputs: [x], attrs, upstream: [dy] }) => [
    pad(
      dy as Tensor,
      x.shape.map((n, d) => [attrs.begin[d], n - attrs.begin[d] - attrs.size[d]] as const),
    ),
  ],
  samples: () => [
    { inputs: [f32(5)], attrs: { begin: [1], size: [3] } },
    { inputs: [f32(4, 7)], attrs: { begin: [1, 2], size: [3, 4] } },
    { inputs: [f32(3, 2, 5)], attrs: { begin: [0, 1, 0], size: [3, 1, 5] } },
    { inputs: [f32(40, 20)], attrs: { begin: [3, 8], size: [32, 12] } },
    { inputs: [f32(40, 20)], attrs: { begin: [3, 5], size: [32, 12] } },
  ],
};

const padOp: OpDef = {
  name: "pad",
  shape: ([x], { before, shape }) => {
    if (before.length !== x.shape.length || x.shape.some((n, d) => before[d] < 0 || before[d] + n > shape[d])) {
      throw shapeError("pad", [x], `padding of at least 0 on every side, to [${shape.join(", ")}]`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  grad: ({ inputs: [x], attrs, upstream: [dy] }) => [slice(dy as Tensor, attrs.before, x.shape)],
  reference: ({ inputs: [x], inputTypes, attrs, outputs: [y], outputTypes }) => {
    const strides = stridesOf(outputTypes[0].shape);
    walk(
      inputTypes[0].shape,
      strides,
      (i, to) => {
        y[to] = x[i];
      },
      dot(attrs.before, strides),
    );
  },
  inline: (code, node, index) => {
    const [x] = node.inputs;
    const { inside, offset } = padded(code, index, x.shape, node.outputs[0].shape, node.attrs.before);
    if (inside === null) return code.at(x, offset);
    return `select(${x.dtype}(0), ${code.at(x, code.let(`select(0u, ${offset}, ${inside})`))}, ${inside})`;
  },
  flops: () => 0,
  samples: () => [
    { inputs: [f32(3)], attrs: { before: [2], shape: [6] } },
    { inputs: [f32(2, 3)], attrs: { before: [1, 0], shape: [4, 5] } },
    { inputs: [f32(2, 3, 1)], attrs: { before: [0, 2, 1], shape: [2, 6, 3] } },
  ],
};

/** Where element `index` of the padded shape lies in x: whether inside, and at which linear index. */
function padded(
  code: InlineCode,
  index: string,
  from: readonly number[],
  to: readonly number[],
  before: readonly number[],
): { inside: string | null; offset: string } {
  const strides = stridesOf(to);
  const fromStrides = stridesOf(from);
  const tests: string[] = [];
  const terms: string[] = [];
  from.forEach((n, d) => {
    let at = strides[d] === 1 ? index : code.let(`${index} / ${code.dim(strides[d])}`);
    if (d > 0) at = code.let(`${at} % ${code.dim(to[d])}`);
    // An index before the start wraps to a large u32, so one comparison tests both sides.
    if (before[d] > 0) at = code.let(`${at} - ${code.dim(before[d])}`);
    if (n !== to[d]) tests.push(`${at} < ${code.dim(n)}`);
    terms.push(fromStrides[d] === 1 ? at : `${at} * ${code.dim(fromStrides[d])}`);
  });
  const inside = tests.length === 0 ? null : code.let(tests.map((t) => `(${t})`).join(" && "));
  return { inside, offset: terms.length === 0 ? "0u" : code.let(terms.join(" + ")) };
}

/** The box of `size` that starts at `begin`. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  checkTensors("slice", x);
  checkValue("slice", "begin", begin, is.numberList);
  checkValue("slice", "size", size, is.numberList);
  return sameShape(size, x.shape) ? x : apply1(sliceOp, [x], { begin, size });
}

/** Zeros around x: [before, after] for each axis. */
export function pad(x: Tensor, padding: readonly (readonly [number, number])[]): Tensor {
  checkTensors("pad", x);
  checkValue("pad", "padding", padding, is.list);
  for (const sides of padding) checkValue("pad", "padding of an axis", sides, is.numberList);
  if (padding.length !== x.shape.length) {
    throw new TilegradError("E_ARGUMENT", `pad: got ${padding.length} pairs for ${x.shape.length} axes.`);
  }
  if (padding.every(([a, b]) => a === 0 && b === 0)) return x;
  const shape = x.shape.map((n, d) => n + padding[d][0] + padding[d][1]);
  return apply1(padOp, [x], { before: padding.map(([a]) => a), shape });
}

export const sliceOps = [sliceOp, padOp];
