/** Safetensors files that others have written: all types of the format, as f32, i32 or u32. */
import { TilegradError } from "../errors.ts";
import type { DType } from "../graph/types.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { floatsOfBrainFloats, floatsOfHalves } from "./elements.ts";
import type { Stored, StoredTensor } from "./safetensors.ts";
import { ARRAYS, decodeTensors, OWN_TYPES } from "./safetensors.ts";

type Values = ArrayLike<number> | ArrayLike<bigint>;

const converted = (width: number, dtype: DType, read: (buffer: ArrayBuffer) => Values): Stored => ({
  width,
  dtype,
  read: (buffer, where) => inWords(read(buffer), dtype, where),
});

const TYPES: ReadonlyMap<string, Stored> = new Map<string, Stored>([
  ...OWN_TYPES,
  ["F16", converted(2, "f32", (buffer) => floatsOfHalves(new Uint16Array(buffer)))],
  ["BF16", converted(2, "f32", (buffer) => floatsOfBrainFloats(new Uint16Array(buffer)))],
  ["F64", converted(8, "f32", (buffer) => new Float64Array(buffer))],
  ["I64", converted(8, "i32", (buffer) => new BigInt64Array(buffer))],
  ["U64", converted(8, "u32", (buffer) => new BigUint64Array(buffer))],
  ["I16", converted(2, "i32", (buffer) => new Int16Array(buffer))],
  ["U16", converted(2, "u32", (buffer) => new Uint16Array(buffer))],
  ["I8", converted(1, "i32", (buffer) => new Int8Array(buffer))],
  ["U8", converted(1, "u32", (buffer) => new Uint8Array(buffer))],
  ["BOOL", converted(1, "u32", (buffer) => new Uint8Array(buffer))],
]);

const safetensorsOptions = () => ({
  /** Names of the tensors that are wanted, of those that are there; default: all. Others may be of any type. */
  only: is.strings,
});

export interface SafetensorsOptions extends OptionsOf<typeof safetensorsOptions> {}

/**
 * The tensors and the metadata of a safetensors file. F16 and BF16 become f32, F64 too (rounded); integers and booleans become
 * i32 or u32, by their sign. Everything is checked before a tensor is allocated; the records have no prototype, so any name
 * is only a name.
 * @param where what to call the file in errors.
 * @throws E_FILE when the file is truncated, inconsistent, not safetensors, or a tensor is of another type or holds an integer
 *   that 32 bits cannot.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  where: string,
  options: SafetensorsOptions = {},
): { tensors: Record<string, StoredTensor>; metadata: Record<string, string> } {
  checkValue("decodeSafetensors", "bytes", bytes, is.bytes);
  const { only } = checkOptions("decodeSafetensors", options, safetensorsOptions());
  return decodeTensors(bytes, where, TYPES, (name) => only?.includes(name) ?? true);
}

/** @throws E_FILE for an integer that 32 bits cannot hold */
function inWords(values: Values, dtype: DType, where: string): StoredTensor["data"] {
  if (values instanceof ARRAYS[dtype]) return values;
  const words = new ARRAYS[dtype](values.length);
  for (let i = 0; i < values.length; i++) {
    words[i] = Number(values[i]);
    if (dtype === "f32" || words[i] === Number(values[i])) continue;
    throw new TilegradError("E_FILE", `${where}: got ${values[i]}; expected integers that ${dtype} can hold.`, {
      hint: "Leave the tensor out by naming those that are wanted: { only: [...] }.",
    });
  }
  return words;
}
