import type { NumberList } from "./check.ts";
import { descendingOrder } from "./order.ts";

/** A non-decreasing function through the points (x, y), linear between them and constant beyond. Plain JSON. */
export interface Monotone {
  /** Ascending. */
  readonly x: readonly number[];
  /** Non-decreasing, same length. */
  readonly y: readonly number[];
}

/** Neighbouring scores that share one fitted value, sum / weight. */
interface Block {
  readonly low: number;
  high: number;
  sum: number;
  weight: number;
}

/**
 * The non-decreasing function of `scores` nearest to `targets` in weighted least squares, by pooling adjacent
 * violators (Ayer et al. 1955). Rows of equal score are pooled first. Inputs must be checked and hold a weight above 0.
 */
export function fitIsotonic(targets: NumberList, scores: NumberList, sampleWeight?: NumberList): Monotone {
  const blocks: Block[] = [];
  for (const block of tiedBlocks(targets, scores, sampleWeight)) {
    blocks.push(block);
    while (blocks.length > 1 && mean(blocks[blocks.length - 2]) >= mean(blocks[blocks.length - 1])) {
      const above = blocks.pop() as Block;
      const below = blocks[blocks.length - 1];
      below.high = above.high;
      below.sum += above.sum;
      below.weight += above.weight;
    }
  }
  const x: number[] = [];
  const y: number[] = [];
  for (const block of blocks) {
    for (const end of block.low === block.high ? [block.low] : [block.low, block.high]) {
      x.push(end);
      y.push(mean(block));
    }
  }
  return { x, y };
}

const mean = (block: Block): number => block.sum / block.weight;

/** One block per distinct score, ascending. */
function tiedBlocks(targets: NumberList, scores: NumberList, sampleWeight?: NumberList): Block[] {
  const blocks: Block[] = [];
  for (const i of descendingOrder(scores).reverse()) {
    const weight = sampleWeight === undefined ? 1 : sampleWeight[i];
    if (weight === 0) continue;
    const last = blocks[blocks.length - 1];
    if (last?.high === scores[i]) {
      last.sum += weight * targets[i];
      last.weight += weight;
    } else {
      blocks.push({ low: scores[i], high: scores[i], sum: weight * targets[i], weight });
    }
  }
  return blocks;
}

/** The value of a monotone function at `score`. */
export function evaluateMonotone({ x, y }: Monotone, score: number): number {
  let below = 0; // binary search: x[below] <= score < x[above]
  let above = x.length - 1;
  if (score <= x[below]) return y[below];
  if (score >= x[above]) return y[above];
  while (above - below > 1) {
    const middle = (below + above) >>> 1;
    if (x[middle] <= score) below = middle;
    else above = middle;
  }
  return y[below] + ((score - x[below]) / (x[above] - x[below])) * (y[above] - y[below]);
}
