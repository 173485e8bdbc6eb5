/**
 * The storage buffers of one kernel. Hooks reach them through functions, since only when all hooks are written is it known
 * whether a buffer may be bound as array<vec4>, to be read and written by fours.
 */
import type { BufferSpec } from "../passes/plan.ts";

/** The functions a buffer may have: one element or four, an index that is a multiple of 4; `mark` sets a single one that is 0. */
type Access = "read" | "read4" | "write" | "write4" | "mark";

interface Binding {
  readonly buffer: BufferSpec;
  readonly uses: Set<Access>;
}

/** Buffers a kernel reads and writes. */
export interface Accesses {
  readonly reads: ReadonlySet<BufferSpec>;
  readonly writes: ReadonlySet<BufferSpec>;
  /** All marks of one step are equal, so that who comes first does not matter. */
  readonly marks: ReadonlySet<BufferSpec>;
}

const noAccesses = () => ({
  reads: new Set<BufferSpec>(),
  writes: new Set<BufferSpec>(),
  marks: new Set<BufferSpec>(),
});

const isWritten = (uses: ReadonlySet<Access>): boolean => uses.has("write") || uses.has("write4") || uses.has("mark");

/** Storing one component of a vec4 may touch its neighbours, which belong to other threads. */
const isWide = (uses: ReadonlySet<Access>): boolean => !uses.has("write") && (uses.has("read4") || uses.has("write4"));

export class Bindings {
  private readonly list: Binding[] = [];
  private readonly local: ReadonlySet<BufferSpec>;
  private readonly cached: ReadonlySet<BufferSpec>;
  private accesses = noAccesses();

  /**
   * @param local buffers that are arrays in workgroup memory instead of bindings
   * @param cached buffers that are both: `copies` moves them
   */
  constructor(local: ReadonlySet<BufferSpec> = new Set(), cached: ReadonlySet<BufferSpec> = new Set()) {
    this.local = local;
    this.cached = cached;
  }

  /** What was accessed since it was last asked. */
  takeAccesses(): Accesses {
    const taken = this.accesses;
    this.accesses = noAccesses();
    return taken;
  }

  /** Whether single elements of it are written. */
  writesSingly(buffer: BufferSpec): boolean {
    return this.list.some((binding) => binding.buffer === buffer && binding.uses.has("write"));
  }

  /**
   * WGSL that moves the cached buffers into workgroup memory, and back those that are written.
   * @param forAll writes a loop of a statement over all `i` below a count
   */
  copies(forAll: (count: number, statement: (i: string) => string) => string): {
    readonly load: string;
    readonly store: string;
  } {
    const found = this.list.flatMap(({ buffer, uses }, at) =>
      this.cached.has(buffer)
        ? [{ at, count: isWide(uses) ? Math.ceil(buffer.size / 4) : buffer.size, written: isWritten(uses) }]
        : [],
    );
    return {
      load: found.map(({ at, count }) => forAll(count, (i) => `b${at}[${i}] = outer_b${at}[${i}];`)).join("\n"),
      store: found
        .filter(({ written }) => written)
        .map(({ at, count }) => forAll(count, (i) => `outer_b${at}[${i}] = b${at}[${i}];`))
        .join("\n"),
    };
  }

  /** WGSL for the element at `index`, or for the four from there on. */
  read(buffer: BufferSpec, index: string, width: 1 | 4): string {
    return `${this.use(buffer, width === 4 ? "read4" : "read")}(${index})`;
  }

  write(buffer: BufferSpec, index: string, value: string, width: 1 | 4): string {
    return `${this.use(buffer, width === 4 ? "write4" : "write")}(${index}, ${value});`;
  }

  /** WGSL that sets the only element of a buffer, unless it is set. */
  mark(buffer: BufferSpec, value: string): string {
    return `${this.use(buffer, "mark")}(${value});`;
  }

  /** In order of their binding numbers. */
  get buffers(): { readonly buffer: BufferSpec; readonly write: boolean }[] {
    return this.bound.map(({ buffer, uses }) => ({ buffer, write: isWritten(uses) }));
  }

  /** @param first the first binding number */
  declarations(first: number): string[] {
    const directives = this.list.some(({ buffer }) => buffer.half) ? ["enable f16;"] : [];
    const each = this.list.flatMap((binding, at) => {
      const { buffer, uses } = binding;
      const { dtype, half, size } = buffer;
      const written = isWritten(uses);
      const wide = isWide(uses);
      const b = `b${at}`;
      // Values are computed with as `dtype`, whatever they are stored as.
      const stored = half ? "f16" : dtype;
      const [value4, stored4] = [`vec4<${dtype}>`, `vec4<${stored}>`];
      const convert = (type: string, text: string): string => (half ? `${type}(${text})` : text);
      const four = [0, 1, 2, 3].map((k) => `${b}[i + ${k}u]`);
      const at4 = wide ? `${b}[i >> 2u]` : `${stored4}(${four.join(", ")})`;
      const functions = {
        read: `fn read_${b}(i: u32) -> ${dtype} { return ${convert(dtype, wide ? `${b}[i >> 2u][i & 3u]` : `${b}[i]`)}; }`,
        read4: `fn read4_${b}(i: u32) -> ${value4} { return ${convert(value4, at4)}; }`,
        write: `fn write_${b}(i: u32, v: ${dtype}) { ${b}[i] = ${convert(stored, "v")}; }`,
        write4: `fn write4_${b}(i: u32, v: ${value4}) { ${
          wide
            ? `${b}[i >> 2u] = ${convert(stored4, "v")};`
            : four.map((element, k) => `${element} = ${convert(stored, `v.${"xyzw"[k]}`)};`).join(" ")
        } }`,
        mark: `fn mark_${b}(v: ${dtype}) { if (${b}[0] == 0.0) { ${b}[0] = v; } }`,
      };
      const access = written ? "read_write" : "read";
      const number = first + this.bound.indexOf(binding);
      const [local, cached] = [this.local.has(buffer), this.cached.has(buffer)];
      const element = wide ? stored4 : stored;
      const count = wide ? Math.ceil(size / 4) : 4 * Math.ceil(size / 4);
      return [
        ...(local || cached ? [`var<workgroup> ${b}: array<${element}, ${count}>;`] : []),
        ...(local
          ? []
          : [
              `@group(1) @binding(${number}) var<storage, ${access}> ${cached ? "outer_" : ""}${b}: array<${element}>;`,
            ]),
        ...[...uses].map((name) => functions[name]),
      ];
    });
    return [...directives, ...each];
  }

  private get bound(): Binding[] {
    return this.list.filter(({ buffer }) => !this.local.has(buffer));
  }

  private use(buffer: BufferSpec, name: Access): string {
    let at = this.list.findIndex((b) => b.buffer === buffer);
    if (at < 0) at = this.list.push({ buffer, uses: new Set() }) - 1;
    this.list[at].uses.add(name);
    this.accesses[name === "mark" ? "marks" : name.startsWith("read") ? "reads" : "writes"].add(buffer);
    return `${name}_b${at}`;
  }
}
