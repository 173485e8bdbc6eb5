/** Final activations undone, so that losses and scores are computed from logits. */

import { apply1, checkTensors } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sigmoid } from "../ops/core/elementwise.ts";
import { softmax } from "../ops/core/reduce.ts";
import { slice } from "../ops/core/slice.ts";
import { takeSlice } from "../ops/core/take.ts";
import { reshape } from "../ops/core/view.ts";

/** What a model that ends in a sigmoid or a softmax computes before it. */
export interface Squashed {
  readonly logits: Tensor;
  /** logits [any rows, ...] -> what the model would make of them; not to be differentiated */
  readonly squash: (logits: Tensor) => Tensor;
}

/**
 * Undoes a final sigmoid or softmax, or those of outputs that lie side by side, so that losses are computed from logits
 * and nothing is lost to rounding. A softmax is e^s / sum e^s with s = z - max z, whose log-softmax is that of z.
 */
export function unsquash(output: Tensor): Squashed | null {
  checkTensors("unsquash", output);
  const { node } = output;
  const [x] = node.inputs;
  if (node.op.alias) {
    const inner = unsquash(x);
    const squash = (z: Tensor): Tensor =>
      reshape((inner as Squashed).squash(reshape(z, [-1, ...x.shape.slice(1)])), z.shape);
    return inner && { logits: reshape(inner.logits, output.shape), squash };
  }
  if (sideBySide(output)) {
    const found = node.inputs.map(unsquash);
    if (found.every((part) => part === null)) return null;
    // By the op that joined them: a model of one output brings none.
    const beside = (list: readonly Tensor[]): Tensor => apply1(node.op, list, node.attrs);
    const parts = node.inputs.map((logits, k) => found[k] ?? { logits, squash: (z: Tensor) => z });
    const squash = (z: Tensor): Tensor => {
      let begin = 0;
      const squashed = parts.map((part) => {
        const width = part.logits.shape[1];
        begin += width;
        return part.squash(takeSlice(z, [0, begin - width], [z.shape[0], width]));
      });
      return beside(squashed);
    };
    return { logits: beside(parts.map((part) => part.logits)), squash };
  }
  if (node.op.name === "sigmoid") return { logits: x, squash: sigmoid };
  if (node.op.name === "div" && x.node.op.name === "exp") {
    let total = node.inputs[1];
    while (total.node.op.free && total.node.inputs.length === 1) total = total.node.inputs[0];
    if (total.node.op.name === "reduceSum" && total.node.inputs[0].node === x.node)
      return { logits: x.node.inputs[0], squash: softmax };
  }
  return null;
}

const sideBySide = ({ node, shape }: Tensor): boolean =>
  node.op.name === "concat" && node.attrs.axis === 1 && shape.length === 2;

/** Columns [begin, begin + width) of x [batch, columns]; the very tensor that was put there, where there is one. */
export function columns(x: Tensor, begin: number, width: number): Tensor {
  if (sideBySide(x)) {
    let at = 0;
    for (const part of x.node.inputs) {
      if (begin >= at && begin + width <= at + part.shape[1]) return columns(part, begin - at, width);
      at += part.shape[1];
    }
  }
  return slice(x, [0, begin], [x.shape[0], width]);
}
