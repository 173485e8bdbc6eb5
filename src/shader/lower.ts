/**
 * Kernels -> WGSL. Takes each kernel's handwritten shader, writes the bodies of its hooks (what to load, what to compute on
 * the way, where to store) and packs its numbers. Shapes and offsets go into uniform blocks, so that kernels which differ
 * in them alone share one pipeline.
 */
import { invariant } from "../errors.ts";
import type { ShaderLibrary, ShaderModule } from "../graph/shader.ts";
import type { DType, KernelChoice, Node } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Kernel } from "../passes/kernels.ts";
import type { BufferSpec, Plan } from "../passes/plan.ts";
import { base } from "../passes/reads.ts";
import type { KernelLimits } from "../policy/limits.ts";
import { Bindings } from "./bindings.ts";
import { chooseKernel, writeHooks } from "./choice.ts";
import type { HookContext } from "./hooks.ts";
import { link } from "./link.ts";
import { packParams } from "./params.ts";

/** One dispatch, ready to be compiled. */
export interface KernelCall {
  /** The shader's name and the ops it computes, for humans. */
  readonly label: string;
  readonly shader: string;
  readonly code: string;
  /** Storage bindings in order, from binding 2 on. */
  readonly buffers: readonly { readonly buffer: BufferSpec; readonly write: boolean }[];
  /** Binding 0: the shader's `Params`. */
  readonly params: Uint32Array;
  /** Binding 1: numbers of the hooks, or empty. */
  readonly dims: Uint32Array;
  /** Reads step scalars handed to the pass as immediates. */
  readonly readsImmediates: boolean;
  /** Has the row of step scalars as group 0, read or not. */
  readonly bindsRow: boolean;
  readonly workgroups: readonly [number, number, number];
  readonly flops: number;
  readonly bytes: number;
}

/** Equal for calls that run the same programs on the same numbers, whatever chose them. */
export const identityOf = (calls: readonly KernelCall[]): string =>
  calls.map(({ code, params, workgroups }) => [code, params, workgroups].join()).join();

/** Columns of the step row, by name, as kernels ask for them; 64 numbers of 4 bytes at most. */
export class StepLayout {
  readonly columns: { readonly name: string; readonly dtype: DType }[] = [];

  column(name: string, dtype: DType): number {
    const known = this.columns.findIndex((c) => c.name === name);
    if (known >= 0) return known;
    invariant(this.columns.length < 64, "a step has more than 64 scalars");
    return this.columns.push({ name, dtype }) - 1;
  }
}

export function lower(plan: Plan, limits: KernelLimits, steps: StepLayout): KernelCall[] {
  return plan.kernels.map((kernel) => new KernelWriter(plan, kernel, limits, steps).write());
}

const ROW = "@group(0) @binding(0) var<uniform> step_row: array<vec4<u32>, 16>;";
/** As many step scalars as every device with immediates has room for; further ones stay in the row. */
export const IMMEDIATE_WORDS = 16;
// WGSL allows no arrays in immediates.
const IMMEDIATES = `struct StepImmediates { v0: vec4<u32>, v1: vec4<u32>, v2: vec4<u32>, v3: vec4<u32> }
var<immediate> step_immediates: StepImmediates;`;

class KernelWriter implements HookContext {
  readonly bindings = new Bindings();
  private readonly dims: number[] = [];
  readonly libs = new Set<ShaderLibrary>();
  private readsImmediates = false;
  private readsRow = false;
  readonly plan: Plan;
  readonly kernel: Kernel;
  private readonly limits: KernelLimits;
  private readonly steps: StepLayout;

  constructor(plan: Plan, kernel: Kernel, limits: KernelLimits, steps: StepLayout) {
    this.plan = plan;
    this.kernel = kernel;
    this.limits = limits;
    this.steps = steps;
  }

