/**
 * Turns an imported `.wgsl` file into a module, at build time: its text and what WGSL reflection says of it.
 * The same function serves esbuild (bundles) and Vite (tests), so that both see the same bindings and offsets.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

const SCALARS = new Set(["u32", "i32", "f32"]);

/** The `// KEY: value` lines among a file's leading comments: `lib`, `io` and `items`. */
function headerOf(source) {
  const header = {};
  for (const line of source.split("\n")) {
    if (!/^\s*(\/\/|$)/.test(line)) break;
    const [, key, value] = /^\s*\/\/ (lib|io|items): (.*)$/.exec(line) ?? [];
    if (key) header[key] = value.trim();
  }
  return header;
}

const namesOf = (list) =>
  list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);

const isKernel = (source) => headerOf(source).items !== undefined || /^@compute/m.test(source);

/** The file of a library: beside the file that names it, or in `lib` beside that file's folder or in it. */
function libraryFile(file, name) {
  const folder = path.dirname(file);
  const places = [".", "lib", "../lib"].map((place) => path.join(folder, place, `${name}.wgsl`));
  const found = places.find((place) => place !== file && existsSync(place));
  if (!found) throw new Error(`${file}: its "lib" line names "${name}"; there is none of ${places.join(", ")}.`);
  return found;
}

/**
 * Buffers and hooks of an `io` line: `x, kernel 1|4, indices: u32 -> y 4, z peek`. Each input has a function `load_x(i)`, each
 * output `store_y(i, v)`; widths name those for one element, four, or both, and `peek` adds `peek_z(i)`. A line of one name
 * without an arrow is a hook that loads, computes and stores by itself.
 * @returns buffers `{ name, type, write }` in order, and hooks `{ name: type }`
 */
function readIo(file, line = "") {
  const buffers = [];
  const hooks = {};
  if (/^\w+$/.test(line)) return { buffers, hooks: { [line]: "" } };
  for (const [side, list] of line.split("->").entries()) {
    for (const entry of namesOf(list)) {
      const [, name, type = "f32", widths = "1", peek] =
        /^(\w+)(?:: (\w+))?(?: (1\|4|4))?( peek)?$/.exec(entry) ??
        fail(
          file,
          `its "io" line has "${entry}"; expected NAME, then ": TYPE", "1|4" or "4", and "peek" where they apply.`,
        );
      buffers.push({ name, type, write: side === 1 });
      const kind = side === 1 ? "store" : "load";
      for (const width of widths.split("|"))
        hooks[`${kind}_${name}${width === "4" ? "4" : ""}`] = width === "4" ? `vec4<${type}>` : type;
      if (peek) hooks[`peek_${name}`] = type;
    }
  }
  return { buffers, hooks };
}

/** WGSL that stands for what the compiler writes: a binding of its own for each buffer, and hooks that do nothing but reach it. */
function defaultsOf({ buffers, hooks }, first) {
  const bindings = buffers.map(
    ({ name, type, write }, k) =>
      `@group(1) @binding(${first + k}) var<storage, ${write ? "read_write" : "read"}> ${name}: array<${type}>;\n`,
  );
  const functions = Object.entries(hooks).map(([hook, type]) => {
    const [, kind, name] = /^(load|store|peek)_(\w+)$/.exec(hook) ?? [];
    const wide = type.startsWith("vec4");
    const buffer = wide ? name.slice(0, -1) : name;
    const places = wide ? ["i", "i + 1u", "i + 2u", "i + 3u"] : ["i"];
    const elements = places.map((place) => `${buffer}[${place}]`);
    if (kind === undefined) return `fn ${hook}(i: u32) {\n  _ = i;\n}\n`;
    if (kind === "store") {
      const stores = elements.map((element, k) => `  ${element} = ${wide ? `v.${"xyzw"[k]}` : "v"};\n`);
      return `fn ${hook}(i: u32, v: ${type}) {\n${stores.join("")}}\n`;
    }
    return `fn ${hook}(i: u32) -> ${type} {\n  return ${wide ? `${type}(${elements.join(", ")})` : elements[0]};\n}\n`;
  });
  return [bindings.join(""), ...functions].filter(Boolean).join("\n");
}

