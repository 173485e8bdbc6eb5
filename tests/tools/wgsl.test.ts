import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ShaderModule } from "../../src/graph/shader.ts";
import { link, linkedText, loadShader, strip } from "../../tools/wgsl.mjs";
import imported from "./shaders/double.wgsl";

const file = (name: string) => path.join(import.meta.dirname, "shaders", name);

describe("loadShader", () => {
  const double = loadShader(file("double.wgsl")).shader as ShaderModule;

  it("lists the hooks of its `io` line, and of a library's, with their types", () => {
    expect(double.hooks).toEqual({
      load_x: "f32",
      load_x4: "vec4<f32>",
      store_y: "f32",
      peek_y: "f32",
      store_z4: "vec4<u32>",
    });
    expect(double.libs[0].libs[0].hooks).toEqual({ load_w: "f32" });
  });

  it("gives the byte offsets of the parameter struct", () => {
    expect(double.params).toEqual({
      size: 12,
      fields: [
        { name: "n", offset: 0, type: "u32" },
        { name: "shift", offset: 4, type: "i32" },
        { name: "scale", offset: 8, type: "f32" },
      ],
    });
  });

  it("keeps the entry point apart, with the workgroup size as written", () => {
    expect(double.main).toMatch(/^@compute/);
    expect(double.code).not.toContain("@compute");
    expect(double.workgroupSize).toEqual(["WG", 2]);
    expect(double.itemwise).toBe(false);
  });

  it("writes the entry point of a kernel that has `item`, with its guard", () => {
    const each = loadShader(file("each.wgsl")).shader as ShaderModule;
    expect(each.itemwise).toBe(true);
    expect(each.workgroupSize).toEqual(["WG"]);
    expect(each.code).toContain("const WG: u32 = 64;");
    expect(each.main).toContain("if (i < params.count) {\nitem(i);\n}");
  });

  it("gives libraries as they import each other, and keeps their text out of the kernel's", () => {
    expect(double.libs.map(({ name }) => name)).toEqual(["two"]);
    expect(double.libs[0].libs.map(({ name }) => name)).toEqual(["one"]);
    expect(double.code).not.toContain("fn one");
  });

  it("gives name, code and libraries of a library", () => {
    const { shader, files } = loadShader(file("lib/two.wgsl"));
    const one = { name: "one", code: expect.stringContaining("fn one"), libs: [], hooks: { load_w: "f32" } };
    expect(shader).toEqual({ name: "two", code: "fn two() -> f32 { return one() + one(); }", libs: [one], hooks: {} });
    expect(files).toEqual([file("lib/two.wgsl"), file("lib/one.wgsl")]);
  });

  it("is what an import gives", () => {
    expect(imported).toEqual(double);
  });

  it.each([
    ["parameters that are not u32, i32 or f32", "bad_params", /params\.size is vec2/],
    ["libraries that are not there", "no_library", /names "nowhere"/],
    ["a buffer that the file binds itself", "own_binding", /binds a buffer itself/],
    ["an io line that it cannot read", "bad_io", /has "x 8"; expected NAME/],
  ])("refuses %s", (_, name, message) => {
    expect(() => loadShader(file(`${name}.wgsl`))).toThrow(message);
  });
});

describe("linkedText", () => {
  it("has libraries, a binding and a plain hook for each buffer, and the file as it is", () => {
    const text = linkedText(file("double.wgsl"));
    expect(text).toContain("@group(1) @binding(0) var<uniform> params: Params;");
    const bindings = [...text.matchAll(/@binding\((\d)\) var<storage, (\w+)> (\w+): array<(\w+)>;/g)];
    expect(bindings.map(([, ...found]) => found)).toEqual([
      ["1", "read", "w", "f32"],
      ["2", "read", "x", "f32"],
      ["3", "read_write", "y", "f32"],
      ["4", "read_write", "z", "u32"],
    ]);
    expect(text).toContain("return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);");
    expect(text).toContain("z[i + 3u] = v.w;");
    expect(text).toContain("fn one() -> f32 { return load_w(0u); }");
  });
});

describe("strip", () => {
  it("drops comments, nested ones too, but not line breaks of code", () => {
    expect(strip("  let a = 1; // one\n\n/* two /* three */ */ let b = a / 2;\n")).toBe("let a = 1;\nlet b = a / 2;");
  });
});

describe("link", () => {
  it("hoists directives, each once", () => {
    expect(link(["enable f16;\nfn a() {}", "enable f16;\nenable subgroups;\nfn b() {}"])).toBe(
      "enable f16;\nenable subgroups;\nfn a() {}\nfn b() {}",
    );
  });
});
