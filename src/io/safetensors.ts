/**
 * The safetensors format (huggingface/safetensors): u64 header length, a JSON header of `{ dtype, shape, data_offsets }`
 * by name, then the little-endian data without holes. Typed arrays are little-endian on every host WebGPU runs on.
 */

import { TilegradError } from "../errors.ts";
import { type DType, sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields, checkObject } from "../options.ts";
import { parsePlainJson } from "./json.ts";
import { asCount, asList, asObject, asShape, asString, field, misplaced, type Place } from "./place.ts";

/** A tensor in memory, row-major; `data.length` is the product of `shape`. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint32Array | Int32Array;
}

export type StoredTensors = Readonly<Record<string, StoredTensor>>;

const METADATA = "__metadata__";
const MAX_HEADER_BYTES = 100_000_000;
const MAX_TENSORS = 100_000;
const MAX_RANK = 16;

export const ARRAYS = { f32: Float32Array, u32: Uint32Array, i32: Int32Array } as const;

/** A type of the format: bytes of an element, what it becomes here, and its elements read. */
export interface Stored {
  readonly width: number;
  readonly dtype: DType;
  readonly read: (buffer: ArrayBuffer, where: string) => StoredTensor["data"];
}

/** What `encodeSafetensors` writes. */
export const OWN_TYPES: ReadonlyMap<string, Stored> = new Map<string, Stored>([
  ["F32", { width: 4, dtype: "f32", read: (buffer) => new Float32Array(buffer) }],
  ["U32", { width: 4, dtype: "u32", read: (buffer) => new Uint32Array(buffer) }],
  ["I32", { width: 4, dtype: "i32", read: (buffer) => new Int32Array(buffer) }],
]);

/**
 * The bytes of a safetensors file: tensors sorted by name, header padded with spaces to 8 bytes; the same tensors give
 * the same bytes.
 * @throws E_ARGUMENT when a tensor's data is not what its dtype and shape say, or it is named `__metadata__`.
 */
