import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ShaderModule } from "../../src/shader/module.ts";
import { link, loadShader, strip } from "../../tools/wgsl.mjs";
import imported from "./shaders/double.wgsl";

const file = (name: string) => path.join(import.meta.dirname, "shaders", name);

describe("loadShader", () => {
  const double = loadShader(file("double.wgsl")).shader as ShaderModule;

  it("lists bindings by group and number, with what each allows", () => {
    expect(double.bindings).toEqual([
      { group: 0, binding: 0, name: "x", space: "read" },
      { group: 0, binding: 1, name: "y", space: "read_write" },
      { group: 1, binding: 0, name: "params", space: "uniform" },
    ]);
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

  it("names the entry point, and the workgroup size as written", () => {
    expect(double.entryPoint).toBe("main");
    expect(double.workgroupSize).toEqual(["WG", 2]);
  });

  it("puts a library after those it needs, and keeps their text out of the kernel's", () => {
    expect(double.libs).toEqual(["one", "two"]);
    expect(double.code).not.toContain("fn one");
  });

  it("gives name, code and libraries of a library", () => {
    const { shader, files } = loadShader(file("lib/two.wgsl"));
    expect(shader).toEqual({ name: "two", code: "fn two() -> f32 { return one() + one(); }", libs: ["one"] });
    expect(files).toEqual([file("lib/two.wgsl"), file("lib/one.wgsl")]);
  });

  it("is what an import gives", () => {
    expect(imported).toEqual(double);
  });

  it("refuses parameters that are not u32, i32 or f32, and libraries that are not there", () => {
    expect(() => loadShader(file("bad_params.wgsl"))).toThrow(/params\.size is vec2/);
    expect(() => loadShader(file("no_library.wgsl"))).toThrow(/names "nowhere"/);
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
