import fc from "fast-check";
import { TilegradError } from "../../src/errors.ts";

/** The TilegradError that `run` throws. */
export function errorOf(run: () => unknown): TilegradError {
  try {
    run();
  } catch (error) {
    if (error instanceof TilegradError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

export interface ScoredRows {
  y: number[];
  scores: number[];
  /** Whole numbers 0 to 3, not all 0. */
  weight: number[];
}

/** Rows of both classes with many ties among their scores, which are multiples of 1/16 in [0, 1]. */
export const scoredRows: fc.Arbitrary<ScoredRows> = fc
  .array(
    fc.record({
      y: fc.integer({ min: 0, max: 1 }),
      score: fc.integer({ min: 0, max: 16 }).map((k) => k / 16),
      weight: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .map((rows) => ({
    y: [0, 1, ...rows.map((r) => r.y)],
    scores: [0.5, 0.25, ...rows.map((r) => r.score)],
    weight: [1, 2, ...rows.map((r) => r.weight)],
  }));

/** Each row written as many times as its weight. */
export function repeatRows({ y, scores, weight }: ScoredRows): { y: number[]; scores: number[] } {
  const repeat = (values: number[]) => values.flatMap((value, i) => new Array<number>(weight[i]).fill(value));
  return { y: repeat(y), scores: repeat(scores) };
}
