import { afterEach, expect, it, vi } from "vitest";

/** Dawn with one adapter, so far as it is looked at when it is opened. */
function dawnWith(isFallbackAdapter: boolean): { readonly globals: Readonly<Record<string, new () => object>> } {
  const classOf = (...methods: string[]): (new () => object) => {
    const made = class {};
    for (const method of methods)
      Object.defineProperty(made.prototype, method, { value: () => {}, configurable: true });
    return made;
  };
  const globals = {
    GPUAdapter: classOf("requestDevice"),
    GPUBuffer: classOf("mapAsync"),
    GPUDevice: classOf("createComputePipelineAsync", "popErrorScope"),
    GPUQueue: classOf("onSubmittedWorkDone"),
    GPUShaderModule: classOf("getCompilationInfo"),
  };
  const info = { isFallbackAdapter, description: "an adapter" };
  const dawn = { globals, create: () => ({ requestAdapter: async () => ({ info }) }) };
  vi.doMock("webgpu", () => dawn);
  return dawn;
}

const methodsOf = (classes: Readonly<Record<string, new () => object>>): readonly unknown[] =>
  Object.values(classes).flatMap(({ prototype }) => Object.values(Object.getOwnPropertyDescriptors(prototype)));

afterEach(() => {
  vi.doUnmock("webgpu");
  vi.unstubAllEnvs();
  vi.resetModules();
});

it.each([
  { kind: "hardware", isFallback: false },
  { kind: "software", isFallback: true },
])("Dawn's classes and their loop are changed for a software GPU only: $kind", async ({ kind, isFallback }) => {
  // A driver that is asked for is opened as it is, though it be a software GPU.
  vi.stubEnv("VK_DRIVER_FILES", "some.json");
  const { globals } = dawnWith(isFallback);
  const before = methodsOf(globals);
  const { setImmediate } = globalThis;
  const { openGpu } = await import("../../src/node/gpu.ts");
  expect(await openGpu()).toMatchObject({ kind, driver: "an adapter" });
  if (isFallback) expect(methodsOf(globals)).not.toEqual(before);
  else expect(methodsOf(globals)).toEqual(before);
  expect(globalThis.setImmediate).toBe(setImmediate);
});
