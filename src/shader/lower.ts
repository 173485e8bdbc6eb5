/**
 * Kernels -> WGSL. Takes each kernel's handwritten shader, writes the bodies of its hooks (what to load, what to compute on
 * the way, where to store) and packs its numbers. Shapes and offsets go into uniform blocks, so that kernels which differ
 * in them alone share one pipeline.
 */
import { invariant } from "../errors.ts";
import mapShader from "../../shaders/map.wgsl";
import type { DType, Node } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { KernelChoice, KernelLimits } from "../ops/op.ts";
import type { Kernel } from "../passes/fuse.ts";
import { base } from "../passes/fuse.ts";
import type { BufferSpec, Plan } from "../passes/plan.ts";
import { Bindings } from "./bindings.ts";
import type { HookContext } from "./hooks.ts";
import { HookWriter } from "./hooks.ts";
import { link } from "./link.ts";
import type { ShaderLibrary, ShaderModule } from "./module.ts";
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
  readonly workgroups: readonly [number, number, number];
  readonly flops: number;
  readonly bytes: number;
}

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

const STEP_BINDING = "@group(0) @binding(0) var<uniform> step_row: array<vec4<u32>, 16>;";

/** From here on a map kernel has enough threads with four elements each. */
const WIDE_MAP = 1024;

class KernelWriter implements HookContext {
  readonly bindings = new Bindings();
  private readonly dims: number[] = [];
  readonly libs = new Set<ShaderLibrary>();
  private usesStep = false;
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
    const { anchor } = this.kernel;
    const choice = anchor?.op.kernel?.(anchor, this.limits) ?? this.mapChoice();
    const hooks = anchor ? this.anchorHooks(anchor, choice) : this.mapHooks(choice);
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
      workgroups: this.workgroups(choice),
      flops: nodes.reduce((total, n) => total + (n.op.flops?.(n) ?? sizeOf(n.outputs[0].shape)), 0),
      bytes: this.bytes(),
    };
  }

  dim(value: number): string {
    let at = this.dims.indexOf(value);
    if (at < 0) at = this.dims.push(value) - 1;
    return `dims[${at >> 2}].${"xyzw"[at & 3]}`;
  }

  step(name: string, dtype: DType): string {
    this.usesStep = true;
    const at = this.steps.column(name, dtype);
    const word = `step_row[${at >> 2}].${"xyzw"[at & 3]}`;
    return dtype === "u32" ? word : `bitcast<${dtype}>(${word})`;
  }

  private mapChoice(): KernelChoice {
    const { nodes, clusters: [{ size }] } = this.kernel;
    const wide = size % 4 === 0 && size >= WIDE_MAP && nodes.every(({ op }) => op.inline4 || op.pointwise);
    const width = wide ? 4 : 1;
    const constants = { WIDTH: width };
    return { shader: mapShader, constants, params: { count: size }, grid: { threads: size / width }, loads: [], stores: [] };
  }

  private mapHooks({ constants }: KernelChoice): Record<string, string> {
    const body = new HookWriter(this, { cluster: this.kernel.clusters[0], width: constants?.WIDTH === 4 ? 4 : 1 });
    body.storeAll();
    return { compute: `fn compute(i: u32) {\n${body.text()}}` };
  }

  private anchorHooks(anchor: Node, choice: KernelChoice): Record<string, string> {
    const hooks: Record<string, string> = {};
    const typeOf = (dtype: DType, width: 1 | 4): string => (width === 4 ? `vec4<${dtype}>` : dtype);
    for (const { hook, input, width = 1 } of choice.loads) {
      const cluster = this.kernel.clusters.find((c) => "load" in c.role && c.role.load === input);
      const body = new HookWriter(this, { cluster, width });
      const t = anchor.inputs[input];
      const value = width === 4 ? body.at4(t, "i") : body.at(t, "i");
      body.storeAll();
      hooks[hook] = `fn ${hook}(i: u32) -> ${typeOf(t.dtype, width)} {\n${body.text()}return ${value};\n}`;
    }
    for (const { hook, output, width = 1 } of choice.stores) {
      const cluster = this.kernel.clusters.find((c) => "store" in c.role && c.role.store === output);
      const type = anchor.outputs[output];
      const body = new HookWriter(this, { cluster, width, anchored: { node: anchor, index: output, ...type } });
      body.storeAll();
      hooks[hook] = `fn ${hook}(i: u32, v: ${typeOf(type.dtype, width)}) {\n${body.text()}}`;
    }
    for (const { hook, output } of choice.peeks ?? []) {
      const type = anchor.outputs[output];
      const place = this.plan.placeOf({ node: anchor, index: output, ...type });
      invariant(place, `${hook}: the output it reads back has no memory.`);
      const index = place.offset === 0 ? "i" : `${this.dim(place.offset)} + i`;
      hooks[hook] = `fn ${hook}(i: u32) -> ${type.dtype} {\nreturn ${this.bindings.read(place.buffer, index, 1)};\n}`;
    }
    return hooks;
  }

  private declarations(): string {
    const lines = this.bindings.declarations(2);
    if (this.dims.length > 0) {
      lines.unshift(`@group(1) @binding(1) var<uniform> dims: array<vec4<u32>, ${Math.ceil(this.dims.length / 4)}>;`);
    }
    if (this.usesStep) lines.unshift(STEP_BINDING);
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
          touched.set(`${place.buffer.kind}${place.buffer.name}+${place.offset}`, 4 * sizeOf(t.shape));
        }
      }
    }
    return [...touched.values()].reduce((a, b) => a + b, 0);
  }
}

function workgroupThreads(shader: ShaderModule, constants: KernelChoice["constants"] = {}): number {
  const value = (size: number | string): number => {
    if (typeof size === "number") return size;
    const own = new RegExp(`const ${size}: u32 = (\\d+)u`).exec(shader.code)?.[1] ?? new RegExp(`const ${size}: u32 = (\\d+)`).exec(shader.code)?.[1];
    return Number(constants[size] ?? own);
  };
  return shader.workgroupSize.map(value).reduce((a, b) => a * b, 1);
}
