/** All bundles: library, command line, demo, oracles, benchmarks. `npm run build` calls it. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { bundledInputs, bundleForEsbuild } from "./tools/bundle.mjs";
import { noticesOf, packagesOf } from "./tools/licences.mjs";
import { wgslForEsbuild } from "./tools/wgsl.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));
const PEERS = ["webgpu", "koffi", "@sparticuz/chromium", "@resvg/resvg-js", "hyparquet", "hyparquet-compressors"];
/** In dist: what the licences of bundled packages ask to be told. */
const NOTICES = "THIRD-PARTY.txt";
export const SIZE_GOAL_KB = 45;

/** In the checkout `#platform` is Node's, as tsconfig.json says, but for bundles with this alias. */
export const BROWSER = { "#platform": path.join(root, "src/browser/platform.ts") };

const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [wgslForEsbuild(), bundleForEsbuild()],
  logLevel: "warning",
};

/** What runs in Node; a bundled CommonJS package may ask for `require`. */
const node = {
  ...common,
  platform: "node",
  target: "node20",
  external: PEERS,
  // The benchmark carries the Python that it measures PyTorch with.
  loader: { ".py": "text" },
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);',
  },
};

/** What package.json exports and imports: each file of src/api, and both platforms. */
const ENTRIES = [
  ...readdirSync(path.join(root, "src/api")).map((file) => `src/api/${file}`),
  "src/node/platform.ts",
  "src/browser/platform.ts",
];
const LIBRARY = {
  ...common,
  entryPoints: ENTRIES,
  platform: "neutral",
  mainFields: ["module", "main"],
  external: ["node:*", ...PEERS],
};

/** Where a file of src or shaders has its module in dist, without the ending; undefined for what is not ours. */
function moduleOf(file) {
  const match = /^(src\/|(?=shaders\/))(.*)\.(ts|wgsl)$/.exec(path.relative(root, file).replaceAll(path.sep, "/"));
  return match?.[2];
}

