import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../../src");

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(file);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts") ? [file] : [];
  });
}

/** What a file imports from this project, types included or not. */
function importsOf(file: string, { types }: { types: boolean }): string[] {
  const statements = fs
    .readFileSync(file, "utf8")
    .matchAll(/^(?:import|export)\s(?!\w+ =)([^;"]*?)from "(\.[^"]+\.ts|#platform)"/gm);
  return [...statements]
    .filter(([, what]) => types || !what.startsWith("type "))
    .map(([, , from]) =>
      from === "#platform" ? "platform.ts" : path.relative(root, path.join(path.dirname(file), from)),
    )
    .filter((from) => !from.startsWith(".."));
}

const files = filesOf(root);
const graphOf = (types: boolean): Map<string, string[]> =>
  new Map(files.map((file) => [path.relative(root, file), importsOf(file, { types })]));

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.add([...trail.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return [...found];
}

it("no file imports itself through others, types included", () => {
  expect(cycles(graphOf(true))).toEqual([]);
});

/** All of src/, from the bottom up. What stands in a row knows nothing of rows above it, nor of others in its row but the first. */
const LAYERS: readonly (readonly string[])[] = [
  [
    "errors.ts",
    "nearest.ts",
    "kinds.ts",
    "numeric.ts",
    "options.ts",
    "random.ts",
    "textTable.ts",
    "values.ts",
    "globals.ts",
  ],
  ["policy"], //                       what kernels are chosen by: limits, costs, what was measured
  ["graph"], //                        nodes, the contract of an op, shader modules
  ["ops"],
  ["passes"],
  ["shader"],
  ["device.ts"],
  ["compile.ts"],
  ["metrics"],
  ["io"],
  ["data"],
  ["platform.ts"], //                  what node and browser have; `#platform` leads to one of them
  ["webgpu", "cpu"],
  ["openDevice.ts"],
  ["check"],
  ["model"],
  ["train"],
  ["tune"],
  ["explain", "resample"],
  ["report"],
  ["experiment"],
  ["api", "browser", "node"],
  ["cli"],
];

const partOf = (file: string): string => file.split(path.sep)[0];
const heightOf = (file: string): number => LAYERS.findIndex((layer) => layer.includes(partOf(file)));

it("every file of src has its place", () => {
  expect([...graphOf(true).keys()].filter((file) => heightOf(file) < 0)).toEqual([]);
});

it("imports go downwards only", () => {
  const upwards: string[] = [];
  for (const [file, imports] of graphOf(true)) {
    for (const from of imports) {
      const beside = partOf(file) !== partOf(from) && heightOf(file) === heightOf(from) && heightOf(file) > 0;
      if (heightOf(from) > heightOf(file) || beside) upwards.push(`${file} -> ${from}`);
    }
  }
  expect(upwards).toEqual([]);
});

it("only the Node side imports Node", () => {
  for (const file of files) {
    const name = path.relative(root, file);
    if (/^(node|cli)(\/|\.ts$)/.test(name.replaceAll(path.sep, "/"))) continue;
    expect(fs.readFileSync(file, "utf8"), name).not.toMatch(/from "node:/);
  }
});

it("experiments know neither commander nor the command line nor Node", () => {
  for (const file of filesOf(path.join(root, "experiment"))) {
    expect(fs.readFileSync(file, "utf8"), file).not.toMatch(/from "(node:|commander|\.\.\/(cli|node|browser)\/)/);
  }
});
