/** Options of public functions by name and kind. */
import { TilegradError } from "./errors.ts";
import { nearest } from "./nearest.ts";

const isNumber = (v: unknown): v is number => typeof v === "number" && !Number.isNaN(v);

const kinds = {
  any: { expected: "anything", holds: (_: unknown) => true },
  number: { expected: "a number", holds: isNumber },
  finite: { expected: "a finite number", holds: Number.isFinite },
  nonNegative: { expected: "a number of at least 0", holds: (v: unknown) => isNumber(v) && v >= 0 },
  nonNegativeFinite: {
    expected: "a finite number of at least 0",
    holds: (v: unknown) => isNumber(v) && v >= 0 && v < Infinity,
  },
  positive: { expected: "a number above 0", holds: (v: unknown) => isNumber(v) && v > 0 },
  fraction: { expected: "a number in [0, 1)", holds: (v: unknown) => isNumber(v) && v >= 0 && v < 1 },
  positiveInteger: { expected: "a positive integer", holds: (v: unknown) => Number.isSafeInteger(v) && Number(v) > 0 },
  numbers: {
    expected: "a number or a list of numbers",
    holds: (v: unknown) => isNumber(v) || (Array.isArray(v) && v.every(isNumber)),
  },
  numberList: { expected: "a list of numbers", holds: (v: unknown) => Array.isArray(v) && v.every(isNumber) },
  values: {
    expected: "an array of values, plain or typed",
    holds: (v: unknown) => Array.isArray(v) || (ArrayBuffer.isView(v) && "length" in v),
  },
  boolean: { expected: "true or false", holds: (v: unknown) => typeof v === "boolean" },
  string: { expected: "a string", holds: (v: unknown) => typeof v === "string" },
  function: { expected: "a function", holds: (v: unknown) => typeof v === "function" },
  bytes: { expected: "bytes in a Uint8Array", holds: (v: unknown) => v instanceof Uint8Array },
  device: {
    expected: "a device, from await openDevice()",
    holds: (v: unknown) => typeof Object(v).compile === "function",
  },
  strings: {
    expected: "a list of strings",
    holds: (v: unknown) => Array.isArray(v) && v.every((s) => typeof s === "string"),
  },
  list: { expected: "a list", holds: (v: unknown) => Array.isArray(v) },
  object: {
    expected: "an object",
    holds: (v: unknown) => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v),
  },
};

type Kind = keyof typeof kinds | readonly string[];

/**
 * What an option may be: a kind, or one of some words. Where several kinds may be, `any`, and whoever uses it looks closer.
 * Options may be left out, but for required ones.
 */
export type OptionKind = Kind | { readonly required: Kind };

/** The table of options of a type: none is missing, and each is of its kind. Write `{ ... } satisfies OptionKinds<Options>`. */
export type OptionKinds<O> = {
  readonly [K in keyof O]-?:
    | KindOf<Exclude<O[K], undefined>>
    | (undefined extends O[K] ? never : { readonly required: KindOf<O[K]> });
};
type NumberKind =
  | "number"
  | "finite"
  | "nonNegative"
  | "nonNegativeFinite"
  | "positive"
  | "fraction"
  | "positiveInteger";
type KindOf<T> =
  | "any"
  | ([T] extends [boolean] ? "boolean" : never)
  | ([T] extends [number] ? NumberKind : never)
  | ([T] extends [number | readonly number[]] ? "numbers" : never)
  | ([T] extends [readonly number[]] ? "numberList" : never)
  | ([T] extends [readonly string[]] ? "strings" : never)
  | ([T] extends [string] ? "string" | readonly T[] : never)
  | ([T] extends [(...args: never[]) => unknown] ? "function" : never)
  | ([T] extends [{ compile(...args: never[]): unknown }] ? "device" : never)
  | ([T] extends [readonly unknown[]] ? "list" : never)
  | ([T] extends [ArrayLike<unknown>] ? "values" : never)
  | ([T] extends [object] ? "object" : never);

/**
 * The options, once names that are no options, and values of another kind, are refused: in JavaScript, nothing else would
 * tell of them.
 * @throws E_ARGUMENT
 */
export function checkOptions<O extends object>(
  where: string,
  options: O,
  known: Readonly<Record<string, OptionKind>>,
): O {
  checkObject(where, options, "an object of options");
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !Object.hasOwn(known, name)) throw unknownOption(where, name, Object.keys(known));
  }
  for (const [name, given] of Object.entries(known)) {
    const value: unknown = Reflect.get(options, name);
    const required = typeof given === "object" && "required" in given;
    if (value === undefined && !required) continue;
    checkValue(where, name, value, required ? given.required : given);
  }
  return options;
}

const holds = (value: unknown, kind: Kind): boolean =>
  typeof kind === "string"
    ? kinds[kind as keyof typeof kinds].holds(value)
    : (kind as readonly unknown[]).includes(value);

/** @throws E_ARGUMENT */
export function checkValue(where: string, name: string, value: unknown, kind: Kind): void {
  if (holds(value, kind)) return;
  const words = typeof kind === "string" ? null : kind;
  const expected = words ? words.join(", ") : kinds[kind as keyof typeof kinds].expected;
  const near = words && typeof value === "string" && nearest(value, words);
  throw new TilegradError(
    "E_ARGUMENT",
    `${where}: got ${name} ${show(value)}; expected ${expected}.`,
    near ? { hint: `Did you mean "${near}"?` } : {},
  );
}

/** Neither null nor a list. */
export const isObject = (value: unknown): value is object => kinds.object.holds(value);

/** @throws E_ARGUMENT */
export function checkObject(where: string, value: unknown, expected: string): asserts value is object {
  checkFields(where, value, {}, expected);
}

/** An object, by those of its fields that are looked at. @param expected what has them @throws E_ARGUMENT */
export function checkFields(
  where: string,
  value: unknown,
  fields: Readonly<Record<string, Kind>>,
  expected: string,
): void {
  if (isObject(value) && Object.entries(fields).every(([name, kind]) => holds(Reflect.get(value, name), kind))) return;
  throw new TilegradError("E_ARGUMENT", `${where}: got ${show(value)}; expected ${expected}.`);
}

function unknownOption(where: string, wrong: string, names: readonly string[]): TilegradError {
  const near = nearest(wrong, names);
  return new TilegradError(
    "E_ARGUMENT",
    `${where}: there is no option ${JSON.stringify(wrong)}; expected any of ${names.join(", ")}.`,
    { hint: near ? `Did you mean ${near}?` : "Leave it out." },
  );
}

const SHOWN = 4;

/** A value in a message: its beginning, however large, deep or cyclic it is. */
export function show(value: unknown, depth = 2): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const list = Array.isArray(value) || ArrayBuffer.isView(value);
  const names = list ? [] : Object.keys(value);
  const length = list ? (value as ArrayLike<unknown>).length : names.length;
  const first = Array.from({ length: depth > 0 ? Math.min(SHOWN, length) : 0 }, (_, i) => {
    const [before, at] = list ? ["", i] : [`${names[i]}: `, names[i]];
    return before + show(Reflect.get(value, at), depth - 1);
  });
  const parts = [...first, ...(first.length < length ? ["..."] : [])].join(", ");
  return list ? `[${parts}]` : parts ? `{ ${parts} }` : "{}";
}
