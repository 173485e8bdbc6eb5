/**
 * The resident plan: a whole training step as one kernel that loops over many steps inside a single workgroup, a barrier
 * where the dispatch plan has a dispatch. It is made of the same scheduled kernels: of each, the function `item(i)` with
 * its hooks, run over all items by the workgroup's threads. Nothing of it is written for a particular network.
 */

import type { ShaderLibrary } from "../graph/shader.ts";
import type { KernelChoice } from "../graph/types.ts";
import type { Kernel } from "../passes/kernels.ts";
import type { BufferSpec, Plan } from "../passes/plan.ts";
import type { KernelLimits } from "../policy/limits.ts";
import type { Accesses } from "./bindings.ts";
import { Bindings } from "./bindings.ts";
import { chooseKernel } from "./choice.ts";
import { assemble } from "./link.ts";
import type { StepLayout } from "./lower.ts";
import { flopsOf } from "./lower.ts";
import { placeResident } from "./residentMemory.ts";
import type { LinkedStages, StageText } from "./residentStage.ts";
import { ENDLESS, forAll, linkStages, writeStage } from "./residentStage.ts";

export interface ResidentProgram {
  readonly label: string;
  readonly code: string;
  /** Binding 0 of group 1, the table of stages: what `stageRows` gives, then the numbers of stages that share functions. */
  readonly params: Uint32Array;
  /** Storage bindings in order, from binding 1 of group 1. */
  readonly buffers: readonly { readonly buffer: BufferSpec; readonly write: boolean }[];
  /** The buffers that must exist: what lives in workgroup memory needs none. */
  readonly memory: readonly BufferSpec[];
  /** vec4s of one row of the step table; the row after the header that holds the number of steps. */
  readonly rowWords: number;
  readonly stages: number;
  readonly flops: number;
  /** The floating point operations by what they cost: their effort, and idle threads. */
  readonly work: number;
}

/** Bytes of the step table that a kernel sees: what every device allows a uniform buffer. */
export const TABLE_BYTES = 65536;

/** The program, or why there is none. */
export function lowerResident(plan: Plan, limits: KernelLimits, steps: StepLayout): ResidentProgram | string {
  const itemwise: KernelLimits = { ...limits, resident: true };
  const choices = plan.kernels.map((kernel) => chooseKernel(kernel, itemwise));
  const whole = choices.find(({ shader, grid }) => !("threads" in grid) || !shader.itemwise);
  if (whole) return `the kernel ${whole.shader.name} needs a whole dispatch`;

  const libs = new Set<ShaderLibrary>();
  const write = (planned: Plan, bindings: Bindings, wrote = (): void => {}): StageText[] =>
    planned.kernels.map((kernel, i) => {
      const text = writeStage(planned, kernel, choices[i], { bindings, libs, steps });
      wrote();
      return text;
    });
  // Written once to learn what is accessed how, and again when it is known where everything lives.
  const survey = new Bindings();
  const accesses: Accesses[] = [];
  write(plan, survey, () => accesses.push(survey.takeAccesses()));
  const { plan: placed, local, cached, isNear } = placeResident(plan, limits, (b) => !survey.writesSingly(b));
  const bindings = new Bindings(local, cached);
  const linked = linkStages(write(placed, bindings), 1 + choices.length);
  const counts = choices.map(({ grid }) => ("threads" in grid ? grid.threads : 0));
  const barriers = barriersBefore(accesses, isNear);
  const params = Uint32Array.from([...stageRows(linked, counts, barriers), ...linked.words]);
  const { buffers } = bindings;
  if (buffers.length > limits.maxStorageBuffers) {
    return `one kernel would bind ${buffers.length} buffers, of ${limits.maxStorageBuffers} that it may have`;
  }
  if (params.byteLength > TABLE_BYTES) {
    return `its table of stages would take ${params.byteLength} bytes, of ${TABLE_BYTES} that it may have`;
  }

  const rowWords = 4 * Math.max(1, Math.ceil(steps.columns.length / 4));
  const threads = threadsFor(choices, limits);
  const { load, store } = bindings.copies((count, statement) => forAll(count, threads, statement));
  const main = `@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) lane: u32) {
zero = stages[0].y;
${load}
workgroupBarrier();
for (var step = 0u; step < ${ENDLESS}; step++) {
if (step >= step_table[0].x) { break; }
for (var k = 0u; k < ${rowWords / 4}u; k++) { step_row[k] = step_table[1u + step * ${rowWords / 4}u + k]; }
${runStages(linked, counts, barriers, threads)}
}
workgroupBarrier();
${store}
}`;
  const declarations = [
    `@group(1) @binding(0) var<uniform> stages: array<vec4<u32>, ${params.length / 4}>;`,
    `@group(0) @binding(0) var<uniform> step_table: array<vec4<u32>, ${TABLE_BYTES / 16}>;`,
    `var<private> step_row: array<vec4<u32>, ${rowWords / 4}>;`,
    "var<private> zero: u32;",
    ...bindings.declarations(1),
  ].join("\n");
  const code = assemble([...libs], declarations, [...linked.kinds.map(({ text }) => text), main].join("\n"));
  const nodes = plan.kernels.flatMap((k) => k.nodes);
  return {
    label: `resident(${plan.kernels.length} stages)`,
    code,
    params,
    buffers,
    memory: placed.buffers.filter((buffer) => !local.has(buffer)),
    rowWords,
    stages: choices.length,
    flops: flopsOf(nodes),
    work: choices.reduce((sum, choice, i) => sum + workOf(plan.kernels[i], choice, threads), 0),
  };
}

