/**
 * What only one platform has. `#platform` is `node/platform.ts` in Node and `browser/platform.ts` everywhere else: package.json
 * says so to Node and to bundlers (`imports`), tsconfig.json to the checkout. Nothing else in src/ exists twice.
 */
import type { ImageFolderOptions } from "./data/imageFolder.ts";
import type { DecodedImage } from "./data/images.ts";
import type { ImageSize } from "./data/pixels.ts";
import type { Table } from "./data/table.ts";
import type { DeviceInfo } from "./device.ts";
import type { FileStore } from "./io/bundle.ts";
import type { TuningStore } from "./io/tunings.ts";
import type { Tuning } from "./policy/limits.ts";

/** Which GPU: the best there is, or one of the software GPUs that Node can load. */
export const GPU_NAMES = ["webgpu", "swiftshader", "lavapipe"] as const;
export type GpuName = (typeof GPU_NAMES)[number];

/** An implementation of WebGPU, and what is known of what computes behind it. */
export interface FoundGpu {
  readonly gpu: GPU;
  readonly info: Partial<DeviceInfo>;
}

export interface Platform {
  /** Where models and checkpoints are kept: folders on disk, or the origin private file system. */
  readonly files: FileStore;
  /** Where what was measured of devices is kept: files in the user's cache folder, or IndexedDB. */
  readonly tunings: TuningStore;
  /** What `openDevice` uses unless it is told. @throws E_FILE when the environment names a file that is none */
  readonly chosenTuning: () => Promise<"stored" | "off" | Tuning>;
  /** @throws E_DEVICE, E_PEER, E_ARGUMENT when it is not there */
  readonly findGpu: (name: GpuName) => Promise<FoundGpu>;
  readonly decodeImage: (image: Uint8Array | Blob, where?: string) => Promise<DecodedImage>;
  readonly readImageFolder: (
    folder: string | Iterable<File>,
    size: ImageSize,
    options?: ImageFolderOptions,
  ) => Promise<Table>;
  readonly svgToPng: (svg: string) => Promise<Uint8Array>;
}
