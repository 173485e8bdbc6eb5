/** `openDevice` where there is no GPU to open: what the caller did, where, and how to mend it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { findGpu } from "../../src/browser/platform.ts";
import { openDevice } from "../../src/openDevice.ts";
import type { GpuName } from "../../src/platform.ts";
import { failure } from "../train/support.ts";

vi.mock("node:worker_threads", async (original) => ({ ...(await original<object>()), isMainThread: false }));

const onlySwiftShader = process.platform === "linux" && process.arch === "x64";

describe.runIf(onlySwiftShader)("openDevice in a worker thread of Node", () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each<readonly [string, GpuName | undefined]>([
    ['openDevice: got backend "swiftshader" in a worker thread', "swiftshader"],
    ["openDevice: no hardware GPU was found in a worker thread", undefined],
  ])("%s", async (message, backend) => {
    for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) vi.stubEnv(name, "");
    const opened = await openDevice(backend ? { backend } : {}).catch((error: unknown) => error);
    // A machine with a hardware GPU opens that one.
    if (!backend && !(opened instanceof Error)) return;
    expect(opened).toMatchObject({
      code: "E_DEVICE",
      message: `${message}, whose environment does not reach the driver of a software GPU.`,
      hint: expect.stringMatching(/^Start Node with VK_DRIVER_FILES=.*json, or open .* main thread; .*backend "cpu"/),
    });
  });
});

describe("openDevice in a browser without WebGPU", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["a page without WebGPU", { document: {} }, /^Use a browser that has WebGPU; .*backend: "cpu"/],
    [
      "a page that came over http",
      { document: {}, isSecureContext: false },
      /^Serve it over https or from localhost; or/,
    ],
    ["a worker without WebGPU", {}, /^Use a browser that has WebGPU in workers, or open the device in the page; or/],
    ["a worker that came over http", { isSecureContext: false }, /^Serve it over https/],
  ])("names %s", async (place, globals, hint) => {
    vi.stubGlobal("navigator", {});
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    const error = await failure(findGpu("webgpu"));
    expect(error.code).toBe("E_DEVICE");
    expect(error.message).toBe(`openDevice: got backend "webgpu" in ${place}, where navigator.gpu is missing.`);
    expect(error.hint).toMatch(hint);
  });
});
