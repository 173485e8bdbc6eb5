/**
 * Kernels -> WGSL. Takes each kernel's handwritten shader, writes the bodies of its hooks (what to load, what to compute on
 * the way, where to store) and packs its numbers. Shapes and offsets go into uniform blocks, so that kernels which differ
 * in them alone share one pipeline.
 */
import { invariant } from "../errors.ts";
import mapShader from "../../shaders/map.wgsl";
import type { DType, Node, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { dynamicUpdateSliceOp } from "../ops/gather.ts";
import type { InlineCode, KernelChoice, KernelLimits } from "../ops/op.ts";
import type { Cluster, Kernel } from "../passes/fuse.ts";
import { base } from "../passes/fuse.ts";
import type { BufferSpec, Place, Plan } from "../passes/plan.ts";
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

class KernelWriter {
  private readonly buffers: { buffer: BufferSpec; write: boolean }[] = [];
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
    const hooks = anchor ? this.anchorHooks(anchor, choice) : this.mapHooks();
    const { shader, constants = {}, params } = choice;
    const code = link(shader, { constants, hooks, declarations: this.declarations(), libs: this.libs });
    const ops = this.kernel.nodes.map((n) => n.op.name);
    const { nodes } = this.kernel;
    return {
      label: `${shader.name}(${ops.join(" ")})`,
      shader: shader.name,
      code,
      buffers: this.buffers,
      params: packParams(shader, params),
      dims: Uint32Array.from({ length: Math.ceil(this.dims.length / 4) * 4 }, (_, i) => this.dims[i] ?? 0),
      workgroups: this.workgroups(choice),
      flops: nodes.reduce((total, n) => total + (n.op.flops?.(n) ?? sizeOf(n.outputs[0].shape)), 0),
      bytes: this.bytes(),
    };
  }

  /** The name of a buffer's binding in this kernel. */
  bind(buffer: BufferSpec, write: boolean): string {
    let at = this.buffers.findIndex((b) => b.buffer === buffer);
    if (at < 0) at = this.buffers.push({ buffer, write }) - 1;
    else if (write) this.buffers[at] = { buffer, write };
    return `b${at}`;
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
    const [{ size }] = this.kernel.clusters;
    return { shader: mapShader, params: { count: size }, grid: { threads: size }, loads: [], stores: [] };
  }

  private mapHooks(): Record<string, string> {
    const body = new HookWriter(this, this.kernel.clusters[0], null);
    body.storeAll();
    return { compute: `fn compute(i: u32) {\n${body.text()}}` };
  }

  private anchorHooks(anchor: Node, choice: KernelChoice): Record<string, string> {
    const hooks: Record<string, string> = {};
    for (const { hook, input } of choice.loads) {
      const cluster = this.kernel.clusters.find((c) => "load" in c.role && c.role.load === input);
      const body = new HookWriter(this, cluster ?? null, null);
      const t = anchor.inputs[input];
      const value = body.at(t, "i");
      body.storeAll();
      hooks[hook] = `fn ${hook}(i: u32) -> ${t.dtype} {\n${body.text()}return ${value};\n}`;
    }
    for (const { hook, output } of choice.stores) {
      const cluster = this.kernel.clusters.find((c) => "store" in c.role && c.role.store === output);
      const type = anchor.outputs[output];
      const body = new HookWriter(this, cluster ?? null, { node: anchor, index: output, ...type });
      body.storeAll();
      hooks[hook] = `fn ${hook}(i: u32, v: ${type.dtype}) {\n${body.text()}}`;
    }
    for (const { hook, output } of choice.peeks ?? []) {
      const type = anchor.outputs[output];
      const place = this.plan.placeOf({ node: anchor, index: output, ...type });
      invariant(place, `${hook}: the output it reads back has no memory.`);
      const index = place.offset === 0 ? "i" : `${this.dim(place.offset)} + i`;
      hooks[hook] = `fn ${hook}(i: u32) -> ${type.dtype} {\nreturn ${this.bind(place.buffer, true)}[${index}];\n}`;
    }
    return hooks;
  }

  private declarations(): string {
    const lines = this.buffers.map(
      ({ buffer, write }, i) =>
        `@group(1) @binding(${i + 2}) var<storage, ${write ? "read_write" : "read"}> b${i}: array<${buffer.dtype}>;`,
    );
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

/** The body of one hook function, in which `i` is the index and `v`, in a store hook, the anchor's value. */
class HookWriter implements InlineCode {
  private readonly lines: string[] = [];
  private readonly values = new Map<Node, Map<string, string>>();
  private readonly names = new Map<string, string>();
  private readonly kernel: KernelWriter;
  private readonly cluster: Cluster | null;
  private readonly anchored: Tensor | null;

  constructor(kernel: KernelWriter, cluster: Cluster | null, anchored: Tensor | null) {
    this.kernel = kernel;
    this.cluster = cluster;
    this.anchored = anchored;
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  at(view: Tensor, index: string): string {
    const tensor = base(view);
    const { node } = tensor;
    const key = `${tensor.index} ${index}`;
    const known = this.values.get(node)?.get(key);
    if (known) return known;
    const value = this.evaluate(tensor, index);
    const byIndex = this.values.get(node) ?? new Map<string, string>();
    byIndex.set(key, value);
    this.values.set(node, byIndex);
    return value;
  }

  let(expression: string): string {
    if (/^(\w+|-?[\d.]+[uf]?|dims\[\d+\]\.\w)$/.test(expression)) return expression;
    const known = this.names.get(expression);
    if (known) return known;
    const name = `t${this.names.size}`;
    this.names.set(expression, name);
    this.lines.push(`let ${name} = ${expression};`);
    return name;
  }

  dim(value: number): string {
    return this.kernel.dim(value);
  }

  step(name: string, dtype: DType): string {
    return this.let(this.kernel.step(name, dtype));
  }

  use(lib: ShaderLibrary): void {
    this.kernel.libs.add(lib);
  }

  /** Writes every value of this hook that lives in memory; all are computed before any is stored. */
  storeAll(): void {
    const stores: string[] = [];
    const store = (value: string, place: Place, index: string): void => {
      const at = place.offset === 0 ? index : `${this.dim(place.offset)} + ${index}`;
      stores.push(`${this.kernel.bind(place.buffer, true)}[${at}] = ${value};`);
    };
    const { plan } = this.kernel;
    if (this.anchored) {
      const place = plan.placeOf(this.anchored);
      if (place) store("v", place, "i");
    }
    for (const node of this.kernel.kernel.nodes) {
      if (!this.cluster || plan.clusterOf.get(node) !== this.cluster) continue;
      const t: Tensor = { node, index: 0, ...node.outputs[0] };
      const place = plan.placeOf(t);
      if (!place) continue;
      if (node.op === dynamicUpdateSliceOp) {
        const [, value, offset] = node.inputs;
        store(this.at(value, "i"), place, this.let(`${this.at(offset, "0u")} + i`));
      } else store(this.at(t, "i"), place, "i");
    }
    this.lines.push(...stores);
  }

  private evaluate(tensor: Tensor, index: string): string {
    const { node } = tensor;
    if (this.anchored?.node === node && this.anchored.index === tensor.index && index === "i") return "v";
    const mine = this.cluster !== null && this.kernel.plan.clusterOf.get(node) === this.cluster;
    if (!mine) {
      const place = this.kernel.plan.placeOf(tensor);
      if (place) {
        const at = place.offset === 0 ? index : this.let(`${this.dim(place.offset)} + ${index}`);
        return this.let(`${this.kernel.bind(place.buffer, false)}[${at}]`);
      }
    }
    invariant(node.op.inline && (mine || node.op.free), `${node.op.name} is read where it was not computed.`);
    return this.let(node.op.inline(this, node, index));
  }
}
