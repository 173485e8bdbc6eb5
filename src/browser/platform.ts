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
  throw new TilegradError("E_DEVICE", "WebGPU is not available here.", {
    hint: 'Use a browser with WebGPU on https or localhost, or backend: "cpu".',
  });
};
