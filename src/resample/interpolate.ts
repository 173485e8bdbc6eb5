/** Synthetic rows on the line between two rows: what SMOTE and its relatives share. */
import { draws } from "../random.ts";
import type { FeatureRows } from "./neighbors.ts";
import { RESAMPLE_STREAM } from "./types.ts";

/** From where rows are made, and towards where. */
export interface Segments {
  /** Row `base(s)` of it is where sample s starts. */
  readonly from: FeatureRows;
  /** Row `neighbors[k * base + draw]` of it is where it goes. */
  readonly to: FeatureRows;
  /** [from.rows, k] */
  readonly neighbors: ArrayLike<number>;
  readonly k: number;
  /** Bases of the samples, one each; default drawn from all rows of `from`. */
  readonly bases?: ArrayLike<number>;
  /** lambda is uniform in [0, this); default 1. */
  readonly reach?: number;
}

/** Which two rows a sample lies between. */
export interface Segment {
  readonly base: number;
  readonly neighbor: number;
  readonly lambda: number;
}

/** The segment of sample s: a pure function of seed and s. `step` tells calls of one method apart. */
export function segments(
  { from, neighbors, k, bases, reach = 1 }: Omit<Segments, "to">,
  seed: number,
  step = 0,
): (sample: number) => Segment {
  const base = draws(seed, RESAMPLE_STREAM.base, step);
  const neighbor = draws(seed, RESAMPLE_STREAM.neighbor, step);
  const lambda = draws(seed, RESAMPLE_STREAM.lambda, step);
  return (sample) => {
    const row = bases ? bases[sample] : base.integer(sample, from.rows);
    return {
      base: row,
      neighbor: neighbors[row * k + neighbor.integer(sample, k)],
      lambda: reach * lambda.uniform(sample),
    };
  };
}

/** `count` rows x = a + lambda (b - a) (Chawla et al. 2002), f32 [count, columns]. */
export function interpolate(lines: Segments, count: number, seed: number, step = 0): Float32Array {
  const { from, to } = lines;
  const { columns } = from;
  const made = new Float32Array(count * columns);
  const segment = segments(lines, seed, step);
  for (let s = 0; s < count; s++) {
    const { base, neighbor, lambda } = segment(s);
    for (let c = 0; c < columns; c++) {
      const a = from.data[base * columns + c];
      made[s * columns + c] = a + lambda * (to.data[neighbor * columns + c] - a);
    }
  }
  return made;
}
