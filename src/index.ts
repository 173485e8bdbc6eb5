/** tilegrad in the browser, and wherever else `navigator.gpu` is. */
import { openCpu } from "./cpu/device.ts";
import type { Device } from "./device.ts";
import type { OptionKinds } from "./options.ts";
import { checkOptions } from "./options.ts";
import type { GpuDeviceOptions } from "./webgpu/device.ts";
import { openGpuDevice } from "./webgpu/device.ts";

export * from "./api.ts";
export { openCpu } from "./cpu/device.ts";
export type { ImageFilesOptions } from "./io/browserImages.ts";
export { decodeImage, readImageFiles } from "./io/browserImages.ts";
export type { GpuDeviceOptions } from "./webgpu/device.ts";

export interface OpenDeviceOptions extends GpuDeviceOptions {
  /** Default webgpu. `cpu` is the reference: slow, and there without a GPU. */
  readonly backend?: "webgpu" | "cpu";
}

/** Opens a device; nothing falls back silently. @throws E_ARGUMENT; E_DEVICE when there is no WebGPU. */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  checkOptions("openDevice", options, {
    backend: ["webgpu", "cpu"],
    gpu: "object",
    info: "object",
    files: "object",
    memoryBudget: "number",
    tuning: "any",
    tunings: "object",
  } satisfies OptionKinds<OpenDeviceOptions>);
  const { backend = "webgpu", ...rest } = options;
  return backend === "cpu" ? openCpu() : openGpuDevice(rest);
}
