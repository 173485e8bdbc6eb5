/** The steps of some epochs, one after the other. */
import type { Block } from "./blocks.ts";

/** Where the rows of an epoch come from: `Batches`. */
export interface Epochs {
  readonly batchSize: number;
  readonly rowsPerEpoch: number;
  /** What is on the device together, one after the other; null: all rows of the epoch. */
  blocks(epoch: number): readonly (Block | null)[];
  /** The row numbers of an epoch or of its block; good until the next call. */
  order(epoch: number, block: Block | null): Uint32Array;
}

export interface StepRange {
  /** Epochs from .. to, the first without its `skip` first steps. */
  readonly from: number;
  readonly to: number;
  readonly skip: number;
  /** Updates done before the first step. */
  readonly step: number;
}

/** A cursor: `next` moves on to a step, whose values stand in the fields. A small step must not cost the host an object. */
export class Steps {
  /** The row numbers of its batch, within its block: `count` of `order` from `first` on. */
  order: Uint32Array = new Uint32Array(0);
  first = 0;
  count = 0;
  /** The rows that must be on the device; null where all are. */
  block: Block | null = null;
  endsBlock = false;
  /** Updates done before it, since the trainer was made. */
  step: number;
  rate = 0;
  private readonly epochs: Epochs;
  private readonly to: number;
  private readonly rateOf: (epoch: number, step: number) => number;
  private epoch: number;
  private blocks: readonly (Block | null)[];
  private at = -1;
  /** Rows of this block, and those of them, from the first, that are not to come. */
  private rows = 0;
  private done: number;

  /** @param rateOf the learning rate by the epoch and the number of updates done */
  constructor(epochs: Epochs, { from, to, skip, step }: StepRange, rateOf: Steps["rateOf"]) {
    this.epochs = epochs;
    this.to = to;
    this.rateOf = rateOf;
    this.epoch = from;
    this.blocks = from < to ? epochs.blocks(from) : [];
    this.done = skip * epochs.batchSize;
    this.step = step - 1;
  }

  /** False when there are no more. */
  next(): boolean {
    const { batchSize } = this.epochs;
    if (this.done >= this.rows && !this.nextBlock()) return false;
    this.first = this.done;
    this.count = Math.min(batchSize, this.rows - this.done);
    this.done += batchSize;
    this.endsBlock = this.block !== null && this.done >= this.rows;
    this.step++;
    this.rate = this.rateOf(this.epoch, this.step);
    return true;
  }

  /** The next block with rows to come. */
  private nextBlock(): boolean {
    const { batchSize, rowsPerEpoch } = this.epochs;
    while (this.done >= this.rows) {
      if (this.at + 1 < this.blocks.length) this.at++;
      else if (this.epoch + 1 < this.to) {
        this.blocks = this.epochs.blocks(++this.epoch);
        this.at = 0;
      } else return false;
      // Blocks hold whole batches, but for the last of an epoch.
      this.done -= Math.ceil(this.rows / batchSize) * batchSize;
      this.block = this.blocks[this.at];
      this.rows = this.block?.rows ?? rowsPerEpoch;
    }
    this.order = this.epochs.order(this.epoch, this.block);
    return true;
  }
}
