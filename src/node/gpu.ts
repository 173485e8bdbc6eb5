/** WebGPU in Node: Dawn (npm `webgpu`) on a hardware GPU, else on a software Vulkan driver. Node only. */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { TilegradError } from "../errors.ts";
import type { GpuName } from "../platform.ts";
import { GPU_NAMES } from "../platform.ts";
import { withoutReductions } from "./dawnNotes.ts";
import { cacheFolder, chromiumArchives, importPeer, missingPeer, resolvePeer } from "./peers.ts";
import { waitGently } from "./polling.ts";
import { unpackOnce } from "./tar.ts";

const require = createRequire(import.meta.url);

export interface GpuOptions {
  /** Default `webgpu`. */
  readonly device?: GpuName;
}

/** An open WebGPU implementation and what computes behind it. */
export interface NodeGpu {
  readonly gpu: GPU;
  readonly kind: "hardware" | "software";
  /** As the driver names itself, e.g. `SwiftShader Device (Subzero)`. */
  readonly driver: string;
}

// Dawn frees an instance that JavaScript has dropped although its devices live: opened ones stay reachable.
const opened = new Map<string, Promise<NodeGpu>>();
// The driver is chosen by an environment variable of the process: one instance is opened at a time.
let last: Promise<unknown> = Promise.resolve();

/**
 * Opens WebGPU. A driver chosen by the environment (`VK_DRIVER_FILES`) is respected. Opening the same device again
 * gives the same object.
 *
 * @throws `E_PEER` when an optional package is missing, `E_DEVICE` when the device is not there, `E_ARGUMENT` when
 * its name is unknown.
 */
export function openGpu(options: GpuOptions = {}): Promise<NodeGpu> {
  const { device = "webgpu" } = options;
  if (!GPU_NAMES.includes(device)) {
    throw new TilegradError("E_ARGUMENT", `device: got "${device}"; expected ${GPU_NAMES.join(", ")}.`);
  }
  const key = JSON.stringify([device, chosenDrivers()]);
  let result = opened.get(key);
  if (!result) {
    result = last.then(() => openers[device]());
    opened.set(key, result);
    last = result.catch(() => opened.delete(key));
  }
  return result;
}

const ON_CPU = 'or compute on the CPU: --device cpu (backend "cpu")';

const openers: Record<GpuName, () => Promise<NodeGpu>> = {
  webgpu: openBest,
  swiftshader: openSwiftShader,
  lavapipe: openLavapipe,
};

async function openBest(): Promise<NodeGpu> {
  const chosen = chosenDrivers();
  const found = chosen ? await findWithLoader() : await find();
  if (chosen) {
    if (found) return found;
    throw new TilegradError("E_DEVICE", `WebGPU: no adapter with VK_DRIVER_FILES=${chosen}.`, {
      hint: "Unset VK_DRIVER_FILES, or name the JSON file of an installed Vulkan driver.",
    });
  }
  if (found?.kind === "hardware") return found;
  if (softwarePeers().length === 0) return openSwiftShader("no hardware GPU was found");
  if (found) return found;
  if (swiftShaderRuns()) throw missingPeer("No hardware GPU found; the software GPU", softwarePeers(), `; ${ON_CPU}`);
  throw new TilegradError("E_DEVICE", "WebGPU: no adapter found.", {
    hint: `Install a GPU driver (Vulkan, Metal or Direct3D 12); ${ON_CPU}.`,
  });
}

/** @param why it is opened */
async function openSwiftShader(why = 'got backend "swiftshader"'): Promise<NodeGpu> {
  if (!swiftShaderRuns()) {
    throw new TilegradError(
      "E_DEVICE",
      `swiftshader: runs on linux x64; this is ${process.platform} ${process.arch}.`,
      {
        hint: `Use device "webgpu"; ${ON_CPU}.`,
      },
    );
  }
  const missing = softwarePeers();
  if (missing.length > 0) throw missingPeer("The software GPU", missing, `; ${ON_CPU}`);
  const folder = loadVulkan();
  const found = await withDriver(path.join(folder, "vk_swiftshader_icd.json"), why, () =>
    find([...UNWANTED, ...UNWANTED_BY_SWIFTSHADER]),
  );
  return expectDriver("swiftshader", /SwiftShader/i, found);
}

const DRIVER_FOLDERS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

const lavapipeFiles = (): readonly string[] =>
  DRIVER_FOLDERS.filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))
    .filter((file) => /^lvp_icd.*\.json$/.test(path.basename(file)));

/** Is Mesa's software GPU there, which is faster than the one from npm? */
export const hasLavapipe = (): boolean => lavapipeFiles().length > 0;

