/** Hand-written validation of JSON files: a value with the place it stands at, so that each error can name it. */
import { TilegradError } from "../errors.ts";
import type { Json } from "./json.ts";

/** `value` stands at `path` (`weights[2].shape`) of the file `file`. */
export interface Place {
  readonly value: Json | undefined;
  readonly file: string;
  readonly path: string;
}

/** E_FILE: what stands at the place, and what should. */
export function misplaced(place: Place, expected: string, hint?: string): TilegradError {
  const shown = place.value === undefined ? "nothing" : (JSON.stringify(place.value) ?? "nothing");
  const got = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  const path = place.path === "" ? "" : `${place.path}: `;
  return new TilegradError("E_FILE", `${place.file}: ${path}got ${got}; expected ${expected}.`, { hint });
}

/** The field `key` of the object at a place; its value is undefined when absent. */
export function field(place: Place, key: string): Place {
  const fields = asObject(place);
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { value, file: place.file, path: place.path === "" ? key : `${place.path}.${key}` };
}

export function asObject(place: Place): { readonly [key: string]: Json | undefined } {
  const { value } = place;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw misplaced(place, "an object");
  return value as { readonly [key: string]: Json | undefined };
}

export function asList(place: Place): Place[] {
  if (!Array.isArray(place.value)) throw misplaced(place, "a list");
  return place.value.map((value: Json, i) => ({ value, file: place.file, path: `${place.path}[${i}]` }));
}

export function asString(place: Place): string {
  if (typeof place.value !== "string") throw misplaced(place, "text");
  return place.value;
}

/** A number, NaN and infinities included. */
export function asNumber(place: Place): number {
  if (typeof place.value !== "number") throw misplaced(place, "a number");
  return place.value;
}

export function asFinite(place: Place): number {
  const value = asNumber(place);
  if (!Number.isFinite(value)) throw misplaced(place, "a finite number");
  return value;
}

export function asBoolean(place: Place): boolean {
  if (typeof place.value !== "boolean") throw misplaced(place, "true or false");
  return place.value;
}

export function asWord<W extends string>(place: Place, words: readonly W[]): W {
  const found = words.find((word) => word === place.value);
  if (found === undefined) throw misplaced(place, words.join(", "));
  return found;
}

/** A whole number in [0, 2^53). */
export function asCount(place: Place): number {
  const { value } = place;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw misplaced(place, "a whole number >= 0");
  }
  return value;
}

export function asShape(place: Place): number[] {
  return asList(place).map(asCount);
}

/** Any value, but not none. */
export function asJson(place: Place): Json {
  if (place.value === undefined) throw misplaced(place, "a value");
  return place.value;
}

/** What `read` gives, or undefined where nothing or null stands. */
export function optional<T>(place: Place, read: (place: Place) => T): T | undefined {
  return place.value === undefined || place.value === null ? undefined : read(place);
}
