/** The order of epochs whose batches are half positives, half negatives. */
import { TilegradError } from "../errors.ts";
import { shuffleInPlace } from "../random.ts";

/** Of the negatives; that of the positives is the next. */
const BALANCE_STREAM = 0x5f_ff_ff_f0;

/**
 * Positives and negatives in turn. Those of a class are a sequence of permutations of its rows that runs on from epoch to
 * epoch, so that each is used as often as any other; which one an epoch begins with follows from its number alone.
 */
export class BalancedOrder {
  private readonly classes: readonly [negative: Uint32Array, positive: Uint32Array];
  private readonly rows: number;
  private readonly seed: number;
  private readonly shuffled: boolean;

  /** @throws E_DATA unless the labels, one a row, are 0 or 1, and both occur */
  constructor(labels: Float32Array, rows: number, seed: number, shuffled: boolean) {
    const bad = labels.length === rows ? labels.findIndex((v) => v !== 0 && v !== 1) : 0;
    if (bad >= 0) {
      throw new TilegradError("E_DATA", `balancedBatches: the label of row ${bad} is ${labels[bad]}; expected 0 or 1.`);
    }
    const all = Uint32Array.from({ length: rows }, (_, row) => row);
    this.classes = [all.filter((row) => labels[row] === 0), all.filter((row) => labels[row] === 1)];
    if (this.classes.some((list) => list.length === 0)) {
      throw new TilegradError("E_DATA", `balancedBatches: all ${rows} labels are ${labels[0]}; expected both 0 and 1.`);
    }
    this.rows = rows;
    this.seed = seed;
    this.shuffled = shuffled;
  }

  /** u32 [rows] */
  epoch(epoch: number): Uint32Array {
    const order = new Uint32Array(this.rows);
    const even = this.turns(1, epoch, Math.ceil(this.rows / 2));
    const odd = this.turns(0, epoch, Math.floor(this.rows / 2));
    for (let i = 0; i < this.rows; i++) order[i] = (i % 2 === 0 ? even : odd)[i >> 1];
    return order;
  }

  /** The `count` rows of a class that this epoch takes. */
  private turns(label: 0 | 1, epoch: number, count: number): Uint32Array {
    const rows = this.classes[label];
    const taken = new Uint32Array(count);
    const first = epoch * count;
    for (let done = 0; done < count; ) {
      const turn = Math.floor((first + done) / rows.length);
      const from = (first + done) % rows.length;
      const permuted = this.shuffled ? shuffleInPlace(rows.slice(), this.seed, BALANCE_STREAM + label, turn) : rows;
      const part = permuted.subarray(from, Math.min(rows.length, from + count - done));
      taken.set(part, done);
      done += part.length;
    }
    return taken;
  }
}
