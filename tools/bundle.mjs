/**
 * `import text from "./worker.ts?bundle"`: a module with all that it imports as the text of one script, for a worker that is
 * made of it. No file lies beside the code then, whoever bundles it.
 */
import path from "node:path";
import { buildSync } from "esbuild";
import { root } from "./process.mjs";

const SUFFIX = "?bundle";
const PEERS = ["hyparquet", "hyparquet-compressors"];

/** What has been bundled as text so far, as esbuild's metafile names it. */
export const bundledInputs = new Set();

function bundled(file) {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: PEERS,
    minify: true,
    legalComments: "none",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const files = Object.keys(metafile.inputs);
  for (const input of files) bundledInputs.add(input);
  return { text: outputFiles[0].text, files: files.map((input) => path.join(root, input)) };
}

/** The plugin for esbuild. */
export function bundleForEsbuild() {
  return {
    name: "bundle",
    setup(build) {
      build.onResolve({ filter: /\?bundle$/ }, ({ path: wanted, resolveDir }) => ({
        path: path.resolve(resolveDir, wanted.slice(0, -SUFFIX.length)),
        namespace: "bundle",
      }));
      build.onLoad({ filter: /.*/, namespace: "bundle" }, ({ path: file }) => {
        const { text, files } = bundled(file);
        return { contents: text, loader: "text", watchFiles: files };
      });
    },
  };
}

/** The plugin for Vite and Vitest. */
export function bundleForVite() {
  return {
    name: "bundle",
    enforce: "pre",
    resolveId(wanted, importer) {
      return wanted.endsWith(SUFFIX) && importer ? path.resolve(path.dirname(importer), wanted) : null;
    },
    load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const { text, files } = bundled(id.slice(0, -SUFFIX.length));
      for (const file of files) this.addWatchFile(file);
      return { code: `export default ${JSON.stringify(text)};`, map: null };
    },
  };
}
