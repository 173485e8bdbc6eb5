/** The `--device` option. */
import { Option } from "commander";
import type { Device, DeviceInfo } from "../../device.ts";
import { hasLavapipe } from "../../node/gpu.ts";
import { openDevice } from "../../openDevice.ts";
import { print } from "../terminal/terminal.ts";

const NAMES = ["webgpu", "cpu", "swiftshader", "lavapipe"] as const;
export type DeviceName = (typeof NAMES)[number];

export const deviceOption = (): Option =>
  new Option("--device <name>", "webgpu is a hardware GPU where there is one, else a software GPU")
    .choices(NAMES)
    .default("webgpu");

/** What computes, in words. */
export function describeDevice({ backend, adapter, driver, software }: DeviceInfo): string {
  if (backend === "cpu") return `CPU (${driver}), no GPU`;
  return `${adapter}, ${software ? "a software GPU" : "hardware GPU"} (WebGPU)`;
}

/** Measured: bench/results. */
const LAVAPIPE = "        lavapipe is installed here, too, and mostly more than twice as fast: --device lavapipe";

/** Opens the device, says which it is, and frees it whatever happens. */
export async function withDevice<T>(
  name: DeviceName,
  quiet: boolean,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await openDevice({ backend: name });
  try {
    if (!quiet) {
      print(`Device: ${describeDevice(device.info)}`);
      if (device.info.adapter.includes("SwiftShader") && hasLavapipe()) print(LAVAPIPE);
    }
    return await work(device);
  } finally {
    device.dispose();
  }
}
