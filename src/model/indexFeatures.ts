/** Which features of a row a tensor holds, where it holds them as they are. */
import { interpreter } from "../cpu/interpret.ts";
import { topological } from "../graph/traverse.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";

/** The features of `row` [1, ...] that `x` is made of by moving alone (parts of it, reshaped, turned); else none. */
export function indexFeatures(row: Tensor, x: Tensor): readonly number[] {
  const moves = topological([x]).every((node) => node === row.node || (node.inputs.length > 0 && node.op.free));
  if (!moves) return [];
  // A row of its own feature numbers, moved as the model does.
  const numbers = (): Float64Array => Float64Array.from({ length: sizeOf(row.shape) }, (_, i) => i);
  const { run, outputs } = interpreter({ outputs: { x }, updates: [] }, numbers, "f64");
  run({});
  return [...new Set(outputs.x)];
}