  write(): KernelCall {
    const choice = chooseKernel(this.kernel, this.limits);
    const hooks = writeHooks(this, choice);
    const { shader, constants = {}, params } = choice;
    const code = link(shader, { constants, hooks, declarations: this.declarations(), libs: this.libs });
    const ops = this.kernel.nodes.map((n) => n.op.name);
    const { nodes } = this.kernel;
    return {
      label: `${shader.name}(${ops.join(" ")})`,
      shader: shader.name,
      code,
      buffers: this.bindings.buffers,
      params: packParams(shader, params),
      dims: Uint32Array.from({ length: Math.ceil(this.dims.length / 4) * 4 }, (_, i) => this.dims[i] ?? 0),
      readsImmediates: this.readsImmediates,
      // Without immediates each kernel has group 0, read or not: such WebGPU may know no layouts with gaps.
      bindsRow: this.readsRow || !this.limits.immediates,
      workgroups: this.workgroups(choice),
      flops: flopsOf(nodes),
      bytes: this.bytes(),
    };
  }

  dim(value: number): string {
    let at = this.dims.indexOf(value);
    if (at < 0) at = this.dims.push(value) - 1;
    return `dims[${at >> 2}].${"xyzw"[at & 3]}`;
  }

  step(name: string, dtype: DType): string {
    const at = this.steps.column(name, dtype);
    const immediate = this.limits.immediates && at < IMMEDIATE_WORDS;
    if (immediate) this.readsImmediates = true;
    else this.readsRow = true;
    const word = `${immediate ? `step_immediates.v${at >> 2}` : `step_row[${at >> 2}]`}.${"xyzw"[at & 3]}`;
    return dtype === "u32" ? word : `bitcast<${dtype}>(${word})`;
  }

  private declarations(): string {
    const lines = this.bindings.declarations(2);
    if (this.dims.length > 0) {
      lines.unshift(`@group(1) @binding(1) var<uniform> dims: array<vec4<u32>, ${Math.ceil(this.dims.length / 4)}>;`);
    }
    if (this.readsImmediates) lines.unshift(IMMEDIATES);
    if (this.readsRow) lines.unshift(ROW);
    return lines.join("\n");
  }

  private workgroups({ grid, shader, constants }: KernelChoice): [number, number, number] {
    const most = this.limits.maxWorkgroupsPerDimension;
    const [x, y, z] =
      "threads" in grid ? [Math.ceil(grid.threads / workgroupThreads(shader, constants)), 1, 1] : grid.workgroups;
    // More workgroups than one dimension holds are folded into two.
    return x <= most ? [x, y, z] : [most, Math.ceil(x / most), z];
  }

  /** Memory traffic if every value crossed the bus once. */
  private bytes(): number {
    const inside = new Set(this.kernel.nodes);
    const touched = new Map<string, number>();
    for (const node of this.kernel.nodes) {
      for (const t of [...node.inputs, ...node.outputs.map((type, index) => ({ node, index, ...type }))]) {
        const place = this.plan.placeOf(t);
        if (place && (!inside.has(base(t).node) || t.node === node)) {
          touched.set(
            `${place.buffer.kind}${place.buffer.name}+${place.offset}`,
            (place.buffer.half ? 2 : 4) * sizeOf(t.shape),
          );
        }
      }
    }
    return [...touched.values()].reduce((a, b) => a + b, 0);
  }
}

export const flopsOf = (nodes: readonly Node[]): number =>
  nodes.reduce((total, n) => total + (n.op.flops?.(n) ?? sizeOf(n.outputs[0].shape)), 0);

function workgroupThreads(shader: ShaderModule, constants: KernelChoice["constants"] = {}): number {
  const value = (size: number | string): number => {
    if (typeof size === "number") return size;
    const own =
      new RegExp(`const ${size}: u32 = (\\d+)u`).exec(shader.code)?.[1] ??
      new RegExp(`const ${size}: u32 = (\\d+)`).exec(shader.code)?.[1];
    return Number(constants[size] ?? own);
  };
  return shader.workgroupSize.map(value).reduce((a, b) => a * b, 1);
}
