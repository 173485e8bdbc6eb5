/**
 * Where the values of a resident plan live. Scratch values, which no one outside reads, are parts of a few arrays: in
 * workgroup memory as many as fit, the rest in storage. So only inputs, states and outputs take bindings of their own.
 */

import type { BufferSpec, Place, Plan } from "../passes/plan.ts";
import { bytesOf } from "../passes/plan.ts";
import { memoryReadsOf } from "../passes/reads.ts";
import type { KernelLimits } from "../policy/limits.ts";

export interface ResidentMemory {
  /** The plan with its scratch values inside the arrays. */
  readonly plan: Plan;
  /** Arrays in workgroup memory. */
  readonly local: ReadonlySet<BufferSpec>;
  /** States that are copied to workgroup memory and back by every dispatch. */
  readonly cached: ReadonlySet<BufferSpec>;
  /** Whether a buffer of the plan as it was is in workgroup memory. */
  isNear(buffer: BufferSpec): boolean;
}

/** Bytes of storage that any device binds as one. */
const BINDING_BYTES = 2 ** 27;

const isScratch = ({ kind }: BufferSpec): boolean => kind === "slot" || kind === "arena";

/** @param wide whether a buffer is never written by single elements, so that its array may be one of vec4s */
export function placeResident(plan: Plan, limits: KernelLimits, wide: (buffer: BufferSpec) => boolean): ResidentMemory {
  const near = nearBuffers(plan, limits);
  const arrays: BufferSpec[] = [];
  const local = new Set<BufferSpec>();
  const parts = new Map<BufferSpec, Place>();
  const open = new Map<string, BufferSpec>();
  for (const buffer of plan.buffers.filter(isScratch)) {
    const { dtype, half } = buffer;
    const key = [near.has(buffer), dtype, half, wide(buffer)].join();
    const size = 4 * Math.ceil(buffer.size / 4);
    let array = open.get(key);
    if (!array || bytesOf(array) + 4 * size > BINDING_BYTES) {
      array = { kind: "arena", name: `scratch ${arrays.length}`, dtype, half, size: 0 };
      open.set(key, array);
      arrays.push(array);
      if (near.has(buffer)) local.add(array);
    }
    parts.set(buffer, { buffer: array, offset: array.size });
    array.size += size;
  }
  const placed: Plan = {
    ...plan,
    buffers: [...plan.buffers.filter((buffer) => !isScratch(buffer)), ...arrays],
    placeOf(t) {
      const place = plan.placeOf(t);
      const part = place && parts.get(place.buffer);
      return part ? { buffer: part.buffer, offset: part.offset + place.offset } : place;
    },
  };
  const cached = new Set([...near].filter((buffer) => !isScratch(buffer)));
  return { plan: placed, local, cached, isNear: (buffer) => near.has(buffer) };
}

/** Stages that read a state for which copying it is worth the code: slots of optimizers, and flags, are read where they lie. */
const MANY_READERS = 3;

/** What fits into workgroup memory, the smallest first, and scratch values before states. */
function nearBuffers(plan: Plan, { maxWorkgroupBytes, costs }: KernelLimits): Set<BufferSpec> {
  const reads = plan.kernels.map(
    ({ nodes }) => new Set(nodes.flatMap(memoryReadsOf).map(({ source }) => plan.placeOf(source)?.buffer)),
  );
  const readers = (buffer: BufferSpec): number => reads.filter((read) => read.has(buffer)).length;
  const scratch = plan.buffers.filter(isScratch);
  const states = plan.buffers.filter((buffer) => buffer.kind === "state" && readers(buffer) >= MANY_READERS);
  const bySize = (a: BufferSpec, b: BufferSpec): number => a.size - b.size;
  const near = new Set<BufferSpec>();
  let used = 0;
  for (const buffer of [...scratch.sort(bySize), ...states.sort(bySize)]) {
    const bytes = 16 * Math.ceil(bytesOf(buffer) / 16);
    if (used + bytes > Math.min(maxWorkgroupBytes, costs.near)) continue;
    used += bytes;
    near.add(buffer);
  }
  return near;
}
