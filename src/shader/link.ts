/** Specialises a handwritten kernel: sets its constants, writes its hooks, and puts the libraries before it. */
import { invariant } from "../errors.ts";
import type { ShaderLibrary, ShaderModule } from "../graph/shader.ts";

export interface Specialisation {
  /** Values of module constants and aliases by name. */
  readonly constants: Readonly<Record<string, number | boolean | string>>;
  /** Whole hook functions by name. */
  readonly hooks: Readonly<Record<string, string>>;
  /** Declarations the hooks need: bindings. */
  readonly declarations: string;
  /** The libraries that the hooks need. */
  readonly libs: ReadonlySet<ShaderLibrary>;
}

const PARAMS = "@group(1) @binding(0) var<uniform> params: Params;";

export function link(shader: ShaderModule, { constants, hooks, declarations, libs }: Specialisation): string {
  const code = [specialise(shader, { constants, hooks }), shader.main].join("\n");
  const bindings = [...(shader.params ? [PARAMS] : []), declarations].join("\n");
  const own = new Set(librariesOf([shader]).map(({ name }) => name));
  return assemble([...libs], bindings, code, own);
}

/** A shader's libraries, its hooks, and its own text but for the entry point; constants of any of them are set. */
export function specialise(
  shader: ShaderModule,
  { constants, hooks }: Pick<Specialisation, "constants" | "hooks">,
): string {
  const parts = [...librariesOf([shader]), shader];
  const own: Record<string, string> = Object.assign({}, ...parts.map((part) => part.hooks));
  const unknown = Object.keys(hooks).find((name) => !(name in own));
  invariant(unknown === undefined, `shader ${shader.name} has no hook ${unknown}.`);
  const functions = Object.entries(own).map(([name, type]) => hooks[name] ?? emptyHook(name, type));
  let code = [...parts.slice(0, -1).map((lib) => lib.code), ...functions, shader.code].join("\n");
  for (const [name, value] of Object.entries(constants)) code = replaceConstant(shader.name, code, name, value);
  return code;
}

/** A hook that a use leaves out: it loads zeros, or stores nothing. */
function emptyHook(name: string, type: string): string {
  if (type === "") return `fn ${name}(i: u32) {}`;
  if (name.startsWith("store_")) return `fn ${name}(i: u32, v: ${type}) {}`;
  return `fn ${name}(i: u32) -> ${type} { return ${type}(); }`;
}

/** The libraries that shaders name, each after those it needs itself. */
export const librariesOf = (parts: readonly ShaderLibrary[]): ShaderLibrary[] =>
  unique(parts.flatMap(({ libs }) => libs.flatMap((lib) => [...librariesOf([lib]), lib])));

const unique = (libs: readonly ShaderLibrary[]): ShaderLibrary[] => [
  ...new Map(libs.map((lib) => [lib.name, lib])).values(),
];

/** Directives, then libraries with those that they need, but for those that `code` has, then declarations, then code. */
export function assemble(
  libs: readonly ShaderLibrary[],
  declarations: string,
  code: string,
  has: ReadonlySet<string> = new Set(),
): string {
  const all = unique([...librariesOf(libs), ...libs]).filter(({ name }) => !has.has(name));
  const text = [...all.map((lib) => lib.code), declarations, code].filter((part) => part !== "").join("\n");
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
