import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { bundleProgram, repository, run } from "../support/program.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-bench-"));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

it("the benchmark is one file that measures a GPU from an empty folder", { timeout: 120_000 }, async () => {
  const bundle = path.join(folder, "dist/run.mjs");
  fs.mkdirSync(path.dirname(bundle));
  fs.copyFileSync(await bundleProgram(path.join(repository, "bench/run.ts")), bundle);
  // What WebGPU in Node needs, and nothing of the project.
  fs.symlinkSync(path.join(repository, "node_modules"), path.join(folder, "node_modules"));
  const options = ["--peer", "tilegrad-webgpu", "--device", "swiftshader", "--repeat", "1", "--budget", "1", "--json"];
  const { code, stdout, stderr } = await run(process.execPath, [bundle, "xor", "matmul512", ...options], {
    cwd: folder,
  });
  expect(code, stderr).toBe(0);
  const { workloads } = JSON.parse(stdout);
  const [xor, product] = workloads.map((w: { peers: Record<string, unknown> }) => w.peers["tilegrad-webgpu"]);
  expect(xor.ms.median).toBeGreaterThan(0);
  expect(product.ms.median).toBeGreaterThan(0);
  expect(fs.readdirSync(path.join(folder, "results")).sort()).toEqual(["swiftshader.json", "swiftshader.md"]);
});
