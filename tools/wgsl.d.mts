import type { Plugin as EsbuildPlugin } from "esbuild";
import type { Plugin as VitePlugin } from "vite";
import type { ShaderLibrary, ShaderModule } from "../src/graph/shader.ts";

/** Reads a `.wgsl` file with its libraries; `files` are all files read. Throws when it cannot be parsed. */
export function loadShader(file: string): { shader: ShaderModule | ShaderLibrary; files: string[] };
/** A kernel with all that its comment lines stand for: valid WGSL. */
export function linkedText(file: string): string;
/** Every file of shaders/ by its path there, with what it says of itself first. */
export function shaderFiles(): { file: string; name: string; about: string; kernel: boolean }[];
/** The text of a kernel as `linkedText`, by its file's name; without one, the list of kernels. */
export function describeShader(name?: string): string;
/** Drops comments, indentation and blank lines. */
export function strip(source: string): string;
/** One WGSL text of several, directives hoisted. */
export function link(texts: readonly string[]): string;
export function wgslForEsbuild(): EsbuildPlugin;
export function wgslForVite(): VitePlugin;
