import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as VitePlugin } from "vite";

/** What has been bundled as text so far, as esbuild's metafile names it. */
export const bundledInputs: Set<string>;
export function bundleForEsbuild(): EsbuildPlugin;
export function bundleForVite(): VitePlugin;
