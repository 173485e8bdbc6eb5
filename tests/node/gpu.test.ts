import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TilegradError } from "../../src/errors.ts";
import { type NodeGpu, openGpu } from "../../src/node/gpu.ts";
import { chromiumArchives, importPeer } from "../../src/node/peers.ts";
import type { GpuName } from "../../src/platform.ts";
import { bundleProgram, run } from "../support/program.ts";

const fails = (promise: Promise<unknown>): Promise<TilegradError> =>
  promise.then(
    () => Promise.reject(new Error("did not fail")),
    (error) => error,
  );

describe("openGpu", () => {
  it("gives SwiftShader, and says that it is software", async () => {
    const { gpu, kind, driver } = await openGpu({ device: "swiftshader" });
    expect({ kind, driver }).toEqual({ kind: "software", driver: expect.stringContaining("SwiftShader") });
    const adapter = await gpu.requestAdapter();
    expect(adapter?.info.architecture).toBe("swiftshader");
  });

  it("gives the same object when opened twice, also at once", async () => {
    const [a, b] = await Promise.all([openGpu(), openGpu()]);
    expect(a).toBe(b);
  });

  it("leaves the environment as it was", async () => {
    const before = process.env["VK_DRIVER_FILES"];
    await openGpu({ device: "swiftshader" });
    expect(process.env["VK_DRIVER_FILES"]).toBe(before);
  });

  it("names the drivers it knows when asked for another", () => {
    expect(() => openGpu({ device: "voodoo" as GpuName })).toThrow(/"voodoo"; expected webgpu, swiftshader, lavapipe/);
  });

  it("gives lavapipe where it is installed, else says how to install it", async () => {
    const installed = existsSync("/usr/share/vulkan/icd.d/lvp_icd.json");
    const result = await openGpu({ device: "lavapipe" }).catch((error: TilegradError) => error);
    if (installed) expect((result as NodeGpu).driver).toContain("llvmpipe");
    else expect(result).toMatchObject({ code: "E_DEVICE", hint: expect.stringContaining("mesa-vulkan-drivers") });
  });
});

describe("a process that used the GPU", () => {
  let program: string;
  let cache: string;
  beforeAll(async () => {
    program = await bundleProgram(path.join(import.meta.dirname, "programs", "exit.ts"));
    cache = `${program}.cache`;
  });
  afterAll(() => {
    for (const made of [program, cache]) rmSync(made, { recursive: true, force: true });
  });

  it.each(["idle", "destroyed", "busy", "exit"])("ends by itself with status 0: %s", async (how) => {
    const { code, signal, stdout } = await run(process.execPath, [program, how]);
    expect({ code, signal, stdout }).toEqual({ code: 0, signal: null, stdout: "done\n" });
  });

  it("ends with status 1 after an uncaught error", async () => {
    const { code, signal, stderr } = await run(process.execPath, [program, "error"]);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain("on purpose");
  });

  it("unpacks the driver into the user's cache, complete, when several start at once", async () => {
    const runs = [1, 2, 3].map(() => run(process.execPath, [program, "idle"], { env: { XDG_CACHE_HOME: cache } }));
    for (const { code, stdout } of await Promise.all(runs))
      expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
    const folder = path.join(cache, "tilegrad", `swiftshader-${chromiumArchives()!.version}`);
    expect(existsSync(path.join(folder, "libvk_swiftshader.so"))).toBe(true);
  });
});

describe("importPeer", () => {
  it("turns an absent package into E_PEER with the install line", async () => {
    const load = () => import(/* @vite-ignore */ ["hyparquet", "absent"].join("-"));
    const error = await fails(importPeer("hyparquet", "Reading Parquet", load));
    expect(error).toMatchObject({
      code: "E_PEER",
      message: 'Reading Parquet needs the optional package "hyparquet".',
      hint: "Install with: npm install hyparquet",
    });
  });

  it("passes on other faults of a package", async () => {
    const fault = new Error("broken inside");
    expect(await fails(importPeer("webgpu", "WebGPU in Node", () => Promise.reject(fault)))).toBe(fault);
  });
});
