import { costsOf } from "../policy/costs.ts";
import type { KernelLimits } from "../policy/limits.ts";

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
