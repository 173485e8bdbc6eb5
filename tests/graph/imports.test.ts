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
    .matchAll(/^(?:import|export)\s(?!\w+ =)([^;"]*?)from "(\.[^"]+\.ts)"/gm);
  return [...statements]
    .filter(([, what]) => types || !what.startsWith("type "))
    .map(([, , from]) => path.relative(root, path.join(path.dirname(file), from)));
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

it("no file imports itself through others", () => {
  expect(cycles(graphOf(false))).toEqual([]);
});

it("nor do types, but for nodes that hold their op and ops that are made of nodes", () => {
  expect(cycles(graphOf(true))).toEqual(["graph/types.ts -> ops/op.ts -> graph/types.ts"]);
});

const BELOW_TRAINING = ["graph", "ops", "passes", "shader", "webgpu", "cpu", "model"];
const DESCRIPTION = ["graph", "ops", "passes", "model"];

it("nothing below the trainer knows of training, and nothing that describes a graph of devices", () => {
  for (const [file, imports] of graphOf(true)) {
    const folder = file.split(path.sep)[0];
    for (const from of imports) {
      const into = from.split(path.sep)[0];
      if (BELOW_TRAINING.includes(folder))
        expect(["train", "cli", "node"], `${file} imports ${from}`).not.toContain(into);
      if (DESCRIPTION.includes(folder)) expect(["webgpu", "cpu"], `${file} imports ${from}`).not.toContain(into);
    }
  }
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
