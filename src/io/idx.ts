/**
 * IDX, the format of MNIST (LeCun, Cortes, Burges): two zero bytes, element type, rank, the sizes as big-endian u32, then
 * the elements, row-major and big-endian.
 */

import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields, checkValue } from "../options.ts";
import { swapBytes } from "./elements.ts";
import { inflate } from "./inflate.ts";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: IdxData;
}

interface IdxType {
  new (buffer: ArrayBuffer): IdxData;
  readonly BYTES_PER_ELEMENT: number;
}

const TYPES = new Map<number, IdxType>([
  [0x08, Uint8Array],
  [0x09, Int8Array],
  [0x0b, Int16Array],
  [0x0c, Int32Array],
  [0x0d, Float32Array],
  [0x0e, Float64Array],
]);

/** The bytes of an IDX file. @throws E_ARGUMENT when data and shape do not fit. */
export function encodeIdx(array: IdxArray): Uint8Array {
  checkFields("encodeIdx", array, { shape: is.list, data: is.values }, "{ shape, data }");
  const { shape, data } = array;
  const type = [...TYPES].find(([, made]) => data instanceof made)?.[0];
  if (type === undefined || data.length !== sizeOf(shape) || shape.length < 1 || shape.length > 255) {
    const got = `${data.constructor.name} of ${data.length} for [${shape}]`;
    throw new TilegradError("E_ARGUMENT", `encodeIdx: got ${got}; expected ${sizeOf(shape)} numbers, rank 1 to 255.`);
  }
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  const body = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  bytes.set(swapBytes(body, data.BYTES_PER_ELEMENT), start);
  return bytes;
}

/** `decodeIdx` of a file that may be gzipped, as MNIST's are. @throws E_FILE as `decodeIdx`, before it unpacks too much */
export async function readIdx(bytes: Uint8Array, where: string): Promise<IdxArray> {
  checkValue("readIdx", "bytes", bytes, is.bytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return decodeIdx(bytes, where);
  const limit = (head: Uint8Array): number => {
    const { start, size } = header(head, where);
    return start + size;
  };
  return decodeIdx(await inflate(bytes, "gzip", { where, limit }), where);
}

/**
 * The array of an IDX file.
 * @param where what to call the file in errors.
 * @throws E_FILE when it is compressed, truncated, damaged or not IDX.
 */
export function decodeIdx(bytes: Uint8Array, where: string): IdxArray {
  checkValue("decodeIdx", "bytes", bytes, is.bytes);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw idxError(where, "a gzip file", "plain IDX", "readIdx unpacks it.");
  const { array, shape, start, size } = header(bytes, where);
  if (bytes.length - start !== size) {
    const hint = "The file is truncated; fetch it again.";
    throw idxError(where, `${bytes.length - start} data bytes`, `${size} for [${shape}]`, hint);
  }
  return { shape, data: new array(swapBytes(bytes.slice(start), array.BYTES_PER_ELEMENT).buffer) };
}

/** What the first bytes say; `size` is that of the elements, in bytes. */
function header(bytes: Uint8Array, where: string) {
  const array = TYPES.get(bytes[2]);
  const rank = bytes[3];
  if (array === undefined || bytes[0] !== 0 || bytes[1] !== 0 || !(rank >= 1)) {
    const expected = "0, 0, an element type 8 to 14, a rank of 1 or more";
    throw idxError(where, `the first bytes [${bytes.subarray(0, 4)}]`, expected);
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw idxError(where, `${bytes.length} bytes`, `${start} or more by its rank ${rank}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { array, shape, start, size: sizeOf(shape) * array.BYTES_PER_ELEMENT };
}

const idxError = (where: string, got: string, expected: string, hint?: string): TilegradError =>
  new TilegradError("E_FILE", `${where}: got ${got}; expected ${expected}.`, { hint });
