import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGpu } from "../../src/node/gpu.ts";

const LOOP = `
override turns: u32;
@group(0) @binding(0) var<storage, read_write> sum: array<u32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = 0u; i < turns; i++) { sum[id.x] = sum[id.x] * 1664525u + i; }
}`;

describe("waiting for Dawn", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    const { gpu } = await openGpu();
    device = await ((await gpu.requestAdapter()) as GPUAdapter).requestDevice();
  });
  afterAll(() => device.destroy());

  /** Milliseconds that one dispatch took, and the share of them in which the event loop was busy. */
  async function wait(turns: number): Promise<{ ms: number; busy: number }> {
    const module = device.createShaderModule({ code: LOOP });
    const compute = { module, entryPoint: "main", constants: { turns } };
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute });
    const buffer = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(64);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const before = performance.eventLoopUtilization();
    const start = performance.now();
    await device.queue.onSubmittedWorkDone();
    const { utilization } = performance.eventLoopUtilization(before);
    return { ms: performance.now() - start, busy: utilization };
  }

  it("leaves the processor to a software GPU", async () => {
    let waited = await wait(10_000);
    for (let turns = 20_000; waited.ms < 100; turns *= 2) waited = await wait(turns);
    expect(waited.busy).toBeLessThan(0.5);
  });

  it("leaves the timers of others alone", async () => {
    const { setImmediate } = globalThis;
    const seen = new Set<unknown>();
    const look = (): void => {
      seen.add(globalThis.setImmediate);
      if (!done) setImmediate(look);
    };
    let done = false;
    look();
    await device.queue.onSubmittedWorkDone();
    await device.createShaderModule({ code: LOOP }).getCompilationInfo();
    done = true;
    expect([...seen]).toEqual([setImmediate]);
    expect(globalThis.setImmediate).toBe(setImmediate);
  });
});
