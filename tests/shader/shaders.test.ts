import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ShaderModule } from "../../src/graph/shader.ts";
import { link } from "../../src/shader/link.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { linkedText, loadShader, shaderFiles } from "../../tools/wgsl.mjs";
import { openTestGpu } from "../devices.ts";

const ops = path.join(import.meta.dirname, "../../src/ops");

const NOTHING = { constants: {}, hooks: {}, declarations: "", libs: new Set<never>() };

const kernels = shaderFiles().filter(({ kernel }) => kernel);

describe.each(kernels)("shaders/$name", ({ file }) => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());
  const shader = loadShader(file).shader as ShaderModule;
  const code = linkedText(file);

  it.each([
    ["is valid WGSL once it is linked", code],
    ["touches its storage through hooks alone: it is valid without any", link(shader, NOTHING)],
  ])("%s", async (_, text) => {
    if (/^enable f16/m.test(text) && !device.gpu.features.has("shader-f16")) return;
    if (/^enable subgroups/m.test(text) && !device.gpu.features.has("subgroups")) return;
    device.gpu.pushErrorScope("validation");
    const { messages } = await device.gpu.createShaderModule({ code: text }).getCompilationInfo();
    await device.gpu.popErrorScope();
    expect(messages.filter((m) => m.type === "error").map((m) => `line ${m.lineNum}: ${m.message}`)).toEqual([]);
  });

  it("says first what it computes, and is called as it is named", () => {
    expect(readFileSync(file, "utf8")).toMatch(/^(\/\/ (lib|io|items): .*\n)+\/\/ (?!io|items).{20,}/);
    expect(path.basename(file)).toMatch(/^[a-z][a-z0-9_]*\.wgsl$/);
  });

  it("takes its workgroup size from constants", () => {
    for (const size of shader.workgroupSize) {
      if (typeof size === "string") expect(shader.code).toMatch(new RegExp(`const ${size}: u32 = `));
      else expect(size).toBe(1);
    }
  });
});

it("every library is used", () => {
  const used = new Set(kernels.flatMap(({ file }) => loadShader(file).files));
  const inline = readdirSync(ops, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(path.join(ops, file), "utf8"))
    .join("\n");
  for (const { file, name, kernel } of shaderFiles())
    expect(kernel || used.has(file) || inline.includes(`shaders/${name}`), name).toBe(true);
});
