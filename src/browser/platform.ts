/** `#platform` in browsers, and wherever else `navigator.gpu` is. */
import { TilegradError } from "../errors.ts";
import type { Platform } from "../platform.ts";

export { decodeImage, readImageFolder } from "./images.ts";
export { opfs as files } from "./opfs.ts";
export { svgToPng } from "./png.ts";
export { indexedTunings as tunings } from "./tunings.ts";

export const chosenTuning: Platform["chosenTuning"] = async () => "stored";

export const findGpu: Platform["findGpu"] = async (name) => {
  if (name !== "webgpu") {
    throw new TilegradError("E_ARGUMENT", `openDevice: got backend "${name}", which is in Node; expected webgpu, cpu.`);
  }
  const gpu = globalThis.navigator?.gpu;
  if (gpu) return { gpu, info: {} };
  const place = "document" in globalThis ? "page" : "worker";
  const insecure = globalThis.isSecureContext === false;
  throw new TilegradError(
    "E_DEVICE",
    `openDevice: got backend "webgpu" in a ${place} ${insecure ? "that came over http" : "without WebGPU"}, where navigator.gpu is missing.`,
    {
      hint: `${
        insecure
          ? "Serve it over https or from localhost"
          : `Use a browser that has WebGPU${place === "worker" ? " in workers, or open the device in the page" : ""}`
      }; or compute on the CPU: openDevice({ backend: "cpu" }).`,
    },
  );
};
