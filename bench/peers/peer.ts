/** What the runner asks of each peer. */

import type { Device } from "../../src/device.ts";
import type { Batch, Weight } from "../data.ts";
import manifest from "../package.json" with { type: "json" };
import type { Matmul, Training } from "../workloads.ts";

/** What a call gives; `ms` only from a peer in another process, whose time is not that of the pipe its data come through. */
export interface Timed<T> {
  readonly value: T;
  readonly ms?: number;
  /** Dispatches of one training step, where the peer knows. */
  readonly dispatches?: number;
}

/** One ready peer. Everything it returns has been waited for: no work is left queued on a device. */
export interface Engine {
  /** Package versions, threads, and for a GPU its adapter and driver. */
  readonly about: Readonly<Record<string, string>>;
  /** Builds the model with these weights; the function it gives runs the steps and tells the loss of the last. */
  trainer(
    workload: Training,
    weights: readonly Weight[][],
  ): Promise<(steps: readonly Batch[]) => Promise<Timed<number>>>;
  /** Uploads both matrices, f32 [n, n]; the function it gives multiplies them and tells the product's element [0, 0]. */
  matmul?(workload: Matmul, a: Float32Array, b: Float32Array): Promise<() => Promise<Timed<number>>>;
  /** The function it gives takes rows on the host to probabilities on the host, f32 [rows]. */
  predictor?(
    workload: Training,
    weights: readonly Weight[][],
  ): Promise<(x: Float32Array) => Promise<Timed<Float32Array>>>;
}

/** Where peers run: Node or a page, with its GPU. */
export interface Host {
  /** Facts that go beside the peer's own. */
  readonly about: Readonly<Record<string, string>>;
  /** Sees to it that `navigator.gpu` is there, as peers written for browsers expect, and says what it is. @throws Unavailable */
  installGpu(): Promise<Record<string, string>>;
  /** tilegrad's device, on that GPU or on the CPU. */
  openDevice(backend: "webgpu" | "cpu"): Promise<Device>;
}

/** `open` is called in a process or page of the peer's own. */
export interface Peer {
  readonly name: string;
  /** @throws Unavailable */
  open(host: Host): Promise<Engine>;
}

/** This machine cannot run the peer (a package or a device is missing), or the peer cannot run the workload. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/**
 * A package of `bench/package.json`. Peers are typed by what we use of them, because type checking must pass where they
 * are not installed; hence the specifier that TypeScript cannot see through.
 */
export async function importPeer<T>(specifier: string): Promise<T> {
  try {
    const module = await import(specifier);
    return module as T;
  } catch (cause) {
    throw new Unavailable(`${specifier} does not load: ${(cause as Error).message}`);
  }
}

/** The version that `bench/package.json` pins. */
export const pinned = (name: keyof typeof manifest.dependencies) => ({ [name]: manifest.dependencies[name] });
