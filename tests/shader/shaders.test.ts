import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ShaderModule } from "../../src/shader/module.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { link as join, loadShader } from "../../tools/wgsl.mjs";
import { openTestGpu } from "../devices.ts";

const folder = path.join(import.meta.dirname, "../../shaders");
const files = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
const libraries = readdirSync(path.join(folder, "lib"));

/** The text an editor sees: the libraries that a file names, then the file, nothing specialised. */
function unspecialised(file: string): { shader: ShaderModule; code: string } {
  const { shader, files: read } = loadShader(path.join(folder, file));
  const texts = read.slice(1).map((library) => readFileSync(library, "utf8"));
  return { shader: shader as ShaderModule, code: join([...texts, readFileSync(path.join(folder, file), "utf8")]) };
}

describe.each(files)("shaders/%s", (file) => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());
  const { shader, code } = unspecialised(file);

  it("is valid WGSL as it stands, once its libraries are put before it", async () => {
    if (/^enable f16/m.test(code) && !device.gpu.features.has("shader-f16")) return;
    if (/^enable subgroups/m.test(code) && !device.gpu.features.has("subgroups")) return;
    device.gpu.pushErrorScope("validation");
    const { messages } = await device.gpu.createShaderModule({ code }).getCompilationInfo();
    await device.gpu.popErrorScope();
    expect(messages.filter((m) => m.type === "error").map((m) => `line ${m.lineNum}: ${m.message}`)).toEqual([]);
  });

  it("says first what it computes, and is called as it is named", () => {
    expect(readFileSync(path.join(folder, file), "utf8")).toMatch(/^(\/\/ lib: .*\n)?\/\/ .{20,}/);
    expect(file).toMatch(/^[a-z][a-z0-9_]*\.wgsl$/);
  });

  it("touches its storage through hooks alone: one function, one access", () => {
    const functions = shader.code.split(/^(?=fn |@compute)/m).slice(1);
    const buffers = shader.bindings.filter((b) => b.space !== "uniform").map((b) => b.name);
    for (const text of functions) {
      if (/^fn (load|store|peek)\w*\(|^fn compute\(/.test(text)) continue;
      const name = /fn (\w+)/.exec(text)?.[1];
      for (const buffer of buffers)
        expect(text, `${name} reaches ${buffer} itself`).not.toMatch(new RegExp(`\\b${buffer}\\[`));
    }
  });

  it("takes its workgroup size from constants", () => {
    for (const size of shader.workgroupSize) {
      if (typeof size === "string") expect(shader.code).toMatch(new RegExp(`const ${size}: u32 = `));
      else expect(size).toBe(1);
    }
  });
});

it("every library is used", () => {
  const used = new Set(files.flatMap((file) => unspecialised(file).shader.libs));
  const inline = readdirSync(path.join(folder, "../src/ops"))
    .map((file) => readFileSync(path.join(folder, "../src/ops", file), "utf8"))
    .join("\n");
  for (const library of libraries) {
    const name = path.basename(library, ".wgsl");
    expect(used.has(name) || inline.includes(`shaders/lib/${library}`), library).toBe(true);
  }
});
