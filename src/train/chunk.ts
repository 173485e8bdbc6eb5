/** Steps that run together, and their losses. */
import type { Block } from "./blocks.ts";
import type { GradientFault } from "./gradientFault.ts";
import type { Steps } from "./steps.ts";

/** Chunks that may be on their way at once, so that the device never waits for the host. */
export const IN_FLIGHT = 2;
/** Row numbers that a chunk may hold: 256 KB of them. */
const MOST_ROWS = 2 ** 16;

/**
 * Steps that a chunk may hold, and elements of the batch order and of the loss record on the device.
 * @param largest rows of a step at most
 * @param maxQueue runs that the device queues at most
 */
export function chunkSizes(largest: number, maxQueue: number) {
  const most = Math.max(1, Math.min(maxQueue, Math.floor(MOST_ROWS / largest)));
  return { most, orderSize: IN_FLIGHT * most * largest, recordSize: IN_FLIGHT * most };
}

/** Columns rather than a list of steps, used for one chunk after another: nothing is allocated for a step. */
export class Chunk {
  /** Steps in it. */
  length = 0;
  /** Updates done before the first of them. */
  step = 0;
  /** The rows that must be on the device; null where all are. */
  block: Block | null = null;
  /** Rows and learning rate of each step. */
  readonly counts: Uint32Array;
  readonly rates: Float64Array;
  /** The losses of the steps; once they have run. */
  losses: Float32Array = new Float32Array(0);
  /** The step whose gradients were not finite, and what that began with; null where all were. */
  fault: GradientFault | null = null;
  private readonly rows: Uint32Array;
  private used = 0;
  private closed = false;

  /**
   * @param most steps that it may hold
   * @param largest rows of a step at most
   */
  constructor(most: number, largest: number) {
    this.counts = new Uint32Array(most);
    this.rates = new Float64Array(most);
    this.rows = new Uint32Array(most * largest);
  }

  /** The row numbers of all steps, one batch after the other. */
  get order(): Uint32Array {
    return this.rows.subarray(0, this.used);
  }

  /** Takes up to `most` steps, not beyond the end of a block, and none once `ended`. */
  fill(steps: Steps, most: number, ended: () => boolean): void {
    this.length = 0;
    this.used = 0;
    this.closed = false;
    this.fault = null;
    while (this.length < most && !this.closed && !ended() && steps.next()) this.add(steps);
  }

  private add({ order, first, count, block, endsBlock, step, rate }: Steps): void {
    if (this.length === 0) {
      this.step = step;
      this.block = block;
    }
    // A loop, not `set` of a subarray: most batches are small, and a view costs more than copying them.
    for (let i = 0; i < count; i++) this.rows[this.used + i] = order[first + i];
    this.used += count;
    this.counts[this.length] = count;
    this.rates[this.length] = rate;
    this.length++;
    this.closed = endsBlock;
  }
}
