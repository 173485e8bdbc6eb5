/** Opens a device, computes on it, and ends in the way its argument names; prints "done" last. */
import { openGpu } from "../../../src/node/gpu.ts";

const [how] = process.argv.slice(2);
const { gpu } = await openGpu({ device: "swiftshader" });
const adapter = await gpu.requestAdapter();
const device = await adapter!.requestDevice();
const buffer = device.createBuffer({ size: 1 << 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const pipeline = await device.createComputePipelineAsync({
  layout: "auto",
  compute: {
    module: device.createShaderModule({
      code: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x; }`,
    }),
  },
});
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
const entries = [{ binding: 0, resource: { buffer } }];
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
pass.dispatchWorkgroups(256);
pass.end();
device.queue.submit([encoder.finish()]);

switch (how) {
  case "idle":
    await device.queue.onSubmittedWorkDone();
    break;
  case "destroyed":
    await device.queue.onSubmittedWorkDone();
    device.destroy();
    await device.lost;
    break;
  case "busy": // the work is in flight and nobody waits for it
    break;
  case "exit":
  case "error":
    break;
  default:
    throw new Error(`unknown way to end: ${how}`);
}
console.log("done");
if (how === "exit") process.exit(0);
if (how === "error") throw new Error("on purpose");
