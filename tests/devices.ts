/** The devices that tests run on: the CPU reference and whatever WebGPU finds (see README on choosing a driver). */
import type { Device } from "../src/device.ts";
import { openGpu } from "../src/node/gpu.ts";
import { openGpuDevice } from "../src/webgpu/device.ts";

export async function openTestGpu(): Promise<Device> {
  const { gpu, kind, driver } = await openGpu();
  return openGpuDevice({ gpu, info: { software: kind === "software", adapter: driver } });
}
