import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repository, run } from "../support/program.ts";

const BIOME = path.join(repository, "node_modules/@biomejs/biome/bin/biome");
const UNTIDY = "const   untidy = 'text'\n";

describe("the lint step", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-lint-"));
    for (const file of ["biome.json", ".gitignore"]) {
      fs.copyFileSync(path.join(repository, file), path.join(folder, file));
    }
    write("src/tidy.ts", 'export const tidy = "text";\n');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function write(file: string, text: string) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  }
  const lint = () => run(process.execPath, [BIOME, "check", "--error-on-warnings"], { cwd: folder });

  it("passes over what programs and commands of the documentation leave behind", async () => {
    for (const file of ["tilegrad-model/model.json", "first-model/model.json", "search/1/model.json", "trace.json"]) {
      write(file, '{"a"  :1}');
    }
    for (const file of ["first.mjs", "report.js", "dist/node.js", "bench/dist/run.js", ".cache/a.mjs"]) {
      write(file, UNTIDY);
    }
    const { code, stdout, stderr } = await lint();
    expect(code, stdout + stderr).toBe(0);
  });

  it("reads every file of the project", async () => {
    const files = [
      "src/a.ts",
      "src/b/c.ts",
      "tests/a.test.ts",
      "bench/a.ts",
      "demo/a.ts",
      "tools/a.mjs",
      "a.config.mjs",
    ];
    for (const file of files) write(file, UNTIDY);
    write("package.json", '{"a"  :1}');
    const { code, stdout, stderr } = await lint();
    expect(code).toBe(1);
    for (const file of [...files, "package.json"]) expect(stdout + stderr).toContain(`${file} `);
  });
});
