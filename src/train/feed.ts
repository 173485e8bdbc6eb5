/** The rows on the device: all of them, uploaded once, or a block at a time, the next being read meanwhile. */
import type { DeviceTensor } from "../device.ts";
import { sizeOf } from "../graph/types.ts";
import { f32 } from "../ops/op.ts";
import type { Block } from "./blocks.ts";
import type { CheckedData } from "./data.ts";
import type { Rows } from "./source.ts";
import type { MakeTensor } from "./tensors.ts";

export class Feed {
  /** x, y and, where rows have weights, weight. */
  readonly bindings: Readonly<Record<string, DeviceTensor>>;
  /** Rows that the tensors hold. */
  readonly capacity: number;
  private readonly data: Rows;
  private readonly widths: Readonly<Record<string, number>>;
  private loaded: Block | null = null;
  private ahead: { readonly block: Block; readonly pieces: Promise<CheckedData[]> } | null = null;

  /** @param blockRows 0: all rows, which are then in memory. @throws E_MEMORY */
  constructor(make: MakeTensor, data: Rows, inputShape: readonly number[], blockRows: number) {
    const { rows, yShape, weighted, whole } = data;
    const capacity = blockRows || rows;
    const values = blockRows === 0 ? whole : null;
    this.data = data;
    this.capacity = capacity;
    this.widths = { x: sizeOf(inputShape), y: sizeOf(yShape), weight: 1 };
    this.bindings = {
      x: make(f32(capacity, ...inputShape), "training x", values?.x),
      y: make(f32(capacity, ...yShape), "training y", values?.y),
      ...(weighted ? { weight: make(f32(capacity), "sample weight", values?.weight ?? undefined) } : {}),
    };
  }

  /**
   * Brings a block onto the device, after whatever is enqueued and before whatever will be; null when it is there already.
   * @throws what the source throws
   */
  load(block: Block | null): Promise<void> | null {
    return block === null || block === this.loaded ? null : this.upload(block);
  }

  private async upload(block: Block): Promise<void> {
    const pieces = await (this.ahead?.block === block ? this.ahead.pieces : this.read(block));
    this.ahead = null;
    let row = 0;
    for (const { x, y, weight, rows } of pieces) {
      for (const [name, values] of Object.entries({ x, y, weight })) {
        if (values) this.bindings[name].write(values, row * this.widths[name]);
      }
      row += rows;
    }
    this.loaded = block;
    if (block.next) this.ahead = { block: block.next, pieces: this.read(block.next) };
  }

  private read({ runs }: Block): Promise<CheckedData[]> {
    const pieces = Promise.all(runs.map(({ start, count }) => this.data.read(start, count)));
    pieces.catch(() => {}); // whoever awaits it will see the error
    return pieces;
  }
}