async function openLavapipe(): Promise<NodeGpu> {
  const files = lavapipeFiles();
  if (files.length === 0) {
    throw new TilegradError("E_DEVICE", `lavapipe: no lvp_icd*.json in ${DRIVER_FOLDERS.join(", ")}.`, {
      hint: "Install Mesa's Vulkan drivers, 23.1 or later (Debian: mesa-vulkan-drivers), or use another device.",
    });
  }
  const found = await withDriver(files.join(":"), 'got backend "lavapipe"', () => findWithLoader());
  return expectDriver("lavapipe", /llvmpipe/i, found);
}

/** Times as the GPU counts them; pages get them in steps of 65 us, so as not to be spied on. */
const UNWANTED = ["timestamp_quantization"];
/** Told to clear workgroup memory itself, SwiftShader compiles a store for every word of it; Dawn writes a loop instead. */
const UNWANTED_BY_SWIFTSHADER = ["use_vulkan_zero_initialize_workgroup_memory_extension"];

const INSTEAD_OF_WEBGPU = `; where there is no hardware GPU, koffi and @sparticuz/chromium bring a software GPU; ${ON_CPU}`;

/** A WebGPU implementation with an adapter, or `undefined`. */
async function find(unwanted = UNWANTED): Promise<NodeGpu | undefined> {
  const dawn = await importPeer("webgpu", "WebGPU in Node", () => import("webgpu"), INSTEAD_OF_WEBGPU);
  for (const [name, value] of Object.entries(dawn.globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const gpu = dawn.create([`disable-dawn-features=${unwanted}`]);
  const adapter = await withoutReductions(() => gpu.requestAdapter({ powerPreference: "high-performance" }));
  if (!adapter) return undefined;
  const { info } = adapter;
  const software = info.isFallbackAdapter;
  if (software) waitGently(dawn.globals);
  const driver = info.description || info.device || info.vendor || "unknown";
  return {
    gpu,
    kind: software ? "software" : "hardware",
    driver,
  };
}

/** As `find`; when the system has no Vulkan loader, once more with the one from npm. */
async function findWithLoader(): Promise<NodeGpu | undefined> {
  const found = await find();
  if (found || !swiftShaderRuns() || softwarePeers().length > 0) return found;
  loadVulkan();
  return find();
}

function expectDriver(name: GpuName, pattern: RegExp, found: NodeGpu | undefined): NodeGpu {
  if (found && pattern.test(found.driver)) return found;
  throw new TilegradError("E_DEVICE", `${name}: got ${found ? `"${found.driver}"` : "no adapter"} from Dawn.`, {
    hint: found
      ? "Another driver came first; use another device."
      : `The driver may be too old for Dawn, or the system lacks a Vulkan loader (Debian: libvulkan1; npm install koffi @sparticuz/chromium brings one, too); ${ON_CPU}.`,
  });
}

const chosenDrivers = () => process.env["VK_DRIVER_FILES"] || process.env["VK_ICD_FILENAMES"] || undefined;

const swiftShaderRuns = () => process.platform === "linux" && process.arch === "x64";

/** The packages that the software GPU from npm lacks here. */
const softwarePeers = () => (["koffi", "@sparticuz/chromium"] as const).filter((name) => !resolvePeer(name));

/** Loads the Vulkan loader from npm into the process, where Dawn then finds it; gives the folder of its driver. */
function loadVulkan(): string {
  const archives = chromiumArchives();
  if (!archives) throw missingPeer("The software GPU", ["@sparticuz/chromium"]);
  const folder = path.join(cacheFolder(), `swiftshader-${archives.version}`);
  unpackOnce(path.join(archives.folder, "swiftshader.tar.br"), folder);
  const koffi = require("koffi") as typeof import("koffi");
  koffi.load(path.join(folder, "libvulkan.so.1"), { global: true });
  return folder;
}

/** Runs `open` while the Vulkan loader sees only the drivers of `files`. @param why these */
async function withDriver<T>(files: string, why: string, open: () => Promise<T>): Promise<T> {
  if (!isMainThread) {
    throw new TilegradError(
      "E_DEVICE",
      `openDevice: ${why} in a worker thread, whose environment does not reach the driver of a software GPU.`,
      { hint: `Start Node with VK_DRIVER_FILES=${files}, or open the device in the main thread; ${ON_CPU}.` },
    );
  }
  const before = process.env["VK_DRIVER_FILES"];
  process.env["VK_DRIVER_FILES"] = files;
  try {
    return await open();
  } finally {
    if (before === undefined) delete process.env["VK_DRIVER_FILES"];
    else process.env["VK_DRIVER_FILES"] = before;
  }
}
