import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { link } from "../../src/shader/link.ts";
import type { ShaderModule } from "../../src/shader/module.ts";
import type { WebGpuDevice } from "../../src/webgpu/device.ts";
import { linkedText, loadShader } from "../../tools/wgsl.mjs";
import { openTestGpu } from "../devices.ts";

const folder = path.join(import.meta.dirname, "../../shaders");
const files = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
const libraries = readdirSync(path.join(folder, "lib"));

const NOTHING = { constants: {}, hooks: {}, declarations: "", libs: new Set<never>() };

describe.each(files)("shaders/%s", (file) => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openTestGpu();
  });
  afterAll(() => device.dispose());
  const shader = loadShader(path.join(folder, file)).shader as ShaderModule;
  const code = linkedText(path.join(folder, file));

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
    expect(readFileSync(path.join(folder, file), "utf8")).toMatch(
      /^(\/\/ (lib|io|items): .*\n)+\/\/ (?!io|items).{20,}/,
    );
    expect(file).toMatch(/^[a-z][a-z0-9_]*\.wgsl$/);
  });

  it("takes its workgroup size from constants", () => {
    for (const size of shader.workgroupSize) {
      if (typeof size === "string") expect(shader.code).toMatch(new RegExp(`const ${size}: u32 = `));
      else expect(size).toBe(1);
    }
  });
});

it("every library is used", () => {
  const used = new Set(
    files.flatMap((file) => loadShader(path.join(folder, file)).files.map((read) => path.basename(read))),
  );
  const inline = readdirSync(path.join(folder, "../src/ops"))
    .map((file) => readFileSync(path.join(folder, "../src/ops", file), "utf8"))
    .join("\n");
  for (const library of libraries) {
    expect(used.has(library) || inline.includes(`shaders/lib/${library}`), library).toBe(true);
  }
});
