/** Which rows each step trains on. */
import { TilegradError } from "../errors.ts";
import { shuffle } from "../random.ts";
import { BalancedOrder } from "./balancedOrder.ts";
import type { Block } from "./blocks.ts";
import { blocksOf } from "./blocks.ts";
import type { PlannedStep } from "./session.ts";

export interface OrderOptions {
  /** Default 32. The last batch of an epoch may be smaller; it is exact, not padded. */
  readonly batchSize?: number;
  /** Default true: a new order each epoch, by seed. */
  readonly shuffle?: boolean;
  /** The rows of each epoch, in order, instead of shuffling; rows may repeat or be left out, their number stays the same. */
  readonly order?: (epoch: number) => ArrayLike<number>;
  /**
   * Every batch is half positives, half negatives, for labels 0 and 1. An epoch has as many rows as the data: the rows of
   * each class come in turn, all of them before any comes again, across epochs. Default false. What the model then
   * predicts is for a prevalence of one half: `priorCorrection(0.5, prevalence)` brings it back.
   */
  readonly balancedBatches?: boolean;
}

/** Streams of random draws from here on do not belong to the model's layers or weights. */
const SHUFFLE_STREAM = 0x5f_ff_ff_ff;

export class Batches {
  readonly batchSize: number;
  /** Rows that are on the device together; 0 for all. */
  readonly blockRows: number;
  readonly rowsPerEpoch: number;
  private readonly rows: number;
  private readonly seed: number;
  private readonly options: OrderOptions;
  private readonly firstShuffle: number;
  private readonly balanced: BalancedOrder | null;

  /**
   * @param rows rows of the data
   * @param firstShuffle epochs trained before the first, so that every epoch of a trainer has an order of its own
   * @param blockRows rows that are on the device together, from `blockSize`; 0: all
   * @param labels of all rows, for balanced batches
   * @throws E_ARGUMENT for a bad batch size, an order without rows, one of rows that are not on the device together, and
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
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new TilegradError("E_ARGUMENT", `fit: got batchSize ${batchSize}; expected a positive integer.`);
    }
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

  /**
   * The steps of some epochs, from the `skip`-th of the first of them on.
   * @param step updates done before the first of them
   * @param rate learning rate by the epoch and the number of updates done
   */
  *steps(
    { from, to, skip, step }: { from: number; to: number; skip: number; step: number },
    rate: (epoch: number, step: number) => number,
  ): Generator<PlannedStep, void> {
    const { batchSize } = this;
    for (let epoch = from; epoch < to; epoch++) {
      let begin = epoch === from ? skip * batchSize : 0;
      for (const { block, rows, order: orderOf } of this.parts(epoch)) {
        const order = begin < rows ? orderOf() : null;
        for (; order && begin < rows; begin += batchSize, step++) {
          const count = Math.min(batchSize, rows - begin);
          const endsBlock = block !== null && begin + count === rows;
          yield { order, first: begin, count, block, endsBlock, step, rate: rate(epoch, step) };
        }
        begin -= Math.ceil(rows / batchSize) * batchSize;
      }
    }
  }

  /** What is on the device together, one after the other. */
  private parts(epoch: number): { block: Block | null; rows: number; order: () => Uint32Array }[] {
    const { rows, batchSize, blockRows, seed, firstShuffle } = this;
    if (blockRows === 0) return [{ block: null, rows: this.rowsPerEpoch, order: () => this.order(epoch) }];
    const shuffled = this.options.shuffle ?? true;
    const by = shuffled ? { seed, epoch: firstShuffle + epoch } : null;
    return blocksOf({ rows, batchSize, blockRows, shuffle: by }).map((block) => ({ ...block, block }));
  }

  private order(epoch: number): Uint32Array {
    const { rows, seed, rowsPerEpoch } = this;
    const { order, shuffle: shuffled = true } = this.options;
    if (order) {
      const given = order(epoch);
      if (given.length !== rowsPerEpoch) {
        throw new TilegradError(
          "E_ARGUMENT",
          `order: got ${given.length} rows for epoch ${epoch}; the first epoch has ${rowsPerEpoch}.`,
        );
      }
      for (let i = 0; i < given.length; i++) {
        if (Number.isInteger(given[i]) && given[i] >= 0 && given[i] < rows) continue;
        throw new TilegradError(
          "E_ARGUMENT",
          `order: got row ${given[i]} in epoch ${epoch}; the data has rows 0 to ${rows - 1}.`,
        );
      }
      return new Uint32Array(given);
    }
    if (this.balanced) return this.balanced.epoch(this.firstShuffle + epoch);
    if (shuffled) return shuffle(rows, seed, SHUFFLE_STREAM, this.firstShuffle + epoch);
    return Uint32Array.from({ length: rows }, (_, i) => i);
  }
}
