/** Rows wherever they are: arrays in memory, or a source that is read piece by piece. */

import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import { fingerprint } from "../io/fingerprint.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import { checkObject } from "../options.ts";
import type { Numeric } from "../values.ts";
import { blockSize } from "./blocks.ts";
import type { CheckedData, Data } from "./data.ts";
import { checkData, checkLabels } from "./data.ts";

/** Rows that are read when they are needed, because they do not fit into memory: a file, a database. */
export interface RowSource {
  /** How many there are; at least 1. */
  readonly rows: number;
  /** Rows [start, start + count), the same at every call. */
  read(start: number, count: number): Data<Numeric> | Promise<Data<Numeric>>;
  /** Tells these rows from others when a run goes on. Without it, all rows are read once for that before training. */
  readonly fingerprint?: string;
}

/** Checked rows, in memory or not. */
export interface Rows {
  readonly rows: number;
  /** Shape of one row's label. */
  readonly yShape: readonly number[];
  readonly weighted: boolean;
  /** Bytes of one row with its label and weight. */
  readonly rowBytes: number;
  /** All of them, where they are in memory. */
  readonly whole: CheckedData | null;
  /** Rows [start, start + count). @throws E_SHAPE, E_DATA, and what the source throws */
  read(start: number, count: number): Promise<CheckedData>;
  fingerprint(): Promise<string>;
}

/** Default bytes of a block, and of the pieces in which streamed rows are evaluated. */
const BLOCK_BYTES = 16 * 2 ** 20;

/** How many rows are on the device together; 0: all. Arrays stay whole where one buffer holds them, a source where a block. */
export function blockRowsFor(
  { rows, rowBytes, whole }: Rows,
  { batchSize = 32, blockBytes = BLOCK_BYTES }: { readonly batchSize?: number; readonly blockBytes?: number },
  { maxTensorBytes }: Device,
): number {
  const block = blockSize(batchSize, rowBytes, blockBytes);
  const fits = whole ? Math.max(whole.x.byteLength, whole.y.byteLength) <= maxTensorBytes : rows <= block;
  return fits ? 0 : block;
}

export const isRowSource = (data: Data<Numeric> | RowSource | Numeric): data is RowSource =>
  typeof data === "object" && data !== null && "read" in data && typeof data.read === "function";

/**
 * @param loss what the labels are for, if they are looked at
 * @throws E_SHAPE, E_DATA, E_ARGUMENT; for rows of a source that are not read at once, when they are read
 */
export async function openRows(
  where: string,
  data: Data<Numeric> | RowSource,
  model: Pick<Model, "inputShape" | "outputShape" | "indices">,
  loss?: Loss,
): Promise<Rows> {
  checkObject(where, data, "{ x, y } or a source of rows");
  const checked = (rows: Data<Numeric>, first = 0): CheckedData => {
    const found = checkData(where, rows, model, first);
    if (loss) checkLabels(where, found, loss, sizeOf(model.outputShape), first);
    return found;
  };
  return isRowSource(data) ? openSource(where, data, model.inputShape, checked) : inMemory(checked(data));
}

export function inMemory(whole: CheckedData): Rows {
  const { rows, x, y, yShape, weight } = whole;
  const part = (all: Float32Array, start: number, count: number): Float32Array => {
    const width = all.length / rows;
    return all.subarray(start * width, (start + count) * width);
  };
  return {
    rows,
    yShape,
    weighted: weight !== null,
    rowBytes: bytesOf(x.length / rows, yShape, weight !== null),
    whole,
    read: async (start, count) => ({
      rows: count,
      yShape,
      x: part(x, start, count),
      y: part(y, start, count),
      weight: weight && part(weight, start, count),
    }),
    fingerprint: async () => fingerprint(weight ? [x, y, weight] : [x, y]),
  };
}

const bytesOf = (inputs: number, yShape: readonly number[], weighted: boolean): number =>
  4 * (inputs + sizeOf(yShape) + (weighted ? 1 : 0));

async function openSource(
  where: string,
  source: RowSource,
  inputShape: readonly number[],
  check: (rows: Data<Numeric>, first: number) => CheckedData,
): Promise<Rows> {
  const { rows } = source;
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new TilegradError("E_ARGUMENT", `${where}: the source has ${rows} rows; expected a positive whole number.`);
  }
  const checked = async (start: number, count: number): Promise<CheckedData> => {
    const data = check(await source.read(start, count), start);
    if (data.rows === count) return data;
    const got = `${data.rows} rows from row ${start} on`;
    throw new TilegradError("E_SHAPE", `${where}: the source gave ${got}; expected ${count}, as asked for.`);
  };
  const first = await checked(0, 1);
  const weighted = first.weight !== null;
  const labels = sizeOf(first.yShape);
  const read = async (start: number, count: number): Promise<CheckedData> => {
    const data = await checked(start, count);
    if (sizeOf(data.yShape) === labels && (data.weight !== null) === weighted) return data;
    throw new TilegradError(
      "E_SHAPE",
      `${where}: from row ${start} on, the source gave other labels or weights than before.`,
      { hint: "Give every row labels of one shape, and a sampleWeight to all rows or to none." },
    );
  };
  const rowBytes = bytesOf(sizeOf(inputShape), first.yShape, weighted);
  const self: Rows = {
    rows,
    yShape: first.yShape,
    weighted,
    rowBytes,
    whole: null,
    read,
    async fingerprint() {
      if (source.fingerprint !== undefined) return source.fingerprint;
      const prints: string[] = [];
      for await (const { x, y, weight } of pieces(self)) prints.push(fingerprint(weight ? [x, y, weight] : [x, y]));
      return fingerprint([new TextEncoder().encode(prints.join(" "))]);
    },
  };
  return self;
}

/** All rows in order, the next piece being read while one is worked on. */
export async function* pieces(rows: Rows): AsyncGenerator<CheckedData, void> {
  if (rows.whole) {
    yield rows.whole;
    return;
  }
  const size = Math.max(1, Math.floor(BLOCK_BYTES / rows.rowBytes));
  const ask = (start: number): Promise<CheckedData> => {
    const asked = rows.read(start, Math.min(size, rows.rows - start));
    asked.catch(() => {}); // whoever awaits it will see the error
    return asked;
  };
  let next = ask(0);
  for (let start = 0; start < rows.rows; start += size) {
    const piece = await next;
    if (start + size < rows.rows) next = ask(start + size);
    yield piece;
  }
}
