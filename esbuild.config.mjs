/** All bundles: library, command line, demo, oracles, benchmarks. `npm run build` calls it. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { wgslForEsbuild } from "./tools/wgsl.mjs";

const root = path.dirname(fileURLToPath(import.meta.url));
const PEERS = ["webgpu", "koffi", "@sparticuz/chromium", "@resvg/resvg-js", "hyparquet"];
const SIZE_GOAL_KB = 60;

const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  plugins: [wgslForEsbuild()],
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

/** dist/index.js (browser), dist/node.js and dist/cli.js. The first two share chunks, so that they share classes. */
export async function buildLibrary() {
  for (const made of ["index.js", "node.js", "cli.js", "chunks", "types"]) {
    rmSync(path.join(root, "dist", made), { recursive: true, force: true });
  }
  await esbuild.build({
    ...common,
    entryPoints: { index: "src/index.ts", node: "src/node.ts" },
    outdir: "dist",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*", ...PEERS],
  });
  const hashbang = readFileSync(path.join(root, "src/cli/main.ts"), "utf8").startsWith("#!")
    ? ""
    : "#!/usr/bin/env node\n";
  await esbuild.build({
    ...node,
    banner: { js: hashbang + node.banner.js },
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/cli.js",
    minifySyntax: true,
  });
}

/** The smallest useful application, minified and gzipped, in bytes. */
export async function measureSize() {
  const result = await esbuild.build({
    ...common,
    stdin: {
      contents: `import { adam, binaryCrossentropy, compile, dense, sequential } from "./src/index.ts";
        globalThis.app = { adam, binaryCrossentropy, compile, dense, sequential };`,
      resolveDir: root,
    },
    minify: true,
    platform: "browser",
    treeShaking: true,
    write: false,
    metafile: true,
  });
  const bytes = gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
  const inputs = Object.entries(Object.values(result.metafile.outputs)[0].inputs);
  return { bytes, largest: inputs.map(([file, { bytesInOutput }]) => ({ file, bytes: bytesInOutput })) };
}

/** Prints the size of the smallest application against the goal, and what takes most of it. */
export async function reportSize() {
  const { bytes, largest } = await measureSize();
  console.log(`Browser bundle: ${(bytes / 1024).toFixed(1)} KB gzipped; the goal is ${SIZE_GOAL_KB} KB.`);
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
    splitting: true,
    sourcemap: true,
  });
