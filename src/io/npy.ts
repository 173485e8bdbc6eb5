/** NumPy's NPY format, versions 1 to 3: little-endian numbers; read in either order, written in C order. */

import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields, checkValue } from "../options.ts";

export type NpyData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;

export interface NpyArray {
  /** NumPy's name without the byte order; `b1` is bool, held as bytes 0 and 1. */
  readonly dtype: "f4" | "f8" | "i4" | "u4" | "u1" | "i8" | "b1";
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: NpyData;
}

const ARRAYS = {
  f4: Float32Array,
  f8: Float64Array,
  i4: Int32Array,
  u4: Uint32Array,
  u1: Uint8Array,
  i8: BigInt64Array,
  b1: Uint8Array,
} as const;
const MAGIC = "\x93NUMPY";
const MAX_RANK = 32;

/** The bytes of a version 1 file. @throws E_ARGUMENT when the data is not what dtype and shape say. */
export function encodeNpy(array: NpyArray): Uint8Array {
  checkFields(
    "encodeNpy",
    array,
    { dtype: is.oneOf(...Object.keys(ARRAYS)), shape: is.list, data: is.values },
    "{ dtype, shape, data }",
  );
  const { dtype, shape, data } = array;
  if (!(data instanceof ARRAYS[dtype]) || data.length !== sizeOf(shape)) {
    const want = `${ARRAYS[dtype].name} of ${sizeOf(shape)}`;
    throw new TilegradError(
      "E_ARGUMENT",
      `encodeNpy: got ${data.constructor.name} of ${data.length}; expected ${want}.`,
    );
  }
  const order = ARRAYS[dtype].BYTES_PER_ELEMENT === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${order}${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  const header = `${MAGIC}\x01\x00\x00\x00${text}`.padEnd(start - 1, " ");
  for (let i = 0; i < header.length; i++) bytes[i] = header.charCodeAt(i);
  bytes[start - 1] = 0x0a;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/**
 * The array of an NPY file.
 * @param where what to call the file in errors.
 * @throws E_FILE when it is truncated, damaged, big-endian, or of another element type than f4 f8 i4 u4 u1 i8 b1.
 */
export function decodeNpy(bytes: Uint8Array, where: string): NpyArray {
  checkValue("decodeNpy", "bytes", bytes, is.bytes);
  const { text, start } = readHeader(bytes, where);
  const { descr, fortran, shape } = parseHeader(text, where);
  const dtype = dtypeOf(descr, where);
  const size = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
  if (bytes.length - start !== size) {
    throw npyError(where, `got ${bytes.length - start} data bytes`, `${size} for ${dtype} [${shape}]`);
  }
  const stored = new ARRAYS[dtype](bytes.slice(start).buffer);
  if (dtype === "b1" && stored.some((value) => Number(value) > 1)) {
    throw npyError(where, "got a bool that is neither 0 nor 1", "0 or 1");
  }
  return { dtype, shape, data: fortran && shape.length > 1 ? toRowMajor(stored, shape) : stored };
}

function readHeader(bytes: Uint8Array, where: string): { text: string; start: number } {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length < 12 || text(0, 6) !== MAGIC) {
    throw npyError(where, "got bytes that do not begin with \\x93NUMPY", "an NPY file");
  }
  const major = bytes[6];
  if (major < 1 || major > 3) throw npyError(where, `got format version ${major}`, "1, 2 or 3");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const begin = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > 65_535) throw npyError(where, `got a header of ${length} bytes`, "at most 65535");
  if (begin + length > bytes.length) {
    throw npyError(where, `got ${bytes.length} bytes`, `${begin + length} or more by its header length`);
  }
  return { text: text(begin, begin + length), start: begin + length };
}

/** The header is a Python dict of three entries, in any order. */
function parseHeader(text: string, where: string): { descr: string; fortran: boolean; shape: number[] } {
  const value = "'[^']*'|True|False|\\([0-9, ]*\\)";
  const dict = new RegExp(`^\\{\\s*(?:'\\w+'\\s*:\\s*(?:${value})\\s*(?:,\\s*)?){3}\\}\\s*$`);
  const entries = new Map<string, string>();
  if (dict.test(text)) {
    for (const [, key, item] of text.matchAll(new RegExp(`'(\\w+)'\\s*:\\s*(${value})`, "g"))) entries.set(key, item);
  }
  const descr = /^'(.+)'$/.exec(entries.get("descr") ?? "")?.[1];
  const fortran = /^(True|False)$/.exec(entries.get("fortran_order") ?? "")?.[1];
  const tuple = /^\((?:(?:\d+, *)*\d+,?|)\)$/.exec(entries.get("shape") ?? "")?.[0];
  if (descr === undefined || fortran === undefined || tuple === undefined) {
    const got = text.trimEnd().slice(0, 80);
    throw npyError(where, `got the header ${JSON.stringify(got)}`, "descr, fortran_order and shape of a plain array");
  }
  const shape = Array.from(tuple.matchAll(/\d+/g), ([digits]) => Number(digits));
  if (shape.length > MAX_RANK || !Number.isSafeInteger(sizeOf(shape))) {
    throw npyError(where, `got shape [${shape.slice(0, 40)}]`, `at most ${MAX_RANK} dimensions of sensible size`);
  }
  return { descr, fortran: fortran === "True", shape };
}

function dtypeOf(descr: string, where: string): NpyArray["dtype"] {
  const dtype = descr.slice(1) as NpyArray["dtype"];
  const known = Object.hasOwn(ARRAYS, dtype);
  if (known && (descr[0] === "<" || (descr[0] === "|" && ARRAYS[dtype].BYTES_PER_ELEMENT === 1))) return dtype;
  throw new TilegradError("E_FILE", `${where}: got element type ${descr}; expected <f4 <f8 <i4 <u4 |u1 <i8 or |b1.`, {
    hint: 'Convert it in NumPy first: np.save(path, array.astype("<f4")).',
  });
}

/** Column-major to row-major: the first index runs fastest in `stored`. */
function toRowMajor<T extends NpyData>(stored: T, shape: readonly number[]): T {
  const data = stored.slice() as T;
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = stored[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return data;
}

function npyError(where: string, got: string, expected: string): TilegradError {
  return new TilegradError("E_FILE", `${where}: ${got}; expected ${expected}.`, {
    hint: "The file is truncated, damaged or not written by np.save; save it again.",
  });
}
