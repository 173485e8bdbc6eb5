/** Which rows each step trains on. */
import { TilegradError } from "../errors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { shuffleInPlace } from "../random.ts";
import { BalancedOrder } from "./balancedOrder.ts";
import type { Block } from "./blocks.ts";
import { blocksOf } from "./blocks.ts";
import type { Epochs, StepRange } from "./steps.ts";
import { Steps } from "./steps.ts";

export const ORDER_OPTIONS = {
  /** Default 32. The last batch of an epoch may be smaller; it is exact, not padded. */
  batchSize: is.positiveInteger,
  /** Default true: a new order each epoch, by seed. */
  shuffle: is.boolean,
  /** The rows of each epoch, in order, instead of shuffling; rows may repeat or be left out, their number stays the same. */
  order: is.callable as Kind<(epoch: number) => ArrayLike<number>>,
  /**
   * Every batch is half positives, half negatives, for labels 0 and 1. An epoch has as many rows as the data: the rows of
   * each class come in turn, all of them before any comes again, across epochs. Default false. What the model then
   * predicts is for a prevalence of one half: `priorCorrection(0.5, prevalence)` brings it back.
   */
  balancedBatches: is.boolean,
};

export interface OrderOptions extends OptionsOf<typeof ORDER_OPTIONS> {}

/** Streams of random draws from here on do not belong to the model's layers or weights. */
const SHUFFLE_STREAM = 0x5f_ff_ff_ff;
/** All rows are on the device. */
const WHOLE = [null];

export class Batches implements Epochs {
  readonly batchSize: number;
  /** Rows that are on the device together; 0 for all. */
  readonly blockRows: number;
  readonly rowsPerEpoch: number;
  private readonly rows: number;
  private readonly seed: number;
  private readonly options: OrderOptions;
  private readonly firstShuffle: number;
  private readonly balanced: BalancedOrder | null;
  /** The rows of the epoch at hand, in order; none where rows come in blocks, or balanced. */
  private readonly listed: Uint32Array;

  /**
   * @param rows rows of the data
   * @param firstShuffle epochs trained before the first, so that every epoch of a trainer has an order of its own
   * @param blockRows rows that are on the device together, from `blockSize`; 0: all
   * @param labels of all rows, for balanced batches
   * @throws E_ARGUMENT for an order without rows, one of rows that are not on the device together, and
   *   balanced batches of such rows; E_DATA for balanced batches of other labels than 0 and 1
   */
  constructor(
    rows: number,
    seed: number,
    options: OrderOptions,
    firstShuffle: number,
    blockRows = 0,
    labels: Float32Array | null = null,
  ) {
    const { batchSize = 32, order, shuffle: shuffled = true, balancedBatches = false } = options;
    if (order && blockRows > 0) {
      throw new TilegradError("E_ARGUMENT", "order: the rows are streamed; expected rows that fit on the device.", {
        hint: "Leave `order` out: streamed rows are shuffled in blocks.",
      });
    }
    if (balancedBatches && (order || blockRows > 0 || !labels)) {
      const got = order ? "an `order`, too" : "rows that are streamed";
      throw new TilegradError("E_ARGUMENT", `balancedBatches: got ${got}; expected rows that fit on the device.`, {
        hint: order ? "Leave one of them out." : "Use classWeight instead.",
      });
    }
    this.balanced = balancedBatches && labels ? new BalancedOrder(labels, rows, seed, shuffled) : null;
    this.batchSize = batchSize;
    this.blockRows = blockRows;
    this.rows = rows;
    this.seed = seed;
    this.options = options;
    this.firstShuffle = firstShuffle;
    this.rowsPerEpoch = order ? order(0).length : rows;
    if (this.rowsPerEpoch === 0) throw new TilegradError("E_ARGUMENT", "order: got no rows; expected one or more.");
    this.listed = new Uint32Array(blockRows === 0 && !this.balanced ? this.rowsPerEpoch : 0);
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.rowsPerEpoch / this.batchSize);
  }

  /** The batch sizes that occur, each of which needs a plan: the full one, the tail's. */
  get sizes(): number[] {
    const tail = this.rowsPerEpoch % this.batchSize;
    const sizes = this.rowsPerEpoch >= this.batchSize ? [this.batchSize] : [];
    return tail > 0 ? [...sizes, tail] : sizes;
  }

  /** The steps of some epochs. @param rate learning rate by the epoch and the number of updates done */
  steps(range: StepRange, rate: (epoch: number, step: number) => number): Steps {
    return new Steps(this, range, rate);
  }

  blocks(epoch: number): readonly (Block | null)[] {
    const { rows, batchSize, blockRows, seed, firstShuffle } = this;
    if (blockRows === 0) return WHOLE;
    const shuffled = this.options.shuffle ?? true;
    return blocksOf({ rows, batchSize, blockRows, shuffle: shuffled ? { seed, epoch: firstShuffle + epoch } : null });
  }

  order(epoch: number, block: Block | null): Uint32Array {
    const { seed, listed, firstShuffle } = this;
    const { order, shuffle: shuffled = true } = this.options;
    if (block) return block.order();
    if (order) return this.listGiven(order(epoch), epoch);
    if (this.balanced) return this.balanced.epoch(firstShuffle + epoch);
    for (let i = 0; i < listed.length; i++) listed[i] = i;
    return shuffled ? shuffleInPlace(listed, seed, SHUFFLE_STREAM, firstShuffle + epoch) : listed;
  }

  private listGiven(given: ArrayLike<number>, epoch: number): Uint32Array {
    const { rows, listed } = this;
    if (given.length !== listed.length) {
      throw new TilegradError(
        "E_ARGUMENT",
        `order: got ${given.length} rows for epoch ${epoch}; the first epoch has ${listed.length}.`,
      );
    }
    for (let i = 0; i < given.length; i++) {
      if (!(Number.isInteger(given[i]) && given[i] >= 0 && given[i] < rows)) {
        throw new TilegradError(
          "E_ARGUMENT",
          `order: got row ${given[i]} in epoch ${epoch}; the data has rows 0 to ${rows - 1}.`,
        );
      }
      listed[i] = given[i];
    }
    return listed;
  }
}
