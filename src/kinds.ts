/** What an option may be, to be declared and checked by: `import * as is from "./kinds.ts"`. */

/** One kind of value; T is its type. */
export interface Kind<out T = unknown> {
  /** In messages, after "expected". */
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
  /** All that it may be, where these are some words. */
  readonly words?: readonly string[];
  /** Options may be left out, but for these. */
  readonly required?: true;
  /** What stands in JSON, where that is not the value itself. */
  toJson?(value: T): unknown;
  /** The value again. @param make of a layer's, a loss's or a schedule's `{ type, config }` */
  fromJson?(json: unknown, make: (json: unknown) => unknown): unknown;
  /** Of types only. */
  readonly type?: T;
}

export const required = <T>(kind: Kind<T>): Kind<T> & { readonly required: true } => ({ ...kind, required: true });

export const oneOf = <const W extends readonly string[]>(...words: W): Kind<W[number]> => ({
  expected: words.join(", "),
  holds: (v) => (words as readonly unknown[]).includes(v),
  words,
});

// biome-ignore lint/suspicious/noExplicitAny: so that `is.list as Kind<readonly Layer[]>` says what it is a list of
type Loose = any;

const isNumber = (v: unknown): v is number => typeof v === "number" && !Number.isNaN(v);

/** Where whoever uses it looks closer. */
export const anything: Kind<Loose> = { expected: "anything", holds: () => true };
export const number: Kind<number> = { expected: "a number", holds: isNumber };
export const finite: Kind<number> = { expected: "a finite number", holds: Number.isFinite };
export const nonNegative: Kind<number> = { expected: "a number of at least 0", holds: (v) => isNumber(v) && v >= 0 };
export const nonNegativeFinite: Kind<number> = {
  expected: "a finite number of at least 0",
  holds: (v) => isNumber(v) && v >= 0 && v < Infinity,
};
export const positive: Kind<number> = { expected: "a number above 0", holds: (v) => isNumber(v) && v > 0 };
export const positiveFinite: Kind<number> = {
  expected: "a finite number above 0",
  holds: (v) => isNumber(v) && v > 0 && v < Infinity,
};
export const fraction: Kind<number> = {
  expected: "a number in [0, 1)",
  holds: (v) => isNumber(v) && v >= 0 && v < 1,
};
export const share: Kind<number> = { expected: "a number in [0, 1]", holds: (v) => isNumber(v) && v >= 0 && v <= 1 };
export const positiveShare: Kind<number> = {
  expected: "a number in (0, 1]",
  holds: (v) => isNumber(v) && v > 0 && v <= 1,
};
/** Neither 0 nor 1. */
export const properFraction: Kind<number> = {
  expected: "a number in (0, 1)",
  holds: (v) => isNumber(v) && v > 0 && v < 1,
};
export const positiveInteger: Kind<number> = {
  expected: "a positive integer",
  holds: (v) => Number.isSafeInteger(v) && Number(v) > 0,
};
export const integerFrom = (least: number): Kind<number> => ({
  expected: `a whole number of at least ${least}`,
  holds: (v) => Number.isSafeInteger(v) && Number(v) >= least,
});
/** One of some words instead. */
export const or = <T, const W extends readonly string[]>(kind: Kind<T>, ...words: W): Kind<T | W[number]> => ({
  expected: `${kind.expected}, or ${words.join(" or ")}`,
  holds: (v) => kind.holds(v) || (words as readonly unknown[]).includes(v),
});
export const numberList: Kind<readonly number[]> = {
  expected: "a list of numbers",
  holds: (v) => Array.isArray(v) && v.every(isNumber),
};
/** Of lists, whoever uses it looks at the length. */
export const numbers: Kind<Loose> = {
  expected: "a number or a list of numbers",
  holds: (v) => isNumber(v) || numberList.holds(v),
};
export const values: Kind<ArrayLike<number>> = {
  expected: "an array of values, plain or typed",
  holds: (v) => Array.isArray(v) || (ArrayBuffer.isView(v) && "length" in v),
};
export const boolean: Kind<boolean> = { expected: "true or false", holds: (v) => typeof v === "boolean" };
export const string: Kind<string> = { expected: "a string", holds: (v) => typeof v === "string" };
export const callable: Kind<Loose> = { expected: "a function", holds: (v) => typeof v === "function" };
export const bytes: Kind<Uint8Array> = {
  expected: "bytes in a Uint8Array",
  holds: (v) => v instanceof Uint8Array,
};
export const strings: Kind<readonly string[]> = {
  expected: "a list of strings",
  holds: (v) => Array.isArray(v) && v.every(string.holds),
};
export const list: Kind<Loose> = { expected: "a list", holds: Array.isArray };
/** Neither null nor a list. */
export const object: Kind<Loose> = {
  expected: "an object",
  holds: (v) => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v),
};
/** From `openDevice`; its type is not here, below everything. */
export const device: Kind<Loose> = {
  expected: "a device, from await openDevice()",
  holds: (v) => typeof Object(v).compile === "function",
};