/** The entry point of a kernel that has `item`: a thread for each `i` that `items` is true for. */
const itemMain = (items) => `@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * WG + id.x;
  if (${items}) {
    item(i);
  }
}
`;

function fail(file, what) {
  throw new Error(`${file}: ${what}`);
}

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

/** The files of the libraries that `file` needs, by name, each after those it needs itself. */
function resolveLibraries(file, source, found = new Map(), within = []) {
  for (const name of namesOf(headerOf(source).lib ?? "")) {
    if (within.includes(name)) fail(file, `libraries need each other: ${[...within, name].join(" -> ")}.`);
    if (found.has(name)) continue;
    const library = libraryFile(file, name);
    const text = readFileSync(library, "utf8");
    resolveLibraries(library, text, found, [...within, name]);
    found.set(name, { file: library, source: text });
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

/** A kernel's source without its entry point, and that. */
function splitMain(file, source) {
  const { items } = headerOf(source);
  const at = source.search(/^@compute/m);
  if (items !== undefined) {
    if (at >= 0) fail(file, 'has an "items" line and an entry point of its own; one of them is too many.');
    if (!/^fn item\(/m.test(source)) fail(file, 'has an "items" line, but no `fn item(i: u32)`.');
    return { rest: /^const WG\b/m.test(source) ? source : `${source}\nconst WG: u32 = 64;\n`, main: itemMain(items) };
  }
  const end = source.indexOf("\n}", at);
  if (end >= 0 && source.slice(end + 2).trim() !== "")
    fail(file, "has something after its entry point; that stands last.");
  return { rest: source.slice(0, at), main: source.slice(at) };
}

/** The parts of a file: its libraries, what stands for what the compiler writes, itself, and the entry point. */
function partsOf(file) {
  const source = readFileSync(file, "utf8");
  const libraries = resolveLibraries(file, source);
  const io = readIo(file, headerOf(source).io);
  if (!isKernel(source)) return { source, libraries, io, rest: source };
  const { rest, main } = splitMain(file, source);
  const ios = [...libraries.values()].map((library) => readIo(library.file, headerOf(library.source).io));
  const all = [...ios, io];
  const texts = [...[...libraries.values()].map((library) => library.source), rest];
  const declarations = [
    texts.some((text) => /^struct Params\b/m.test(text)) ? "@group(1) @binding(0) var<uniform> params: Params;\n" : "",
    defaultsOf(
      { buffers: all.flatMap((part) => part.buffers), hooks: Object.assign({}, ...all.map((part) => part.hooks)) },
      1,
    ),
  ].join("");
  if (texts.some((text) => /var<(storage|uniform)/.test(text)))
    fail(
      file,
      'binds a buffer itself; inputs and outputs stand in its "io" line, and `struct Params` is bound as `params`.',
    );
  return { source, libraries, io, rest, main, text: link([...texts.slice(0, -1), declarations, rest, main]) };
}

/** A kernel as an editor and a compiler of WGSL take it: with its libraries, a binding and a plain hook for each buffer. */
export function linkedText(file) {
  const { text } = partsOf(path.resolve(file));
  return `${(text ?? fail(file, "is a library, not a kernel.")).replace(/\n{3,}/g, "\n\n").trim()}\n`;
}

const folder = path.join(import.meta.dirname, "../shaders");

/** Every file of shaders/ by its path there, with what it says of itself first. */
export const shaderFiles = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".wgsl"))
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const source = readFileSync(file, "utf8");
      const about = /^\/\/ (?!(?:lib|io|items): )(.*)$/m.exec(source)?.[1] ?? "";
      return { file, name: name.replaceAll(path.sep, "/"), about, kernel: isKernel(source) };
    });

