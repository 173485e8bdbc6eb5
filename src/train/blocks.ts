/**
 * The order of rows that do not fit on the device: an epoch is a sequence of blocks, a block is some segments of the data
 * from all over it. Segments are drawn by seed, and so is the order of the rows within a block.
 */
import { shuffle } from "../random.ts";

/** Rows that are on the device together. */
export interface Block {
  /** Rows of the data that it holds, one run after the other. */
  readonly runs: readonly { readonly start: number; readonly count: number }[];
  readonly rows: number;
  /** The one to read ahead. */
  readonly next: Block | null;
  /** The order in which its rows are trained on, numbered within the block. */
  order(): Uint32Array;
}

/** Segments of a block: more mix better data that is sorted, fewer are read faster. */
const SEGMENTS = 16;
/** Of the order of segments; those of the rows within each block follow. */
const BLOCK_STREAM = 0x60_00_00_00;

/** The rows of a block of at most `bytes`: whole batches, at least one, in segments of whole batches. */
export function blockSize(batchSize: number, rowBytes: number, bytes: number): number {
  const batches = Math.max(1, Math.floor(bytes / (rowBytes * batchSize)));
  return batchSize * (batches < SEGMENTS ? batches : batches - (batches % SEGMENTS));
}

export interface BlockOptions {
  readonly rows: number;
  readonly batchSize: number;
  /** From `blockSize`. */
  readonly blockRows: number;
  /** Null: in the order of the data. */
  readonly shuffle: { readonly seed: number; readonly epoch: number } | null;
}

/** The blocks of an epoch. Only the last may hold a number of rows that is no multiple of the batch size. */
export function blocksOf({ rows, batchSize, blockRows, shuffle: by }: BlockOptions): Block[] {
  const perBlock = Math.min(SEGMENTS, blockRows / batchSize);
  const segmentRows = blockRows / perBlock;
  const full = Math.floor(rows / segmentRows);
  const order = by ? shuffle(full, by.seed, BLOCK_STREAM, by.epoch) : Uint32Array.from({ length: full }, (_, i) => i);
  const runs = Array.from(order, (segment) => ({ start: segment * segmentRows, count: segmentRows }));
  if (rows % segmentRows > 0) runs.push({ start: full * segmentRows, count: rows % segmentRows });
  let next: Block | null = null;
  const blocks: Block[] = [];
  for (let index = Math.ceil(runs.length / perBlock) - 1; index >= 0; index--) {
    const held = runs.slice(index * perBlock, (index + 1) * perBlock);
    const count = held.reduce((sum, run) => sum + run.count, 0);
    next = {
      runs: held,
      rows: count,
      next,
      order: () =>
        by
          ? shuffle(count, by.seed, BLOCK_STREAM + 1 + index, by.epoch)
          : Uint32Array.from({ length: count }, (_, i) => i),
    };
    blocks.unshift(next);
  }
  return blocks;
}
