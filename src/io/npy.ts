/** NumPy's NPY format, versions 1 to 3: numbers and texts, read in any byte order and either index order, written in one. */
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields, checkValue } from "../options.ts";
import { floatsOfHalves, swapBytes } from "./elements.ts";

export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface NpyNumbers {
  /** NumPy's name without the byte order; `b1` is bool, held as bytes 0 and 1; `f2` is held in 32 bits. */
  readonly dtype: keyof typeof ARRAYS;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: NpyData;
}

export interface NpyTexts {
  /** Unicode or bytes, of any length. */
  readonly dtype: "U" | "S";
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: readonly string[];
}

export type NpyArray = NpyNumbers | NpyTexts;

const ARRAYS = {
  f2: Float32Array,
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
} as const;
const MAGIC = "\x93NUMPY";
const MAX_RANK = 32;

const WRITTEN = Object.keys(ARRAYS).filter((dtype) => dtype !== "f2");

/** The bytes of a version 1 file, of numbers of at least a byte but f2. @throws E_ARGUMENT when the data is not what dtype and shape say. */
export function encodeNpy(array: NpyNumbers): Uint8Array {
  checkFields(
    "encodeNpy",
    array,
    { dtype: is.oneOf(...WRITTEN), shape: is.list, data: is.values },
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
 * @throws E_FILE when it is truncated, damaged, or of elements that are neither numbers of up to 64 bits nor texts.
 */
export function decodeNpy(bytes: Uint8Array, where: string): NpyArray {
  checkValue("decodeNpy", "bytes", bytes, is.bytes);
  const { text, start } = readHeader(bytes, where);
  const { descr, fortran, shape } = parseHeader(text, where);
  const { dtype, width, swapped } = elementOf(descr, where);
  const size = sizeOf(shape) * width;
  if (bytes.length - start !== size) {
    throw npyError(where, `got ${bytes.length - start} data bytes`, `${size} for ${dtype} [${shape}]`);
  }
  const ordered = <T extends NpyData | string[]>(stored: T): T =>
    fortran && shape.length > 1 ? toRowMajor(stored, shape) : stored;
  const own = bytes.slice(start);
  if (dtype === "U")
    return { dtype, shape, data: ordered(textsOf(new Uint32Array(swap(own, swapped, 4).buffer), width / 4)) };
  if (dtype === "S") return { dtype, shape, data: ordered(textsOf(own, width)) };
  const { buffer } = swap(own, swapped, width);
  const stored = dtype === "f2" ? floatsOfHalves(new Uint16Array(buffer)) : new ARRAYS[dtype](buffer);
  if (dtype === "b1" && stored.some((value) => Number(value) > 1)) {
    throw npyError(where, "got a bool that is neither 0 nor 1", "0 or 1");
  }
  return { dtype, shape, data: ordered(stored) };
}

const swap = (bytes: Uint8Array<ArrayBuffer>, swapped: boolean, width: number): Uint8Array<ArrayBuffer> =>
  swapped ? swapBytes(bytes, width) : bytes;

/** Texts of `width` characters each, shorter ones padded with NUL. */
function textsOf(characters: Uint32Array | Uint8Array, width: number): string[] {
  const count = width === 0 ? 0 : characters.length / width;
  return Array.from({ length: count }, (_, i) => {
    let end = (i + 1) * width;
    while (end > i * width && characters[end - 1] === 0) end--;
    return Array.from(characters.subarray(i * width, end), (code) => characterOf(code)).join("");
  });
}

/** Beyond Unicode's last there is none. */
const characterOf = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd");

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
  const value = "'[^']*'|True|False|\\([0-9L, ]*\\)";
  const dict = new RegExp(`^\\{\\s*(?:'\\w+'\\s*:\\s*(?:${value})\\s*(?:,\\s*)?){3}\\}\\s*$`);
  const entries = new Map<string, string>();
  if (dict.test(text)) {
    for (const [, key, item] of text.matchAll(new RegExp(`'(\\w+)'\\s*:\\s*(${value})`, "g"))) entries.set(key, item);
  }
  const descr = /^'(.+)'$/.exec(entries.get("descr") ?? "")?.[1];
  const fortran = /^(True|False)$/.exec(entries.get("fortran_order") ?? "")?.[1];
  // Python 2 wrote long integers as 2L.
  const tuple = /^\((?:(?:\d+L?, *)*\d+L?,?|)\)$/.exec(entries.get("shape") ?? "")?.[0];
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

/** What an element is, how many bytes it takes, and whether they are in the other order than here. */
function elementOf(
  descr: string,
  where: string,
): { readonly dtype: NpyArray["dtype"]; readonly width: number; readonly swapped: boolean } {
  const [, order, kind, digits] = /^([<>|=])([a-zA-Z])(\d{1,9})$/.exec(descr) ?? [];
  const dtype = `${kind}${digits}` as NpyNumbers["dtype"];
  const swapped = order === ">";
  const count = Number(digits);
  if (Object.hasOwn(ARRAYS, dtype)) return { dtype, width: count, swapped };
  if (kind === "U") return { dtype: kind, width: 4 * count, swapped };
  if (kind === "S") return { dtype: kind, width: count, swapped: false };
  throw new TilegradError(
    "E_FILE",
    `${where}: got element type ${descr}; expected numbers of up to 64 bits or texts.`,
    {
      hint: 'Convert it in NumPy first: np.save(path, array.astype("<f4")).',
    },
  );
}

/** Column-major to row-major: the first index runs fastest in `stored`. */
function toRowMajor<T extends NpyData | string[]>(stored: T, shape: readonly number[]): T {
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