/** What `npm run wgsl` prints: of a kernel, by its file's name, all of its text; without one, the list of kernels. */
export function describeShader(name) {
  const kernels = shaderFiles().filter(({ kernel }) => kernel);
  if (name === undefined) return kernels.map(({ name, about }) => `${name.padEnd(40)} ${about}`).join("\n");
  const found = kernels.find(({ file }) => path.basename(file, ".wgsl") === path.basename(name, ".wgsl"));
  if (!found) throw new Error(`wgsl: got "${name}"; expected a kernel of shaders/. \`npm run wgsl\` lists them.`);
  return linkedText(found.file);
}

function reflect(file, text, main) {
  let info;
  try {
    info = new WgslReflect(strip(text));
  } catch (cause) {
    fail(file, `WGSL does not parse: ${cause.message ?? cause}`);
  }
  const entries = info.entry.compute;
  if (entries.length !== 1 || entries[0].name !== "main")
    fail(file, `has the entry points ${entries.map(({ name }) => name).join(", ")}; a kernel has one, \`main\`.`);

  const uniform = info.uniforms.find((v) => v.name === "params");
  const fields = uniform?.type.members?.map((m) => ({ name: m.name, offset: m.offset, type: m.type.name }));
  for (const f of fields ?? []) {
    if (!SCALARS.has(f.type))
      fail(file, `params.${f.name} is ${f.type}; parameter structs hold only u32, i32 and f32.`);
  }

  // The workgroup size is kept as written: a module constant may be specialised later.
  const size = /@workgroup_size\(([^)]*)\)/.exec(main);
  if (!size) fail(file, "has no literal @workgroup_size(...).");
  const workgroupSize = namesOf(size[1]).map((part) => (/^\d+u?$/.test(part) ? Number.parseInt(part, 10) : part));
  return { workgroupSize, params: uniform ? { size: uniform.size, fields } : null };
}

/**
 * Reads a `.wgsl` file. A kernel, which has an entry point or an `items` line, gives `{ name, code, libs, hooks, main, itemwise,
 * workgroupSize, params }`, another file, a library, `{ name, code, libs, hooks }`, with `libs` likewise. `files` are all files
 * read, for watchers.
 */
export function loadShader(file) {
  const absolute = path.resolve(file);
  const { source, libraries, io, rest, main, text } = partsOf(absolute);
  const direct = namesOf(headerOf(source).lib ?? "").map((name) => loadShader(libraries.get(name).file).shader);
  const shader = { name: path.basename(absolute, ".wgsl"), code: strip(rest), libs: direct, hooks: io.hooks };
  if (main !== undefined) {
    const itemwise = /^fn item\(/m.test(rest);
    Object.assign(shader, { main: strip(main), itemwise, ...reflect(absolute, text, main) });
  }
  return { shader, files: [absolute, ...[...libraries.values()].map((library) => library.file)] };
}

/** The module of a file: libraries are imports, so that each is bundled once, and only where a kernel needs it. */
function toModule(file) {
  const { shader, files } = loadShader(file);
  const folder = path.dirname(path.resolve(file));
  const paths = shader.libs.map(({ name }) =>
    path.relative(
      folder,
      files.find((f) => path.basename(f, ".wgsl") === name),
    ),
  );
  const imports = paths.map((to, k) => `import lib${k} from ${JSON.stringify(`./${to.split(path.sep).join("/")}`)};\n`);
  const { libs, ...rest } = shader;
  const fields = Object.entries(rest).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  fields.push(`libs: [${libs.map((_, k) => `lib${k}`).join(", ")}]`);
  return { contents: `${imports.join("")}export default { ${fields.join(", ")} };\n`, files };
}

/** The plugin for esbuild. */
export function wgslForEsbuild() {
  return {
    name: "wgsl",
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, ({ path: file }) => {
        try {
          const { contents, files } = toModule(file);
          return { contents, loader: "js", watchFiles: files };
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
      const { contents, files } = toModule(id);
      for (const file of files) this.addWatchFile(file);
      return { code: contents, map: null };
    },
  };
}
