/** Options of public functions, declared once: one declaration is their type, their check, and what messages say. */
import { TilegradError } from "./errors.ts";
import type { Kind } from "./kinds.ts";
import * as is from "./kinds.ts";
import { nearest } from "./nearest.ts";

/** What options there are. A function gives them where bundlers are to drop what an application does not use. */
export type Schema = Readonly<Record<string, Kind>>;

type Declared<S> = S extends () => infer D ? D : S;
type Values<S, N extends keyof S> = { readonly [K in N]: S[K] extends Kind<infer T> ? T : never };
type RequiredNames<S> = { [K in keyof S]: S[K] extends { readonly required: true } ? K : never }[keyof S];
type Flat<T> = { readonly [K in keyof T]: T[K] };
type Split<S, N extends keyof S> = Flat<Values<S, N> & Partial<Values<S, Exclude<keyof S, N>>>>;

/**
 * The type of declared options. As an interface it has a short name, and keeps the comments of the declaration:
 * `interface DenseOptions extends OptionsOf<typeof options> {}`.
 */
export type OptionsOf<S> = Split<Declared<S>, RequiredNames<Declared<S>>>;

/**
 * The options, once names that are no options, and values of another kind, are refused: in JavaScript, nothing else would
 * tell of them.
 * @throws E_ARGUMENT
 */
export function checkOptions<O extends object>(where: string, options: O, known: Schema): O {
  checkObject(where, options, "an object of options");
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !Object.hasOwn(known, name)) throw unknownOption(where, name, Object.keys(known));
  }
  for (const [name, kind] of Object.entries(known)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined || kind.required) checkValue(where, name, value, kind);
  }
  return options;
}

/** @throws E_ARGUMENT */
export function checkValue(where: string, name: string, value: unknown, kind: Kind): void {
  const { expected, holds, words } = kind;
  if (holds(value)) return;
  const near = words && typeof value === "string" && nearest(value, words);
  throw new TilegradError(
    "E_ARGUMENT",
    `${where}: got ${name} ${show(value)}; expected ${expected}.`,
    near ? { hint: `Did you mean "${near}"?` } : {},
  );
}

/** Neither null nor a list. */
export const isObject = (value: unknown): value is object => is.object.holds(value);

/** @throws E_ARGUMENT */
export function checkObject(where: string, value: unknown, expected: string): asserts value is object {
  checkFields(where, value, {}, expected);
}

/** An object, by those of its fields that are looked at. @param expected what has them @throws E_ARGUMENT */
export function checkFields(where: string, value: unknown, fields: Schema, expected: string): void {
  const fits = isObject(value) && Object.entries(fields).every(([n, kind]) => kind.holds(Reflect.get(value, n)));
  if (!fits) throw new TilegradError("E_ARGUMENT", `${where}: got ${show(value)}; expected ${expected}.`);
}

type Whole<O, T> = object extends O ? (options?: O) => T : (options: O) => T;
type Rest<O, P extends unknown[]> = object extends O ? [...P, options?: O] : [...P, options: O];

/** Makes a T of options O: of all in one object, or of the first ones by place, P, which are the properties of R. */
export type Maker<T, O, P extends unknown[], R> = {
  readonly type: string;
  readonly options: () => Schema;
} & (P extends [] ? Whole<O, T> : { (...given: Rest<Omit<O, keyof R>, P>): T; (options: O): T });

/** No options; nothing comes by place. */
export const none = (): Record<never, never> => ({});

/**
 * A maker. Mark the call `@__PURE__`: it then costs nothing where nobody uses it.
 * @param places what comes by place, as options
 * @param make gets checked options, those left out not among them
 */
export function defineMaker<S extends Schema, P extends unknown[], R extends object, O extends OptionsOf<S>, T>(
  type: string,
  options: () => S,
  places: (...given: P) => R,
  make: (options: O) => T,
): Maker<T, O, P, R> {
  const maker = (...given: unknown[]): T => {
    const whole = isObject(given[0]) && !("call" in given[0]);
    const [named, ...more] = whole ? given : given.slice(places.length);
    const rest = named === undefined ? {} : named;
    checkObject(type, rest, "an object of options");
    const extra = more.find((value) => value !== undefined);
    if (extra !== undefined) throw new TilegradError("E_ARGUMENT", `${type}: got ${show(extra)} after all options.`);
    const all = checkOptions(type, whole ? rest : { ...places(...(given as P)), ...rest }, options());
    return make(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as O);
  };
  return Object.assign(maker, { type, options }) as unknown as Maker<T, O, P, R>;
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
