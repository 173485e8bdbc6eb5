/**
 * IDX, the format of MNIST (LeCun, Cortes, Burges): two zero bytes, element type, rank, the sizes as big-endian u32, then
 * the elements, row-major and big-endian.
 */
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: IdxData;
}

const TYPES = new Map<number, new (buffer: ArrayBuffer) => IdxData>([
  [0x08, Uint8Array],
  [0x09, Int8Array],
  [0x0b, Int16Array],
  [0x0c, Int32Array],
  [0x0d, Float32Array],
  [0x0e, Float64Array],
]);

/** The bytes of an IDX file. @throws E_ARGUMENT when data and shape do not fit. */
export function encodeIdx({ shape, data }: IdxArray): Uint8Array {
  const type = [...TYPES].find(([, array]) => data instanceof array)?.[0];
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

/**
 * The array of an IDX file.
 * @param where what to call the file in errors.
 * @throws E_FILE when it is compressed, truncated, damaged or not IDX.
 */
export function decodeIdx(bytes: Uint8Array, where: string): IdxArray {
  const complain = (got: string, expected: string, hint?: string): never => {
    throw new TilegradError("E_FILE", `${where}: got ${got}; expected ${expected}.`, { hint });
  };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    complain("a gzip file", "a plain IDX file", "Unpack it first: gunzip FILE.");
  const array = TYPES.get(bytes[2]);
  const rank = bytes[3];
  if (array === undefined || bytes[0] !== 0 || bytes[1] !== 0 || !(rank >= 1)) {
    return complain(`the first bytes [${bytes.subarray(0, 4)}]`, "0, 0, an element type 8 to 14, a rank of 1 or more");
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) complain(`${bytes.length} bytes`, `${start} or more by its rank ${rank}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const width = new array(new ArrayBuffer(0)).BYTES_PER_ELEMENT;
  const size = sizeOf(shape) * width;
  if (bytes.length - start !== size) {
    complain(`${bytes.length - start} data bytes`, `${size} for [${shape}]`, "The file is truncated; fetch it again.");
  }
  return { shape, data: new array(swapBytes(bytes.slice(start), width).buffer) };
}

/** Reverses each element in place: big-endian to little-endian and back. */
function swapBytes(bytes: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  for (let at = 0; width > 1 && at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}
