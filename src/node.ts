/** tilegrad in Node: the same API, WebGPU through Dawn, models in folders on disk. */
import type { CpuOptions } from "./cpu/device.ts";
import { openCpu as openCpuAnywhere } from "./cpu/device.ts";
import type { Device, FileStore } from "./device.ts";
import { publishFolder, readPublished } from "./node/files.ts";
import type { GpuName } from "./node/gpu.ts";
import { GPU_NAMES, openGpu } from "./node/gpu.ts";
import { chosenTuning, tuningFiles } from "./node/tunings.ts";
import type { OptionKinds } from "./options.ts";
import { checkObject, checkOptions } from "./options.ts";
import type { GpuDeviceOptions } from "./webgpu/device.ts";
import { openGpuDevice } from "./webgpu/device.ts";

export * from "./api.ts";
export type { GpuName } from "./node/gpu.ts";
export type { ImageFolderOptions } from "./node/images.ts";
export { decodeImage, readImageFolder } from "./node/images.ts";

/** Folders on disk; a save is published by one rename. */
export const folders: FileStore = { publish: publishFolder, read: readPublished };

export interface OpenDeviceOptions {
  /**
   * `webgpu` (default): a hardware GPU when there is one, else the software GPU from npm. `swiftshader`, `lavapipe`: that
   * software GPU. `cpu`: the reference.
   */
  readonly backend?: GpuName | "cpu";
  /** Bytes the device may hold; default 8 GiB. */
  readonly memoryBudget?: number;
  /**
   * What `tuneDevice` or `doctor --tune` measured: `stored` uses what was kept for this device, if anything; or pins one,
   * or none. Default: what the environment variable TILEGRAD_TUNING says (`off`, or a JSON file), else `stored`.
   */
  readonly tuning?: GpuDeviceOptions["tuning"];
}

/** The CPU reference, which needs no optional package; models are kept in folders. @throws E_ARGUMENT */
export function openCpu(options: CpuOptions = {}): Device {
  checkObject("openCpu", options, "an object of options");
  return openCpuAnywhere({ ...options, files: options.files ?? folders });
}

/** Opens a device. @throws E_ARGUMENT; E_PEER when an optional package is missing, E_DEVICE when the device is not there. */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  checkOptions("openDevice", options, {
    backend: [...GPU_NAMES, "cpu"],
    memoryBudget: "number",
    tuning: "any",
  } satisfies OptionKinds<OpenDeviceOptions>);
  const { backend = "webgpu", memoryBudget, tuning } = options;
  if (backend === "cpu") return openCpu();
  const { gpu, kind, driver } = await openGpu({ device: backend });
  return openGpuDevice({
    gpu,
    files: folders,
    info: { software: kind === "software", adapter: driver },
    tuning: tuning ?? (await chosenTuning()),
    tunings: tuningFiles,
    ...(memoryBudget === undefined ? {} : { memoryBudget }),
  });
}
