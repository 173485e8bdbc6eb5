import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/io/json.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseJson(bytes(text), "a.json");

describe("JSON files", () => {
  it("come back as they were, NaN, infinities, -0 and strings of those names included", () => {
    const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0);
    const names = fc.constantFrom("NaN", "~NaN", "~~Infinity", "-Infinity", "~", "nan");
    const leaf = fc.oneof(special, names, fc.double(), fc.string(), fc.boolean(), fc.constant(null));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(fc.property(tree, (value) => void expect(parse(stringifyJson(value))).toEqual(value)));
  });

  it("are the same bytes whatever the order of keys", () => {
    expect(stringifyJson({ b: 1, a: [1, 2], c: undefined })).toBe(stringifyJson({ a: [1, 2], b: 1 }));
    expect(stringifyJson({ b: [{ x: null }], a: [1, Number.NaN] })).toBe(
      '{\n  "a": [1, "NaN"],\n  "b": [\n    {\n      "x": null\n    }\n  ]\n}\n',
    );
  });

  it("refuse what is not plain JSON, naming the path", () => {
    expect(() => stringifyJson({ a: [1, new Float32Array(1)] })).toThrow("JSON.a[1]: got [object Float32Array]");
    expect(() => stringifyJson({ a: new Array(1) })).toThrow("JSON.a[0]: got [object Undefined]");
    expect(() => stringifyJson({ f: () => 1 })).toThrow("JSON.f: got [object Function]");
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => stringifyJson(circle)).toThrow("more than 100 levels");
  });

  it("cannot hide a repeated key", () => {
    expect(() => parse('{"a": 1, "b": {"a": 2}, "\\u0061": 3}')).toThrow('a.json: got the key "a" twice');
    expect(parse('[{"a": 1}, {"a": "a\\":{["}]')).toEqual([{ a: 1 }, { a: 'a":{[' }]);
  });

  it("cannot reach a prototype", () => {
    const value = parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it("are an E_FILE when truncated, not UTF-8, or nested without end", () => {
    expect(() => parse('{"a": ')).toThrow("a.json: got text that is not UTF-8 JSON");
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), "a.json")).toThrow("a.json");
    expect(() => parse("[".repeat(5000) + "]".repeat(5000))).toThrow("deeper than 100 levels");
    expect(parse('\uFEFF{"a": 1}')).toEqual({ a: 1 });
  });
});
