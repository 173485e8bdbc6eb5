/** Writes the body of one hook function: what it loads, computes on the way and stores. */
import { invariant } from "../errors.ts";
import type { ShaderLibrary } from "../graph/shader.ts";
import type { DType, InlineCode, Node, Tensor } from "../graph/types.ts";
import { dynamicUpdateSliceOp } from "../ops/core/take.ts";
import type { Cluster, Kernel } from "../passes/kernels.ts";
import type { Place, Plan } from "../passes/plan.ts";
import { base } from "../passes/reads.ts";
import type { Bindings } from "./bindings.ts";

/** What the hooks of a kernel share. */
export interface HookContext {
  readonly plan: Plan;
  readonly kernel: Kernel;
  readonly bindings: Bindings;
  readonly libs: Set<ShaderLibrary>;
  dim(value: number): string;
  step(name: string, dtype: DType): string;
}

export interface Hook {
  /** The pointwise nodes that ride in it. */
  readonly cluster?: Cluster;
  /** 4: index `i` is a multiple of 4, and the hook is about the elements i .. i + 3, as vec4. */
  readonly width: 1 | 4;
  /** In a store hook: the output of the anchor whose value the parameter `v` is. */
  readonly anchored?: Tensor;
}

export class HookWriter implements InlineCode {
  private readonly lines: string[] = [];
  private readonly values = new Map<Node, Map<string, string>>();
  private readonly names = new Map<string, string>();
  private readonly context: HookContext;
  private readonly hook: Hook;

  constructor(context: HookContext, hook: Hook) {
    this.context = context;
    this.hook = hook;
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  at(view: Tensor, index: string): string {
    return this.value(view, index, 1);
  }

  at4(view: Tensor, index: string): string {
    return this.value(view, index, 4);
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
    return this.context.dim(value);
  }

  step(name: string, dtype: DType): string {
    return this.let(this.context.step(name, dtype));
  }

  use(lib: ShaderLibrary): void {
    this.context.libs.add(lib);
  }

  /** Writes every value of this hook that lives in memory; all are computed before any is stored. */
  storeAll(): void {
    const { plan, kernel } = this.context;
    const { cluster, anchored, width } = this.hook;
    const stores: string[] = [];
    const add = (value: string, place: Place, index = "i", aligned = place.offset % 4 === 0): void => {
      const { buffer } = place;
      const at = this.within(place, index);
      if (width === 1 || aligned) stores.push(this.context.bindings.write(buffer, at, value, width));
      else {
        for (const [k, c] of [..."xyzw"].entries()) {
          stores.push(this.context.bindings.write(buffer, `${at} + ${k}u`, `${value}.${c}`, 1));
        }
      }
    };
    const own = anchored && plan.placeOf(anchored);
    if (own) add("v", own);
    if (anchored) stores.push(...this.watch(anchored, "v"));
    for (const node of kernel.nodes) {
      if (!cluster || plan.clusterOf.get(node) !== cluster) continue;
      const t: Tensor = { node, index: 0, ...node.outputs[0] };
      const place = plan.placeOf(t);
      if (!place) continue;
      if (node.op === dynamicUpdateSliceOp) {
        const [, value, offset] = node.inputs;
        add(this.value(value, "i", width), place, this.let(`${this.at(offset, "0u")} + i`), false);
      } else {
        add(this.value(t, "i", width), place);
        stores.push(...this.watch(t, this.value(t, "i", width)));
      }
    }
    this.lines.push(...stores);
  }

  /** Raises the fault where a value that is packed is not finite, or too large. By bits: compilers may assume that NaN does not exist. */
  private watch(t: Tensor, value: string): string[] {
    const { plan, bindings, step } = this.context;
    const pack = plan.watcherOf(t);
    const fault = pack && plan.placeOf({ node: pack, index: 1, ...pack.outputs[1] });
    if (!pack || !fault) return [];
    const place = pack.inputs[pack.inputs.length - 1].node.attrs.name;
    const limit = `${new Uint32Array(Float32Array.of(pack.attrs.limit).buffer)[0]}u`;
    const beyond =
      this.hook.width === 1
        ? `(bitcast<u32>(${value}) & 0x7fffffffu) >= ${limit}`
        : `any((bitcast<vec4<u32>>(${value}) & vec4(0x7fffffffu)) >= vec4(${limit}))`;
    return [`if (${beyond}) { ${bindings.mark(fault.buffer, `1.0 + f32(${step.call(this.context, place, "u32")})`)} }`];
  }

  /** Where element `index` of what is at a place stands in its buffer. */
  private within({ buffer, offset }: Place, index: string): string {
    // A buffer that several values share: the first of them is read as the others are, by the same pipeline.
    return offset > 0 || buffer.kind === "arena" ? `${this.dim(offset)} + ${index}` : index;
  }

  private value(view: Tensor, index: string, width: 1 | 4): string {
    const tensor = base(view);
    const byPlace = this.values.get(tensor.node) ?? new Map<string, string>();
    this.values.set(tensor.node, byPlace);
    const key = `${tensor.index} ${index} ${width}`;
    const known = byPlace.get(key);
    if (known) return known;
    const value = this.evaluate(tensor, index, width);
    byPlace.set(key, value);
    return value;
  }

  private evaluate(tensor: Tensor, index: string, width: 1 | 4): string {
    const { node } = tensor;
    const { plan, bindings } = this.context;
    const { cluster, anchored } = this.hook;
    if (anchored?.node === node && anchored.index === tensor.index && index === "i" && width === this.hook.width)
      return "v";
    const mine = cluster !== undefined && plan.clusterOf.get(node) === cluster;
    const place = mine ? undefined : plan.placeOf(tensor);
    if (place && (width === 1 || place.offset % 4 === 0)) {
      return this.let(bindings.read(place.buffer, this.let(this.within(place, index)), width));
    }
    const { inline, inline4, pointwise, name } = node.op;
    invariant(place || (inline && (mine || node.op.free)), `${name} is read where it was not computed.`);
    if (width === 1) return this.let((inline as NonNullable<typeof inline>)(this, node, index));
    const four = place ? null : inline4?.(this, node, index);
    if (four) return this.let(four);
    const elements = [..."xyzw"].map((c, k) =>
      inline && pointwise && !place
        ? inline(this.component(c), node, index)
        : this.at(tensor, k === 0 ? index : this.let(`${index} + ${k}u`)),
    );
    return this.let(`vec4<${tensor.dtype}>(${new Set(elements).size === 1 ? elements[0] : elements.join(", ")})`);
  }

  /** This writer for a rule that knows scalars alone: it sees one component of every vec4. */
  private component(c: string): InlineCode {
    return {
      at: (x, index) => `${this.at4(x, index)}.${c}`,
      at4: (x, index) => this.at4(x, index),
      let: (expression) => this.let(expression),
      dim: (value) => this.dim(value),
      step: (name, dtype) => this.step(name, dtype),
      use: (lib) => this.use(lib),
    };
  }
}
