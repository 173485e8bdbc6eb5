/** What kernels are chosen by: what a device allows, what was measured on it, and what forces one of several. */
import type { Costs } from "./costs.ts";

export interface KernelLimits {
  readonly maxWorkgroupSize: number;
  readonly maxWorkgroupsPerDimension: number;
  readonly maxStorageBuffers: number;
  readonly maxWorkgroupBytes: number;
  /** Lanes that a subgroup has at least; 0 where there are no subgroups. */
  readonly minSubgroupSize: number;
  /** Kernels may have 16-bit floats (`shader-f16`). */
  readonly f16: boolean;
  /** A pass can hand kernels 64 bytes (`setImmediates`): a step's scalars. Off: they come from a uniform buffer. */
  readonly immediates: boolean;
  /** The kernel becomes a stage of a resident plan: only shaders with `item(i)` will do. */
  readonly resident?: boolean;
  /** A software GPU: workgroup memory and barriers are dear, registers and vec4 loads cheap. */
  readonly software: boolean;
  /** What running costs: decides between dispatch and resident plan. */
  readonly costs: Costs;
  /** What was measured on this very device; null where nothing was, or it is not to be used. */
  readonly tuning?: Tuning | null;
  /** These force one of several kernels, for checks and measurements. Default: chosen by shape and device. */
  readonly matmul?: MatmulVariant;
  readonly conv2d?: Conv2dVariant;
  readonly conv2dKernelGrad?: KernelGradVariant;
  /** Most shares that a long sum of products is cut into, which changes its order; see matmul_kernel.ts. */
  readonly splits?: number;
  /** Sequences that a workgroup of a recurrent kernel runs. */
  readonly sequences?: SequenceCount;
  /** Threads of an LSTM take the states of their workgroup's sequences from its memory, not from each other by subgroups. */
  readonly lstm?: LstmVariant;
}

/** What forces one of several kernels. */
export type KernelForce = Pick<
  KernelLimits,
  "matmul" | "conv2d" | "conv2dKernelGrad" | "sequences" | "lstm" | "splits"
>;

/** Plain data, so that it can be kept in a file and pinned. */
export interface Tuning {
  /** What it was measured on and with, by `tuningKey`: it serves nothing else. */
  readonly device: string;
  /** Decides between dispatch and resident plan. */
  readonly costs: Costs;
  /** The fastest kernel that gives the bits of the op's own choice, by `bucketOf`, where it is not that choice. */
  readonly kernels: Readonly<Record<string, KernelForce>>;
}

export const MATMUL_VARIANTS = ["naive", "vec4", "subgroup", "tiled", "tiledLarge"] as const;
export type MatmulVariant = (typeof MATMUL_VARIANTS)[number];
/** Shares that a long sum of products is cut into, at most. */
export const SPLIT_COUNTS = [1, 4, 16] as const;
export const CONV2D_VARIANTS = ["direct", "tiled", "subgroup"] as const;
export type Conv2dVariant = (typeof CONV2D_VARIANTS)[number];
export const KERNEL_GRAD_VARIANTS = ["direct", "tiled", "taps"] as const;
export type KernelGradVariant = (typeof KERNEL_GRAD_VARIANTS)[number];
export const SEQUENCE_COUNTS = [8, 4, 2] as const;
export type SequenceCount = (typeof SEQUENCE_COUNTS)[number];
export const LSTM_VARIANTS = ["memory"] as const;
export type LstmVariant = (typeof LSTM_VARIANTS)[number];
