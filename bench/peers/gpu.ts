/** Gives this process the `navigator.gpu` that peers written for browsers look for. */
import { TilegradError } from "../../src/errors.ts";
import { GPU_NAMES, type GpuName, openGpu } from "../../src/node/gpu.ts";
import { Unavailable } from "./peer.ts";

/** Opens the named device (default: the best one) and says what it is. @throws Unavailable */
export async function installGpu(device: string | undefined): Promise<Record<string, string>> {
  try {
    const { gpu, kind, driver } = await openGpu({ device: (device ?? GPU_NAMES[0]) as GpuName });
    Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node" }, configurable: true });
    return { adapter: driver, kind };
  } catch (error) {
    if (error instanceof TilegradError) throw new Unavailable(error.message);
    throw error;
  }
}
