import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { apiReference, ENTRIES, entryFile, programOf, readEntries } from "../../tools/api.mjs";
import { adviceOn, optionTables, readOptions } from "../../tools/optionTables.mjs";
import { repository } from "../support/program.ts";

const read = (file: string): string => fs.readFileSync(path.join(repository, file), "utf8");

/** Values that each entry exports, at most: who exports more thinks twice, and raises it here. */
const MOST = {
  tilegrad: 105,
  "tilegrad/data": 50,
  "tilegrad/metrics": 35,
  "tilegrad/resample": 20,
  "tilegrad/report": 25,
  "tilegrad/experiment": 25,
  "tilegrad/io": 15,
  "tilegrad/graph": 10,
};

const program = programOf(ENTRIES.map(entryFile));

describe("what is exported", () => {
  const entries = readEntries(program);

  it("is named by package.json, entry by entry", () => {
    const { exports } = JSON.parse(read("package.json"));
    const named = Object.keys(exports).filter((name) => name !== "./package.json");
    expect(named.map((name) => name.replace(".", "tilegrad"))).toEqual(entries.map(({ name }) => name));
  });

  it("is no more than an entry should have", () => {
    for (const { name, values } of entries) {
      expect(values.length, name).toBeLessThanOrEqual(MOST[name as keyof typeof MOST]);
    }
  });

  it("is documented: every value has a docstring, and docs/api.md is current (node tools/api.mjs)", () => {
    const all = entries.flatMap(({ values, namespaces }) => [
      ...values,
      ...namespaces.flatMap((space) => space.values),
    ]);
    expect(all.filter(({ says }) => says === "").map(({ name }) => name)).toEqual([]);
    expect(read("docs/api.md")).toBe(apiReference(entries));
  });

  it("has each name once", () => {
    const names = entries.flatMap(({ values }) => values.map(({ name }) => name));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe("options", () => {
  const found = readOptions(program);

  it("of every function have a comment, where they are declared", () => {
    const silent = [...found].flatMap(([name, { options, isFunction }]) =>
      options.flatMap((option: { readonly name: string; readonly says: string }) =>
        isFunction && option.says === "" ? [`${name}.${option.name}`] : [],
      ),
    );
    expect(silent).toEqual([]);
  });

  it("stand in the tables of the documents, which are current (node tools/optionTables.mjs)", () => {
    const { documents, left } = optionTables(found);
    expect(left, adviceOn(left)).toEqual([]);
    for (const [file, text] of documents) expect(fs.readFileSync(file, "utf8"), file).toBe(text);
  });

  it("of a function that stands in no table are told, with what to do", () => {
    const { left } = optionTables(new Map([...found, ["swish", { options: [], isFunction: true, expected: true }]]));
    expect(left).toEqual(["swish"]);
    expect(adviceOn(left)).toMatch(/^In no table of docs.*: swish\. Name it in the comment "<!-- options of/);
  });

  it("say what they may be and whether they are needed", () => {
    const { options } = found.get("dense") ?? expect.fail("dense is not found");
    expect(options[0]).toEqual({
      name: "units",
      needed: true,
      words: "a positive integer",
      says: "Numbers of the output.",
    });
  });
});
