/** Opening a device by what a user says of it. */

import { chosenTuning, findGpu, tunings as keptTunings } from "#platform";
import { openCpu } from "./cpu/device.ts";
import type { Device, DeviceInfo } from "./device.ts";
import type { TuningStore } from "./io/tunings.ts";
import { loadTuning } from "./io/tunings.ts";
import type { Kind } from "./kinds.ts";
import * as is from "./kinds.ts";
import type { OptionsOf } from "./options.ts";
import { checkOptions } from "./options.ts";
import type { GpuName } from "./platform.ts";
import { GPU_NAMES } from "./platform.ts";
import type { Tuning } from "./policy/limits.ts";
import { openGpuDevice } from "./webgpu/device.ts";

const openDeviceOptions = {
  /**
   * `webgpu` (default): in Node a hardware GPU when there is one, else the software GPU from npm. `swiftshader`, `lavapipe`:
   * that software GPU, in Node. `cpu`: the reference, slow, and there without a GPU.
   */
  backend: is.oneOf(...GPU_NAMES, "cpu") as Kind<GpuName | "cpu">,
  /** Where adapters come from instead: another implementation of WebGPU. */
  gpu: is.object as Kind<GPU>,
  /** How the device is called in reports, if you know better than the adapter. */
  info: is.object as Kind<Partial<DeviceInfo>>,
  /** Bytes the device may hold; default 8 GiB. */
  memoryBudget: is.number,
  /**
   * What `tuneDevice` or `doctor --tune` measured: `stored` uses what was kept for this device, if anything; or pins one, or
   * none. Default: `stored`, and in Node what the environment variable TILEGRAD_TUNING says (`off`, or a JSON file).
   */
  tuning: is.anything as Kind<"stored" | "off" | Tuning>,
  /** Where it was kept; default: the user's cache folder in Node, IndexedDB in a browser. */
  tunings: is.object as Kind<TuningStore>,
};

export interface OpenDeviceOptions extends OptionsOf<typeof openDeviceOptions> {}

/**
 * Opens a device; nothing falls back silently.
 * @throws E_ARGUMENT; E_PEER when an optional package is missing, E_DEVICE when the device is not there, E_FILE when `tuning` is one
 *   of another device
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  checkOptions("openDevice", options, openDeviceOptions);
  const { backend = "webgpu", tunings = keptTunings, memoryBudget } = options;
  if (backend === "cpu") return openCpu(memoryBudget === undefined ? {} : { memoryBudget });
  const found = options.gpu ? { gpu: options.gpu, info: {} } : await findGpu(backend);
  const tuning = options.tuning ?? (await chosenTuning());
  return openGpuDevice({
    gpu: found.gpu,
    info: { ...found.info, ...options.info },
    tuning: tuning === "off" ? null : tuning === "stored" ? (key) => loadTuning(tunings, key) : tuning,
    ...(memoryBudget === undefined ? {} : { memoryBudget }),
  });
}