export function encodeSafetensors(tensors: StoredTensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  checkObject("encodeSafetensors", tensors, "tensors by name");
  checkObject("encodeSafetensors: metadata", metadata, "texts by name");
  const names = Object.keys(tensors).sort();
  const header: Record<string, unknown> = Object.create(null);
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (notes.length > 0) header[METADATA] = Object.fromEntries(notes);
  let end = 0;
  for (const name of names) {
    const tensor = tensors[name];
    checkTensor(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    header[name] = { dtype: tensor.dtype.toUpperCase(), shape: tensor.shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.fill(0x20, 8, start);
  bytes.set(text, 8);
  let at = start;
  for (const name of names) {
    const { data } = tensors[name];
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function checkTensor(name: string, tensor: StoredTensor): void {
  const where = `tensor ${JSON.stringify(name)}`;
  checkFields(where, tensor, { shape: is.list, data: is.values }, "{ dtype, shape, data }");
  const { dtype, shape, data } = tensor;
  const complain = (problem: string): never => {
    throw new TilegradError("E_ARGUMENT", `${where}: ${problem}.`);
  };
  if (name === METADATA) complain("got a name the file format reserves; expected another");
  if (!Object.hasOwn(ARRAYS, dtype)) complain(`got dtype ${dtype}; expected f32, u32 or i32`);
  if (!(data instanceof ARRAYS[dtype])) complain(`got ${data.constructor.name}; expected ${ARRAYS[dtype].name}`);
  if (shape.length > MAX_RANK) complain(`got ${shape.length} dimensions; expected at most ${MAX_RANK}`);
  if (data.length !== sizeOf(shape)) complain(`got ${data.length} values; expected ${sizeOf(shape)} for [${shape}]`);
}

/**
 * The tensors and the metadata of a safetensors file. Everything is checked before a tensor is allocated; the records have no
 * prototype, so any name is only a name.
 * @param where what to call the file in errors.
 * @param types those that can be read: of files of ours, ours
 * @param isWanted whether a tensor is to be read; others may be of any type
 * @throws E_FILE when the file is truncated, inconsistent, not safetensors, or a tensor is of another type
 */
export function decodeTensors(
  bytes: Uint8Array,
  where: string,
  types: ReadonlyMap<string, Stored> = OWN_TYPES,
  isWanted: (name: string) => boolean = () => true,
): { tensors: Record<string, StoredTensor>; metadata: Record<string, string> } {
  const start = headerEnd(bytes, where);
  const root: Place = { value: parsePlainJson(bytes.subarray(8, start), `${where}, header`), file: where, path: "" };
  const names = Object.keys(asObject(root)).filter((name) => name !== METADATA);
  if (names.length > MAX_TENSORS) {
    throw damaged(where, `got ${names.length} tensors; expected at most ${MAX_TENSORS}`);
  }
  const entries = names.map((name) => readEntry(name, field(root, name), types, isWanted(name)));
  checkCover(entries, bytes.length - start, where);
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const { name, stored, shape, begin, end } of entries) {
    if (!stored || !isWanted(name)) continue;
    const { buffer } = bytes.slice(start + begin, start + end);
    const data = stored.read(buffer, `${where}: tensor ${JSON.stringify(name)}`);
    tensors[name] = { dtype: stored.dtype, shape, data };
  }
  return { tensors, metadata: readMetadata(field(root, METADATA)) };
}

function headerEnd(bytes: Uint8Array, where: string): number {
  if (bytes.length < 8) throw damaged(where, `got ${bytes.length} bytes; expected at least 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw damaged(where, `got a header of ${length} bytes; expected at most ${MAX_HEADER_BYTES}`);
  }
  const end = 8 + Number(length);
  if (end > bytes.length)
    throw damaged(where, `got ${bytes.length} bytes; expected ${end} or more by its header length`);
  if (bytes[8] !== 0x7b) throw damaged(where, "got a header that does not begin with {; expected a JSON object");
  return end;
}

interface Entry {
  readonly name: string;
  /** Unknown types are for others. */
  readonly stored: Stored | undefined;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, place: Place, types: ReadonlyMap<string, Stored>, isWanted: boolean): Entry {
  const dtypePlace = field(place, "dtype");
  const dtype = asString(dtypePlace);
  const stored = types.get(dtype);
  if (!stored && isWanted) {
    throw misplaced(dtypePlace, [...types.keys()].join(", "), "Convert the tensor to float32 first.");
  }
  const shapePlace = field(place, "shape");
  if (asList(shapePlace).length > MAX_RANK) throw misplaced(shapePlace, `at most ${MAX_RANK} dimensions`);
  const shape = asShape(shapePlace);
  const offsets = field(place, "data_offsets");
  const pair = asList(offsets);
  if (pair.length !== 2) throw misplaced(offsets, "[begin, end]");
  const [begin, end] = pair.map(asCount);
  const size = stored && stored.width * sizeOf(shape);
  if (size !== undefined && end - begin !== size) throw misplaced(offsets, `${size} bytes for ${dtype} [${shape}]`);
  return { name, stored, shape, begin, end };
}

/** The format wants every byte of the data to belong to exactly one tensor. */
function checkCover(entries: readonly Entry[], dataBytes: number, where: string): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let cursor = 0;
  for (const { name, begin, end } of sorted) {
    const tensor = JSON.stringify(name);
    if (begin < cursor)
      throw damaged(where, `tensor ${tensor} begins at ${begin}, inside another that ends at ${cursor}`);
    if (begin > cursor) throw damaged(where, `got a hole from ${cursor} to ${begin} before tensor ${tensor}`);
    if (end > dataBytes) throw damaged(where, `tensor ${tensor} ends at ${end}; the file has ${dataBytes} data bytes`);
    cursor = end;
  }
  if (cursor !== dataBytes) throw damaged(where, `got ${dataBytes} data bytes; expected ${cursor} by its header`);
}

function readMetadata(place: Place): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  if (place.value === undefined) return metadata;
  for (const key of Object.keys(asObject(place))) metadata[key] = asString(field(place, key));
  return metadata;
}

function damaged(where: string, problem: string): TilegradError {
  return new TilegradError("E_FILE", `${where}: ${problem}.`, {
    hint: "The file is truncated, damaged or not a safetensors file; copy or save it again.",
  });
}

/**
 * Checks that the tensors are exactly the expected ones.
 * @throws E_FILE naming the tensor that is missing, too many, or of another dtype or shape, with got and expected.
 */
export function matchTensors(
  tensors: StoredTensors,
  expected: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype?: DType }[],
  where: string,
): void {
  const complain = (problem: string): never => {
    throw new TilegradError("E_FILE", `${where}: ${problem}.`, {
      hint: "The file belongs to a model of another shape.",
    });
  };
  const left = new Set(Object.keys(tensors));
  for (const { name, shape, dtype = "f32" } of expected) {
    const label = `tensor ${JSON.stringify(name)}`;
    if (!left.delete(name)) complain(`${label}: got nothing; expected ${dtype} [${shape}]`);
    const got = tensors[name];
    if (got.dtype !== dtype || got.shape.length !== shape.length || got.shape.some((n, i) => n !== shape[i])) {
      complain(`${label}: got ${got.dtype} [${got.shape}]; expected ${dtype} [${shape}]`);
    }
  }
  for (const name of left) {
    complain(
      `tensor ${JSON.stringify(name)}: got ${tensors[name].dtype} [${tensors[name].shape}]; expected no such tensor`,
    );
  }
}
