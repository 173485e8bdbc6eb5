/** Peers in Node: WebGPU through Dawn, on a GPU that is chosen by name. */
import { TilegradError } from "../src/errors.ts";
import { openGpu } from "../src/node/gpu.ts";
import { openDevice } from "../src/openDevice.ts";
import type { GpuName } from "../src/platform.ts";
import { type Host, Unavailable } from "./peers/peer.ts";

export function nodeHost(device: GpuName): Host {
  return {
    about: {},

    async installGpu() {
      try {
        const { gpu, kind, driver } = await openGpu({ device });
        Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node" }, configurable: true });
        return { adapter: driver, kind };
      } catch (error) {
        if (error instanceof TilegradError) throw new Unavailable(error.message);
        throw error;
      }
    },

    openDevice: (backend) => openDevice({ backend: backend === "cpu" ? backend : device }),
  };
}
