import { readdirSync } from "node:fs";
import path from "node:path";
import type { ShaderModule } from "../../src/graph/shader.ts";
import { loadShader } from "../../tools/wgsl.mjs";

const folder = path.join(import.meta.dirname, "../../shaders");

/** Every file of shaders/, by its path there. */
export const shaderFiles = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".wgsl"))
  .map((file) => ({ file: path.join(folder, file), name: file.replaceAll(path.sep, "/") }));

const isKernel = (file: string): boolean => "main" in loadShader(file).shader;

export const kernelFiles = shaderFiles.filter(({ file }) => isKernel(file));
export const libraryFiles = shaderFiles.filter(({ file }) => !isKernel(file));

export const loadKernel = (file: string): ShaderModule => loadShader(file).shader as ShaderModule;
