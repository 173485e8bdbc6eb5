/** The devices that tests run on: the CPU reference and whatever WebGPU finds (see README on choosing a driver). */
import { openGpu } from "../src/node/gpu.ts";
import type { WebGpuDevice } from "../src/webgpu/device.ts";
import { openGpuDevice } from "../src/webgpu/device.ts";

export async function openTestGpu(): Promise<WebGpuDevice> {
  const { gpu, kind, driver } = await openGpu();
  return openGpuDevice({ gpu, info: { software: kind === "software", adapter: driver } });
}
