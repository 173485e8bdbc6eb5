/**
 * Turns an imported `.wgsl` file into a module, at build time: its text and what WGSL reflection says of it.
 * The same function serves esbuild (bundles) and Vite (tests), so that both see the same bindings and offsets.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

const SCALARS = new Set(["u32", "i32", "f32"]);

/** The names in a `// lib: math, philox` line among a file's leading comments. */
function libraryNames(source) {
  for (const line of source.split("\n")) {
    if (!/^\s*(\/\/|$)/.test(line)) return [];
    const names = /^\s*\/\/\s*lib:(.*)$/.exec(line)?.[1];
    if (names !== undefined)
      return names
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean);
  }
  return [];
}

const isLibrary = (file) => path.basename(path.dirname(file)) === "lib";

/** The file of a library that `file` names: `shaders/lib/NAME.wgsl` for `shaders/*.wgsl` and `shaders/lib/*.wgsl`. */
const libraryFile = (file, name) => path.join(path.dirname(file), isLibrary(file) ? "." : "lib", `${name}.wgsl`);

/** Drops comments, indentation and blank lines; line breaks stay, so that messages still point somewhere. */
export function strip(source) {
  let out = "";
  let depth = 0;
  for (let i = 0; i < source.length; i++) {
    const two = source.slice(i, i + 2);
    if (two === "/*") {
      depth++;
      i++;
    } else if (depth > 0) {
      if (two === "*/") {
        depth--;
        i++;
        out += " "; // a comment separates tokens
      }
    } else if (two === "//") {
      const end = source.indexOf("\n", i);
      i = end < 0 ? source.length : end - 1;
    } else out += source[i];
  }
  return out
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .join("\n");
}

/** The libraries a file needs, name to `{ file, code }`, each after those it needs itself. */
function resolveLibraries(file, source, found = new Map(), within = []) {
  for (const name of libraryNames(source)) {
    if (within.includes(name))
      throw new Error(`${file}: libraries need each other: ${[...within, name].join(" -> ")}.`);
    if (found.has(name)) continue;
    const library = libraryFile(file, name);
    if (!existsSync(library)) throw new Error(`${file}: its "lib" comment names "${name}"; there is no ${library}.`);
    const text = readFileSync(library, "utf8");
    resolveLibraries(library, text, found, [...within, name]);
    found.set(name, { file: library, code: strip(text) });
  }
  return found;
}

/** One WGSL text of several: `enable`, `requires` and `diagnostic` directives first, each once; then the rest. */
export function link(texts) {
  const directives = new Set();
  const bodies = texts.map((text) =>
    text.replace(/^(enable|requires|diagnostic)\b[^;]*;[ \t]*\n?/gm, (line) => {
      directives.add(line.trim());
      return "";
    }),
  );
  return [...directives, ...bodies].join("\n");
}

function reflect(file, code, libraries) {
  const fail = (what) => {
    throw new Error(`${file}: ${what}`);
  };
  let info;
  try {
    info = new WgslReflect(link([...libraries, code]));
  } catch (cause) {
    fail(`WGSL does not parse: ${cause.message ?? cause}`);
  }
  const entries = info.entry.compute;
  if (entries.length !== 1) fail(`has ${entries.length} compute entry points; a kernel has exactly one.`);

  const bindings = [...info.uniforms, ...info.storage]
    .map((v) => ({
      group: v.group,
      binding: v.binding,
      name: v.name,
      space: info.uniforms.includes(v) ? "uniform" : v.access === "read_write" ? "read_write" : "read",
    }))
    .sort((a, b) => a.group - b.group || a.binding - b.binding);

  const uniform = info.uniforms.find((v) => v.name === "params");
  if (uniform && (uniform.group !== 1 || uniform.binding !== 0)) fail("`params` must be @group(1) @binding(0).");
  const fields = uniform?.type.members?.map((m) => ({ name: m.name, offset: m.offset, type: m.type.name }));
  if (uniform && !fields) fail("`params` must be a struct.");
  for (const f of fields ?? []) {
    if (!SCALARS.has(f.type)) fail(`params.${f.name} is ${f.type}; parameter structs hold only u32, i32 and f32.`);
  }

  // The workgroup size is kept as written: a module constant may be specialised later.
  const size = /@workgroup_size\(([^)]*)\)/.exec(code);
  if (!size) fail("has no literal @workgroup_size(...).");
  const workgroupSize = size[1]
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (/^\d+u?$/.test(part) ? Number.parseInt(part, 10) : part));

  return {
    entryPoint: entries[0].name,
    workgroupSize,
    bindings,
    params: uniform ? { size: uniform.size, fields } : null,
  };
}

/**
 * Reads a `.wgsl` file. A kernel gives `{ name, code, libs, entryPoint, workgroupSize, bindings, params }`, a file of
 * shaders/lib `{ name, code, libs }`; `files` are all files read, for watchers.
 */
export function loadShader(file) {
  const absolute = path.resolve(file);
  const source = readFileSync(absolute, "utf8");
  const libraries = resolveLibraries(absolute, source);
  const shader = { name: path.basename(absolute, ".wgsl"), code: strip(source), libs: [...libraries.keys()] };
  const texts = [...libraries.values()];
  if (!isLibrary(absolute)) {
    Object.assign(
      shader,
      reflect(
        absolute,
        shader.code,
        texts.map((l) => l.code),
      ),
    );
  }
  return { shader, files: [absolute, ...texts.map((l) => l.file)] };
}

const toModule = (shader) => `export default ${JSON.stringify(shader)};\n`;

/** The plugin for esbuild. */
export function wgslForEsbuild() {
  return {
    name: "wgsl",
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, ({ path: file }) => {
        try {
          const { shader, files } = loadShader(file);
          return { contents: toModule(shader), loader: "js", watchFiles: files };
        } catch (error) {
          return { errors: [{ text: error.message }], watchFiles: [file] };
        }
      });
    },
  };
}

/** The plugin for Vite and Vitest. */
export function wgslForVite() {
  return {
    name: "wgsl",
    enforce: "pre",
    load(id) {
      if (!id.endsWith(".wgsl")) return null;
      const { shader, files } = loadShader(id);
      for (const file of files) this.addWatchFile(file);
      return { code: toModule(shader), map: null };
    },
  };
}
