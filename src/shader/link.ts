/** Specialises a handwritten kernel: replaces named declarations, and nothing else, and puts the libraries before it. */

import gates from "../../shaders/lib/gates.wgsl";
import gatesSubgroup from "../../shaders/lib/gates_subgroup.wgsl";
import math from "../../shaders/lib/math.wgsl";
import matmul from "../../shaders/lib/matmul.wgsl";
import philox from "../../shaders/lib/philox.wgsl";
import rows from "../../shaders/lib/rows.wgsl";
import rowsSubgroup from "../../shaders/lib/rows_subgroup.wgsl";
import sample from "../../shaders/lib/sample.wgsl";
import { invariant } from "../errors.ts";
import type { ShaderLibrary, ShaderModule } from "./module.ts";

const libraries: Readonly<Record<string, ShaderLibrary>> = {
  gates,
  gates_subgroup: gatesSubgroup,
  math,
  matmul,
  philox,
  rows,
  rows_subgroup: rowsSubgroup,
  sample,
};

export interface Specialisation {
  /** Values of module constants and aliases by name. */
  readonly constants: Readonly<Record<string, number | boolean | string>>;
  /** Whole hook functions by name. */
  readonly hooks: Readonly<Record<string, string>>;
  /** Declarations the hooks need: bindings. They replace the kernel's own storage bindings. */
  readonly declarations: string;
  readonly libs: ReadonlySet<ShaderLibrary>;
}

export function link(shader: ShaderModule, { constants, hooks, declarations, libs }: Specialisation): string {
  return assemble([shader, ...libs], declarations, specialise(shader, { constants, hooks }));
}

/** A shader's own text with its constants and hooks replaced and its storage bindings, which were the hooks', gone. */
export function specialise(
  shader: ShaderModule,
  { constants, hooks }: Pick<Specialisation, "constants" | "hooks">,
): string {
  let code = shader.code;
  for (const [name, value] of Object.entries(constants)) code = replaceConstant(shader.name, code, name, value);
  for (const { name, space } of shader.bindings) {
    if (space === "uniform") continue;
    code = code.replace(new RegExp(`@group\\(\\d+\\) @binding\\(\\d+\\) var<storage[^>]*> ${name}:[^;]*;\\n?`), "");
  }
  for (const [name, text] of Object.entries(hooks)) {
    const span = functionSpan(code, name);
    invariant(span, `shader ${shader.name} has no hook ${name}.`);
    code = code.slice(0, span.start) + text + code.slice(span.end);
  }
  // Hooks that this use leaves out load zeros and store nothing.
  for (const [, name, type] of code.matchAll(/fn ((?:load|store)_\w+)\([^)]*\)(?: -> ([^{]*))?/g)) {
    if (name in hooks) continue;
    const span = functionSpan(code, name);
    invariant(span, `shader ${shader.name}: hook ${name} does not end.`);
    code = `${code.slice(0, span.body)}{${type ? ` return ${type.trim()}(); ` : ""}}${code.slice(span.end)}`;
  }
  return code;
}

/** The text of the libraries that a shader names, in order. */
export const librariesOf = ({ libs }: ShaderLibrary): string => libs.map((name) => libraries[name].code).join("\n");

/** Directives, then the libraries that `users` name or are, then declarations, then code. */
export function assemble(users: readonly ShaderLibrary[], declarations: string, code: string): string {
  const named = users.flatMap((part) => part.libs.map((name) => libraries[name]));
  const all = new Set([...named, ...users.filter((part) => libraries[part.name] === part)]);
  const text = [...[...all].map((lib) => lib.code), declarations, code].filter((part) => part !== "").join("\n");
  const directives = new Set(text.match(/^enable [^;]*;$/gm) ?? []);
  return [...directives, text.replace(/^enable [^;]*;\n/gm, "")].join("\n");
}

function replaceConstant(shader: string, code: string, name: string, value: number | boolean | string): string {
  const alias = new RegExp(`(alias ${name} = )[^;]*;`);
  const constant = new RegExp(`(const ${name}: (\\w+) = )[^;]*;`);
  const [, , type] = constant.exec(code) ?? [];
  invariant(type !== undefined || alias.test(code), `shader ${shader} has no constant ${name}.`);
  const text = type === "u32" ? `${value}u` : String(value);
  return type === undefined ? code.replace(alias, `$1${text};`) : code.replace(constant, `$1${text};`);
}

/** Where a function stands in the text: its start, the brace that opens its body, and its end. */
export function functionSpan(code: string, name: string): { start: number; body: number; end: number } | null {
  const start = code.search(new RegExp(`fn ${name}\\(`));
  if (start < 0) return null;
  const body = code.indexOf("{", start);
  let depth = 0;
  for (let at = body; at < code.length; at++) {
    if (code[at] === "{") depth++;
    else if (code[at] === "}" && --depth === 0) return { start, body, end: at + 1 };
  }
  return null;
}
