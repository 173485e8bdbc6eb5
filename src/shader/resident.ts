/**
 * The resident plan: a whole training step as one kernel that loops over many steps inside a single workgroup, a barrier
 * where the dispatch plan has a dispatch. It is made of the same scheduled kernels: of each, the function `item(i)` with
 * its hooks, run over all items by the workgroup's threads. Nothing of it is written for a particular network.
 */
import { invariant } from "../errors.ts";
import type { KernelChoice, KernelLimits } from "../ops/op.ts";
import type { Kernel } from "../passes/kernels.ts";
import type { BufferSpec, Plan } from "../passes/plan.ts";
import type { Accesses } from "./bindings.ts";
import { Bindings } from "./bindings.ts";
import { chooseKernel, writeHooks } from "./choice.ts";
import type { HookContext } from "./hooks.ts";
import { assemble, functionSpan, librariesOf, specialise } from "./link.ts";
import type { StepLayout } from "./lower.ts";
import { flopsOf } from "./lower.ts";
import type { ShaderLibrary } from "./module.ts";
import { packParams } from "./params.ts";
import { placeResident } from "./residentMemory.ts";

export interface ResidentProgram {
  readonly label: string;
  readonly code: string;
  /** Binding 0 of group 1: the `Params` of all stages. */
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

/** The program, or null when a kernel has no `item` or the program would bind too many buffers. */
export function lowerResident(plan: Plan, limits: KernelLimits, steps: StepLayout): ResidentProgram | null {
  const itemwise: KernelLimits = { ...limits, resident: true };
  const choices = plan.kernels.map((kernel) => chooseKernel(kernel, itemwise));
  if (choices.some(({ shader, grid }) => !("threads" in grid) || functionSpan(shader.code, "item") === null))
    return null;

  const libs = new Set<ShaderLibrary>();
  const write = (planned: Plan, bindings: Bindings, wrote = (): void => {}): string[] =>
    planned.kernels.map((kernel, i) => {
      const text = writeStage(planned, kernel, choices[i], `s${i}_`, { bindings, libs, steps });
      wrote();
      return text;
    });
  // Written once to learn what is accessed how, and again when it is known where everything lives.
  const survey = new Bindings();
  const accesses: Accesses[] = [];
  write(plan, survey, () => accesses.push(survey.takeAccesses()));
  const { plan: placed, local, cached, isNear } = placeResident(plan, limits, (b) => !survey.writesSingly(b));
  const bindings = new Bindings(local, cached);
  const stages = write(placed, bindings);
  const { buffers } = bindings;
  if (buffers.length > limits.maxStorageBuffers) return null;

  const rowWords = 4 * Math.max(1, Math.ceil(steps.columns.length / 4));
  const threads = threadsFor(choices, limits);
  const barriers = barriersBefore(accesses, isNear);
  const loop = choices.map(({ grid }, i) => {
    const count = "threads" in grid ? grid.threads : 0;
    return `${barriers[i]}for (var i = lane; i < ${count}u; i += ${threads}u) { s${i}_item(i); }`;
  });
  const { load, store } = bindings.copies("lane", threads);
  const main = `@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) lane: u32) {
${load}
workgroupBarrier();
for (var step = 0u; step < step_table[0].x; step++) {
step_at = 1u + step * ${rowWords / 4}u;
${loop.join("\n")}
}
workgroupBarrier();
${store}
}`;
  const blocks = choices.map(({ shader, params }, i) =>
    isTiny(plan.kernels[i]) ? new Uint32Array(0) : packParams(shader, params),
  );
  const fields = blocks.flatMap((block, i) => (block.length > 0 ? [`@align(16) s${i}: s${i}_Params,`] : []));
  const declarations = [
    // A struct must have a member.
    `struct Stages { stages: vec4<u32>, ${fields.join(" ")} }`,
    "@group(1) @binding(0) var<uniform> stages: Stages;",
    `@group(0) @binding(0) var<uniform> step_table: array<vec4<u32>, ${TABLE_BYTES / 16}>;`,
    "var<private> step_at: u32;",
    ...bindings.declarations(1),
  ].join("\n");
  const code = assemble([...libs], declarations, [...stages, main].join("\n"));
  const nodes = plan.kernels.flatMap((k) => k.nodes);
  return {
    label: `resident(${plan.kernels.length} stages)`,
    code,
    params: Uint32Array.from([stages.length, 0, 0, 0, ...blocks.flatMap((block) => [...block])]),
    buffers,
    memory: placed.buffers.filter((buffer) => !local.has(buffer)),
    rowWords,
    stages: stages.length,
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

interface Shared {
  readonly bindings: Bindings;
  readonly libs: Set<ShaderLibrary>;
  readonly steps: StepLayout;
}

/**
 * Compilers unroll loops whose bounds they know, which took tens of seconds, so a stage's parameters are read from memory.
 * In the smallest stages there is little to unroll, unless what a loop loads is computed there, as the loss is inside its own
 * sum; and dividing by constants is what makes them fast.
 */
const isTiny = ({ nodes, clusters }: Kernel): boolean =>
  flopsOf(nodes) <= 512 && !clusters.some(({ role }) => "load" in role);

/** One kernel's shader without its entry point, every module-level name behind `prefix`, its parameters in `stages`. */
function writeStage(
  plan: Plan,
  kernel: Kernel,
  choice: KernelChoice,
  prefix: string,
  { bindings, libs, steps }: Shared,
): string {
  const context: HookContext = {
    plan,
    kernel,
    bindings,
    libs,
    dim: (value) => `${value}u`,
    step(name, dtype) {
      const at = steps.column(name, dtype);
      const word = `step_table[step_at + ${at >> 2}u].${"xyzw"[at & 3]}`;
      return dtype === "u32" ? word : `bitcast<${dtype}>(${word})`;
    },
  };
  const { shader, constants = {} } = choice;
  // A shader's libraries may read its parameters, so each stage has them to itself.
  let code = `${librariesOf(shader)}\n${specialise(shader, { constants, hooks: writeHooks(context, choice) })}`;
  const entry = functionSpan(code, shader.entryPoint);
  invariant(entry, `shader ${shader.name} has no entry point.`);
  code = code.slice(0, code.lastIndexOf("@compute", entry.start)) + code.slice(entry.end);
  const declaration = /@group\(1\) @binding\(0\) var<uniform> params: Params;/;
  if (isTiny(kernel)) {
    const values = shader.params?.fields.map(({ name, type }) => `${type}(${choice.params[name]})`).join(", ");
    code = code.replace(declaration, `const params: Params = Params(${values});`);
  } else {
    code = code.replace(declaration, "").replace(/(?<![.\w])params\./g, `stages.${prefix.slice(0, -1)}.`);
  }
  const declared = [...code.matchAll(/^(?:const|struct|alias|fn|var<[^>]*>) ?(\w+)/gm)].map(([, name]) => name);
  return declared.reduce((text, name) => text.replace(new RegExp(`(?<![.\\w])${name}\\b`, "g"), prefix + name), code);
}

/**
 * The barriers that each stage must wait at, in a loop over all of them: for what it reads to be written, and for what it
 * writes to be read by others. Packed values lie side by side in an arena and are each written once.
 */
function barriersBefore(stages: readonly Accesses[], isNear: (buffer: BufferSpec) => boolean): string[] {
  const needed = stages.map(() => new Set<string>());
  const pending = { reads: new Set<BufferSpec>(), writes: new Set<BufferSpec>() };
  const barrierOf = (buffer: BufferSpec): string => `${isNear(buffer) ? "workgroup" : "storage"}Barrier();\n`;
  const wait = (at: number, buffer: BufferSpec): void => {
    const barrier = barrierOf(buffer);
    needed[at].add(barrier);
    for (const set of [pending.reads, pending.writes]) {
      for (const other of set) if (barrierOf(other) === barrier) set.delete(other);
    }
  };
  // The second round sees what the last stages leave for the first.
  for (const at of [...stages.keys(), ...stages.keys()]) {
    const { reads, writes } = stages[at];
    for (const barrier of needed[at])
      for (const set of [pending.reads, pending.writes])
        for (const b of set) if (barrierOf(b) === barrier) set.delete(b);
    for (const buffer of reads) if (pending.writes.has(buffer)) wait(at, buffer);
    for (const buffer of writes) {
      if (pending.reads.has(buffer) || (pending.writes.has(buffer) && buffer.kind !== "arena")) wait(at, buffer);
    }
    for (const buffer of reads) pending.reads.add(buffer);
    for (const buffer of writes) pending.writes.add(buffer);
  }
  return needed.map((barriers) => [...barriers].join(""));
}

/** As many threads as the widest stage can use; few where barriers cost and threads are lanes of one core. */
function threadsFor(choices: readonly KernelChoice[], { software, maxWorkgroupSize }: KernelLimits): number {
  const widest = Math.max(...choices.map(({ grid }) => ("threads" in grid ? grid.threads : 1)));
  const most = Math.min(maxWorkgroupSize, software ? 8 : 256);
  return Math.min(most, 2 ** Math.ceil(Math.log2(widest)));
}
