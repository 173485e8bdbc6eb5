import type { Tensor } from "../../graph/types.ts";
import { broadcastTo } from "../core/broadcast.ts";
import { cast } from "../core/cast.ts";
import { iota } from "../core/constant.ts";
import { reshape } from "../core/view.ts";

/**
 * The place of each element along an axis, f32: 0, 1, 2 ... It has the whole shape from the start, so that what is computed
 * with it fuses into one kernel.
 */
export function coordinates(shape: readonly number[], axis: number): Tensor {
  const along = reshape(
    iota(shape[axis]),
    shape.map((n, d) => (d === axis ? n : 1)),
  );
  return cast(broadcastTo(along, shape), "f32");
}
