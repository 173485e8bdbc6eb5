/** What kernels are chosen by: what a device allows, what was measured on it, and what forces one of several. */
import { TilegradError } from "../errors.ts";
import type { Costs } from "./costs.ts";
import { costsOf } from "./costs.ts";

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
  /** Forces kernels, for checks and measurements. Default: chosen by shape and device. */
  readonly force?: KernelForce;
}

/** What every WebGPU device grants. */
export const LEAST_LIMITS: KernelLimits = {
  maxWorkgroupSize: 256,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBuffers: 8,
  maxWorkgroupBytes: 16_384,
  minSubgroupSize: 0,
  f16: false,
  immediates: false,
  software: false,
  costs: costsOf(""),
};

/** Which of several kernels, or how many of what: names and values that ops declare in their `variants`. */
export type KernelForce = Readonly<Record<string, string | number>>;

/** One of the kernels of an op. */
export interface KernelVariant {
  readonly force: KernelForce;
  /** It sums in another order, so only who asks for it gets it: no measurement may choose it. */
  readonly reorders?: true;
}

/** What `limits` forces of a name, if anything. @throws E_ARGUMENT for a value that is not among the known ones */
export function forced<T extends string | number>(
  { force }: KernelLimits,
  name: string,
  known: readonly T[],
): T | undefined {
  const asked = force?.[name];
  const found = known.find((value) => value === asked);
  if (asked === found) return found;
  throw new TilegradError("E_ARGUMENT", `limits.force.${name}: got ${asked}; expected one of ${known.join(", ")}.`);
}

/** Plain data, so that it can be kept in a file and pinned. */
export interface Tuning {
  /** What it was measured on and with, by `tuningKey`: it serves nothing else. */
  readonly device: string;
  /** Decides between dispatch and resident plan. */
  readonly costs: Costs;
  /** The fastest kernel that gives the bits of the op's own choice, by `bucketOf`, where it is not that choice. */
  readonly kernels: Readonly<Record<string, KernelForce>>;
}
