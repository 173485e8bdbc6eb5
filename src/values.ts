/** What callers give as labels, weights and features, as numbers. */
import { TilegradError } from "./errors.ts";
import * as is from "./kinds.ts";
import { checkValue, show } from "./options.ts";

/** Any indexable list of numbers: `number[]`, `Float32Array`, `Float64Array`, `Int32Array`, ... */
export type NumberList = ArrayLike<number>;

/** A Float32Array with memory of its own, which bytes of files and pages may be made of; before TypeScript 5.7, any. */
export type Floats = ReturnType<typeof Float32Array.of>;

/** Numbers as they come from elsewhere: 64-bit integers (NumPy's default), booleans, and lists of one value a row too. */
export type Numeric = ArrayLike<number | bigint | boolean | ArrayLike<number | bigint | boolean>>;

/**
 * The same numbers, one by one: 64-bit integers as doubles, false and true as 0 and 1, rows of one value as that value. What
 * holds nothing but numbers comes back as it is.
 * @param where what the numbers are for, for errors
 * @throws E_ARGUMENT for what is no list; E_DATA for an integer beyond 2^53 and for elements that are no numbers
 */
export function numbersOf(where: string, name: string, values: Numeric): NumberList {
  checkValue(where, name, values, is.values);
  if (ArrayBuffer.isView(values) && !(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)) {
    return values as unknown as NumberList;
  }
  let odd = 0;
  while (odd < values.length && typeof values[odd] === "number") odd++;
  if (odd === values.length) return values as NumberList;
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = numberOf(where, name, values[i], i);
  return numbers;
}

/** As `numbersOf`, in f32. */
export function floatsOf(where: string, name: string, values: Numeric): Float32Array {
  const numbers = numbersOf(where, name, values);
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

function numberOf(where: string, name: string, given: Numeric[number], row: number): number {
  const isRow = typeof given === "object" && given !== null && given.length === 1;
  const value = isRow ? given[0] : given;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return Number(value);
  throw new TilegradError("E_DATA", `${where}: ${name} of row ${row} is ${show(value)}; expected a number.`, {
    hint: hintOf(value),
  });
}

function hintOf(value: unknown): string {
  if (typeof value === "bigint") return "Doubles hold integers within 2^53; ids and codes are texts.";
  if (typeof value === "object" && value !== null) return "Give one flat array, row after row: rows.flat().";
  return "Texts become numbers in a table: readCsv or tableFromColumns, then fitPreprocessor and transform.";
}
