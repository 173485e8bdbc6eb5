/**
 * JSON for files: written with sorted keys, so that equal values are equal bytes; read strictly, so that a repeated key
 * or a bottomless nesting is an error instead of a surprise. NaN and the infinities, which JSON lacks, are written as
 * the strings "NaN", "Infinity" and "-Infinity"; a real string of that text gets a "~" in front.
 */
import { TilegradError } from "../errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

const MAX_DEPTH = 100;
const NUMBER_NAME = /^(NaN|-?Infinity)$/;
const ESCAPED_NAME = /^~+(NaN|-?Infinity)$/;

/** The text of a value: keys sorted, two spaces of indent, lists of scalars on one line, `\n` at the end. */
export function stringifyJson(value: unknown): string {
  return `${write(value, "\n", "")}\n`;
}

function write(value: unknown, newline: string, path: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return writeNumber(value);
  if (typeof value === "string") return JSON.stringify(isNumberName(value) ? `~${value}` : value);
  const deeper = `${newline}  `;
  if (newline.length > 2 * MAX_DEPTH) throw notJson(path, `more than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    const items = Array.from(value, (item, i) => write(item, deeper, `${path}[${i}]`)); // map would leave holes out
    if (!value.some((item) => typeof item === "object" && item !== null)) return `[${items.join(", ")}]`;
    return `[${deeper}${items.join(`,${deeper}`)}${newline}]`;
  }
  if (!isPlainObject(value)) throw notJson(path, Object.prototype.toString.call(value));
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
  if (keys.length === 0) return "{}";
  const fields = keys.map((key) => `${JSON.stringify(key)}: ${write(value[key], deeper, `${path}.${key}`)}`);
  return `{${deeper}${fields.join(`,${deeper}`)}${newline}}`;
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

function isNumberName(text: string): boolean {
  return NUMBER_NAME.test(text) || ESCAPED_NAME.test(text);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function notJson(path: string, got: string): TilegradError {
  return new TilegradError("E_ARGUMENT", `JSON${path}: got ${got}; expected plain objects, lists, numbers and text.`, {
    hint: "Turn typed arrays into lists with Array.from and drop functions.",
  });
}

/**
 * The value of a file written by `stringifyJson`. Objects have no prototype, so any key is only a key.
 * @throws E_FILE as `parsePlainJson`.
 */
export function parseJson(bytes: Uint8Array, where: string): Json {
  return revive(parsePlainJson(bytes, where));
}

/**
 * The value of a UTF-8 JSON file (a byte order mark is skipped), with "NaN" left as text.
 * @throws E_FILE naming `where`: not UTF-8, not JSON, a repeated key, more than 100 levels.
 */
export function parsePlainJson(bytes: Uint8Array, where: string): Json {
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TilegradError("E_FILE", `${where}: got text that is not UTF-8 JSON (${reason}); expected JSON.`, {
      hint: "The file is truncated or damaged; save it again.",
      cause,
    });
  }
  checkKeys(text, where);
  return value;
}

/** JSON.parse keeps the last of repeated keys in silence; walk the (valid) text and refuse them. */
function checkKeys(text: string, where: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "{" || char === "[") {
      open.push(char === "{" ? new Set() : undefined);
      if (open.length > MAX_DEPTH) {
        throw new TilegradError("E_FILE", `${where}: got JSON nested deeper than ${MAX_DEPTH} levels; expected fewer.`);
      }
    } else if (char === "}" || char === "]") {
      open.pop();
    } else if (char === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      let next = i + 1;
      while (" \t\r\n".includes(text[next] ?? "x")) next++;
      if (text[next] !== ":") continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) {
        throw new TilegradError("E_FILE", `${where}: got the key ${JSON.stringify(key)} twice; expected once.`);
      }
      keys?.add(key);
    }
  }
}

function revive(value: Json | undefined): Json {
  if (typeof value === "string") {
    if (NUMBER_NAME.test(value)) return Number(value);
    return ESCAPED_NAME.test(value) ? value.slice(1) : value;
  }
  if (Array.isArray(value)) return value.map((item) => revive(item));
  if (typeof value !== "object" || value === null) return value ?? null;
  const copy: Record<string, Json> = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = revive(item);
  return copy;
}
