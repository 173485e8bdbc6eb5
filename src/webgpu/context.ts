import type { KernelInfo } from "../device.ts";
import type { KernelLimits } from "../policy/limits.ts";
import type { GpuMemory } from "./memory.ts";
import type { PipelineCache } from "./pipelines.ts";

/** What the parts of a WebGPU device need of the whole. */
export interface GpuContext {
  readonly gpu: GPUDevice;
  readonly limits: KernelLimits;
  /** Runs that may be queued at once. */
  readonly maxQueue: number;
  readonly pipelines: PipelineCache;
  readonly allocator: GpuMemory;
  /** Hands everything queued to the GPU. */
  submit(): void;
  /** A copy of bytes of a buffer, after everything queued before. @throws E_LOST */
  read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer>;
  /** `work`, or what went wrong on the device meanwhile. */
  race<T>(work: Promise<T>): Promise<T>;
}

/** Makes buffers that belong to one step. */
export type MakeBuffer = (name: string, bytes: number, usage: GPUBufferUsageFlags) => GPUBuffer;

/** Rows of step scalars that were queued. */
export interface StepRows {
  /** All rows, `stride` words apart. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly stride: number;
  /** One row as a uniform block, at a dynamic offset. */
  readonly group: GPUBindGroup;
  /** The offset of each row in bytes, made once: a list of one number for each run is garbage. */
  readonly offsets: Uint32Array;
}

export interface Replayable {
  /** The dispatches of one run. */
  readonly kernels: readonly KernelInfo[];
  /** Kernels bind rows of the uniform buffer of step scalars. */
  readonly bindsRow: boolean;
  /** Encodes runs `from` .. `from + count`, whose scalars are the rows of these numbers. */
  replay(pass: GPUComputePassEncoder, rows: StepRows, from: number, count: number): void;
  /** Encodes one dispatch of one run. */
  replayKernel(pass: GPUComputePassEncoder, rows: StepRows, run: number, kernel: number): void;
  /** The work was handed to the GPU: what `replay` used for it may be used again. */
  submitted(): void;
}
