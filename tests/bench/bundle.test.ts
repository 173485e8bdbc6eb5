import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { combine, type Results } from "../../bench/results.ts";
import { BENCH_PROGRAMS, buildBenchPage } from "../../esbuild.config.mjs";
import { bundleProgram, repository, run } from "../support/program.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tilegrad-bench-"));
const bundle = path.join(folder, "dist/run.mjs");
beforeAll(async () => {
  fs.mkdirSync(path.dirname(bundle));
  fs.copyFileSync(await bundleProgram(path.join(repository, "bench/run.ts")), bundle);
  // What WebGPU in Node needs, and nothing of the project.
  fs.symlinkSync(path.join(repository, "node_modules"), path.join(folder, "node_modules"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Measures tilegrad on SwiftShader. */
async function bench(...args: string[]) {
  const options = ["--peer", "tilegrad-webgpu", "--device", "swiftshader", "--repeat", "1", "--budget", "1", "--json"];
  const { code, stdout, stderr } = await run(process.execPath, [bundle, ...args, ...options], { cwd: folder });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Results;
}

const results = path.join(folder, "results");

it("the benchmark is one file that measures a GPU from an empty folder", { timeout: 120_000 }, async () => {
  const { workloads } = await bench("xor", "matmul512");
  for (const { peers } of workloads) expect(peers["tilegrad-webgpu"].ms.median).toBeGreaterThan(0);
  expect(fs.readdirSync(results).sort()).toEqual(["swiftshader.json", "swiftshader.md"]);
});

it("names every program in its help", async () => {
  const { stdout } = await run(process.execPath, [bundle, "--help"], { cwd: folder });
  for (const name of BENCH_PROGRAMS) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
});

it("tells where the time of a step goes, kernel by kernel", { timeout: 120_000 }, async () => {
  const program = path.join(folder, "dist/profile.mjs");
  fs.copyFileSync(await bundleProgram(path.join(repository, "bench/profile.ts")), program);
  const { code, stdout, stderr } = await run(process.execPath, [program, "report", "--device", "swiftshader"], {
    cwd: folder,
  });
  expect(code, stderr).toBe(0);
  expect(stdout).toContain("### report");
  expect(stdout.match(/^\| (?:map|matmul|reduce)\w*\(/gm)?.length).toBeGreaterThan(5);
  expect(stdout).toMatch(/us a step in kernels; best seen: [\d.]+ GFLOP\/s/);
});

it("measures in a real Chromium what it measures in Node", { timeout: 120_000 }, async () => {
  await buildBenchPage(path.join(folder, "dist"));
  const inPage = await bench("xor", "--browser");
  const inNode = await bench("xor");
  const [ours, node] = [inPage, inNode].map(({ workloads: [{ peers }] }) => peers["tilegrad-webgpu"]);
  expect(ours.ms.median).toBeGreaterThan(0);
  expect(ours.dispatches).toBe(node.dispatches);
  expect(ours.proofs[0]).toBeCloseTo(node.proofs[0], 6);
  expect(fs.readFileSync(path.join(results, "chromium-swiftshader.md"), "utf8")).toContain(ours.about.browser);
  expect(ours.about.browser).toContain("Chrome/");
});

it("compares two result files, and fails where ours is slower", async () => {
  const file = (name: string, ms: number) => {
    const peer = combine([{ about: {}, firstMs: 1, ms: [ms], proofs: [1] }]);
    const workload = { name: "xor", peers: { "tilegrad-webgpu": peer }, unavailable: {} };
    const place = path.join(folder, name);
    fs.writeFileSync(place, JSON.stringify({ workloads: [workload] }));
    return place;
  };
  const [before, after] = [file("before.json", 1), file("after.json", 2)];
  const compare = (...args: string[]) => run(process.execPath, [bundle, "--compare", ...args]);
  const slower = await compare(before, after);
  expect(slower.stdout).toContain("| xor | tilegrad-webgpu | 2.00 | 2.00 slower |");
  expect(slower.code).toBe(1);
  expect((await compare(after, before)).code).toBe(0);
  expect((await compare(before, after, "--tolerance", "3")).code).toBe(0);
  expect((await compare(before)).code).toBe(2);
});
