/** What docs/architecture.md says that the code can be asked for. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { repository } from "../support/program.ts";

const read = (file: string): string => fs.readFileSync(path.join(repository, file), "utf8");
const page = read("docs/architecture.md");

it("names files and folders that are there", () => {
  for (const file of ["docs/architecture.md", "CONTRIBUTING.md"]) {
    const named = Array.from(read(file).matchAll(/\b(?:src|shaders|tests|tools)\/[\w./]*\w/g), ([name]) => name);
    const examples = ["NAME", "FOLDER", "minimal_gated_unit", "minimalGatedUnit"];
    const absent = named.filter((name) => !fs.existsSync(path.join(repository, name)));
    expect(absent.filter((name) => !examples.some((example) => name.includes(example)))).toEqual([]);
  }
});

it("draws the stages that compile.ts calls, in their order", () => {
  const body = read("src/compile.ts").split("export function compileGraph")[1];
  const stages = body.matchAll(/\b(expand|simplify|storeInHalf|fuse|plan|lower|lowerResident|choosePlan)\(/g);
  const drawing = page.slice(0, page.indexOf("Imports go"));
  const places = Array.from(stages, ([, name]) => drawing.search(new RegExp(`\\b${name}\\b`)));
  expect(Math.min(...places)).toBeGreaterThan(0);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

it("tells what every folder of src is for", () => {
  const told = page.split("## Where things are")[1].split("\n## ")[0];
  const folders = fs.readdirSync(path.join(repository, "src"), { withFileTypes: true });
  for (const { name } of folders.filter((entry) => entry.isDirectory())) expect(told).toContain(`\`${name}/\``);
});

it("gives the arena's alignment as it is", () => {
  const [, floats] = /^const ALIGN = (\d+);/m.exec(read("src/train/parameters.ts")) ?? [];
  expect(page).toContain(`from a multiple of ${4 * Number(floats)} bytes on`);
});