/** Leaves imports of our own files as they are, by their names in dist. */
const keepModules = {
  name: "keep-modules",
  setup(build) {
    build.onResolve({ filter: /^#platform$/ }, ({ path }) => ({ path, external: true }));
    build.onResolve({ filter: /^\./ }, ({ path: wanted, resolveDir, importer }) => {
      const [from, to] = [importer, path.resolve(resolveDir, wanted)].map(moduleOf);
      if (!from || !to) return undefined;
      const relative = path.posix.relative(path.posix.dirname(from), `${to}.js`);
      return { path: relative.startsWith(".") ? relative : `./${relative}`, external: true };
    });
  },
};

/**
 * dist/api/*.js, both platforms and dist/cli.js. All but the last stay modules of their own, so that who bundles an app has of
 * them what it uses; a bundler cannot tell what may be left out of one large file.
 */
export async function buildLibrary() {
  const kept = ["oracles.js", "demo"];
  for (const made of existsSync(path.join(root, "dist")) ? readdirSync(path.join(root, "dist")) : []) {
    if (!kept.includes(made)) rmSync(path.join(root, "dist", made), { recursive: true });
  }
  const { metafile } = await esbuild.build({
    ...LIBRARY,
    outdir: "dist",
    splitting: true,
    write: false,
    metafile: true,
  });
  const used = Object.keys(metafile.inputs).filter((file) => moduleOf(path.join(root, file)));
  const { outputFiles } = await esbuild.build({
    ...LIBRARY,
    entryPoints: Object.fromEntries(used.map((file) => [moduleOf(path.join(root, file)), file])),
    outdir: "dist",
    splitting: true,
    write: false,
    plugins: [keepModules, ...common.plugins],
  });
  for (const { path: file, text } of outputFiles) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const hashbang = readFileSync(path.join(root, "src/cli/main.ts"), "utf8").startsWith("#!")
    ? ""
    : "#!/usr/bin/env node\n";
  const cli = await esbuild.build({
    ...node,
    banner: { js: hashbang + node.banner.js },
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/cli.js",
    minifySyntax: true,
    metafile: true,
  });
  const inputs = [metafile, cli.metafile].flatMap(({ inputs }) => Object.keys(inputs));
  const bundled = packagesOf([...inputs, ...bundledInputs]);
  writeFileSync(path.join(root, "dist", NOTICES), noticesOf(root, bundled));
}

/** What an application needs that is given its device, and what opens one. */
const APP = ["sequential", "dense", "compile", "binaryCrossentropy", "adam"];
const OPEN = "openDevice";

/**
 * An application that imports `names`, minified and gzipped, in bytes.
 * @param options.from tilegrad, as a program in the folder `options.within` names it
 */
export async function measureSize(names = APP, { from = "./src/api/core.ts", within = root } = {}) {
  const result = await esbuild.build({
    ...common,
    stdin: {
      contents: `import { ${names} } from ${JSON.stringify(from)}; globalThis.app = { ${names} };`,
      resolveDir: within,
    },
    minify: true,
    platform: "browser",
    // A package brings its own.
    ...(from.startsWith(".") ? { alias: BROWSER } : {}),
    treeShaking: true,
    write: false,
    metafile: true,
  });
  const bytes = gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
  const inputs = Object.entries(Object.values(result.metafile.outputs)[0].inputs);
  return { bytes, largest: inputs.map(([file, { bytesInOutput }]) => ({ file, bytes: bytesInOutput })) };
}

/** Prints the size of a small application against the goal, and what takes most of it. */
export async function reportSize() {
  const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const { bytes, largest } = await measureSize();
  const opening = await measureSize([...APP, OPEN]);
  console.log(`A browser app that imports ${APP.join(", ")}: ${kb(bytes)} gzipped; the goal is ${SIZE_GOAL_KB} KB.`);
  console.log(`With ${OPEN}, which brings the backends: ${kb(opening.bytes)}.`);
  largest.sort((a, b) => b.bytes - a.bytes);
  for (const { file, bytes } of largest.slice(0, 8))
    console.log(`  ${(bytes / 1024).toFixed(1).padStart(6)} KB minified  ${file}`);
}

/** Bundles one program for Node and gives its file; packages stay outside. */
async function buildProgram(entry, outfile) {
  await esbuild.build({ ...node, banner: {}, packages: "external", entryPoints: [entry], outfile });
  return outfile;
}

export const buildOracles = () => buildProgram("tests/oracles/run.ts", "dist/oracles.js");

export const buildSoak = () => buildProgram("tests/faults/soak.ts", ".cache/soak.mjs");

/** Beside bench/node_modules, where the packages it compares with are. */
export const buildBench = () => buildProgram("bench/run.ts", "bench/dist/run.js");

/** The benchmark in Chromium: the program that drives it, the page, and each installed peer as a module of its own. */
export async function buildBenchPage(folder = "bench/dist") {
  await buildProgram("bench/chromium.ts", path.join(folder, "chromium.js"));
  const peers = Object.keys(JSON.parse(readFileSync(path.join(root, "bench/package.json"), "utf8")).dependencies);
  const installed = peers.filter((name) => existsSync(path.join(root, "bench/node_modules", name)));
  await esbuild.build({
    ...common,
    absWorkingDir: path.join(root, "bench"),
    entryPoints: { page: "page.ts", ...Object.fromEntries(installed.map((name) => [`packages/${name}`, name])) },
    outdir: path.resolve(root, folder, "page"),
    splitting: true,
    platform: "browser",
    alias: BROWSER,
  });
  const wasm = path.join(root, "bench/node_modules/@tensorflow/tfjs-backend-wasm/dist");
  for (const file of existsSync(wasm) ? readdirSync(wasm) : []) {
    if (file.endsWith(".wasm")) copyFileSync(path.join(wasm, file), path.resolve(root, folder, "page", file));
  }
}

/** Programs of the benchmark without any peer. */
export const BENCH_PROGRAMS = ["kernels", "profile", "encoding", "scaling", "smote", "streaming"];
export const buildBenchProgram = (name) => buildProgram(`bench/${name}.ts`, `bench/dist/${name}.js`);

export const buildDemo = () =>
  esbuild.build({
    ...common,
    entryPoints: ["demo/main.ts"],
    outdir: "dist/demo",
    platform: "browser",
    alias: BROWSER,
    splitting: true,
    sourcemap: true,
  });