/** Up to 32 threads run in step: a stage with fewer items takes as long as one with as many. */
function workOf({ nodes }: Kernel, { grid, effort = 1 }: KernelChoice, threads: number): number {
  const lanes = Math.min(threads, 32);
  const busy = "threads" in grid ? Math.min(lanes, grid.threads) : lanes;
  return (flopsOf(nodes) * effort * lanes) / busy;
}

/**
 * WGSL that runs all stages of a step. Where kinds are shared, a loop over the table of stages, so that each is called, and
 * compiled, in one place; else one stage after the other. (SwiftShader takes twice as long to compile a switch.)
 */
function runStages(
  { kinds, stages }: LinkedStages,
  counts: readonly number[],
  barriers: readonly ReadonlySet<Barrier>[],
  threads: number,
): string {
  const items = (kind: number, count: number | string): string => forAll(count, threads, (i) => `k${kind}_item(${i});`);
  if (!kinds.some(({ shared }) => shared)) {
    return stages
      .flatMap(({ kind }, i) => [...[...barriers[i]].map((b) => `${b}Barrier();`), items(kind, counts[i])])
      .join("\n");
  }
  const starts = kinds.map(({ shared }, kind) => (shared ? `k${kind}_start(stage.z); ` : ""));
  return `for (var s = 1u; s <= stages[0].x; s++) {
let stage = stages[s];
${BARRIERS.map((barrier, k) => `if ((stage.w & ${1 << k}u) != 0u) { ${barrier}Barrier(); }`).join("\n")}
${starts.map((start, kind) => `if (stage.x == ${kind}u) { ${start}${items(kind, "stage.y")} }`).join("\n")}
}`;
}

/**
 * The first rows of the table of stages: how many there are, and a zero; then of each its kind, its items, where the numbers
 * of one that shares functions stand, and its barriers.
 */
function stageRows(
  { stages }: LinkedStages,
  counts: readonly number[],
  barriers: readonly ReadonlySet<Barrier>[],
): number[] {
  const flags = (needed: ReadonlySet<Barrier>): number =>
    BARRIERS.reduce((sum, b, k) => sum + (needed.has(b) ? 1 << k : 0), 0);
  return [stages.length, 0, 0, 0, ...stages.flatMap(({ kind, row }, i) => [kind, counts[i], row, flags(barriers[i])])];
}

const BARRIERS = ["workgroup", "storage"] as const;
type Barrier = (typeof BARRIERS)[number];

/**
 * The barriers that each stage must wait at, in a loop over all of them: for what it reads to be written, and for what it
 * writes to be read by others. Packed values lie side by side in an arena and are each written once.
 */
function barriersBefore(stages: readonly Accesses[], isNear: (buffer: BufferSpec) => boolean): Set<Barrier>[] {
  const needed = stages.map(() => new Set<Barrier>());
  const pending = { reads: new Set<BufferSpec>(), writes: new Set<BufferSpec>(), marks: new Set<BufferSpec>() };
  const every = Object.values(pending);
  const barrierOf = (buffer: BufferSpec): Barrier => (isNear(buffer) ? "workgroup" : "storage");
  const wait = (at: number, buffer: BufferSpec): void => {
    const barrier = barrierOf(buffer);
    needed[at].add(barrier);
    for (const set of every) {
      for (const other of set) if (barrierOf(other) === barrier) set.delete(other);
    }
  };
  // The second round sees what the last stages leave for the first.
  for (const at of [...stages.keys(), ...stages.keys()]) {
    const { reads, writes, marks } = stages[at];
    for (const barrier of needed[at])
      for (const set of every) for (const b of set) if (barrierOf(b) === barrier) set.delete(b);
    for (const buffer of reads) if (pending.writes.has(buffer) || pending.marks.has(buffer)) wait(at, buffer);
    for (const buffer of marks) if (pending.reads.has(buffer)) wait(at, buffer);
    for (const buffer of writes) {
      if (pending.reads.has(buffer) || (pending.writes.has(buffer) && buffer.kind !== "arena")) wait(at, buffer);
    }
    for (const buffer of reads) pending.reads.add(buffer);
    for (const buffer of writes) pending.writes.add(buffer);
    for (const buffer of marks) pending.marks.add(buffer);
  }
  return needed;
}

/** As many threads as the widest stage can use; few where barriers cost and threads are lanes of one core. */
function threadsFor(choices: readonly KernelChoice[], { software, maxWorkgroupSize }: KernelLimits): number {
  const widest = Math.max(...choices.map(({ grid }) => ("threads" in grid ? grid.threads : 1)));
  const most = Math.min(maxWorkgroupSize, software ? 8 : 256);
  return Math.min(most, 2 ** Math.ceil(Math.log2(widest)));
}
