/**
 * The storage buffers of one kernel. Hooks reach them through functions, since only when all hooks are written is it known
 * whether a buffer may be bound as array<vec4>, to be read and written by fours.
 */
import type { BufferSpec } from "../passes/plan.ts";

/** The functions a buffer may have: one element or four, an index that is a multiple of 4. */
type Access = "read" | "read4" | "write" | "write4";

interface Binding {
  readonly buffer: BufferSpec;
  readonly uses: Set<Access>;
}

export class Bindings {
  private readonly list: Binding[] = [];
  private readonly local: ReadonlySet<BufferSpec>;

  /** @param local buffers that are arrays in workgroup memory instead of bindings */
  constructor(local: ReadonlySet<BufferSpec> = new Set()) {
    this.local = local;
  }

  /** WGSL for the element at `index`, or for the four from there on. */
  read(buffer: BufferSpec, index: string, width: 1 | 4): string {
    return `${this.use(buffer, width === 4 ? "read4" : "read")}(${index})`;
  }

  write(buffer: BufferSpec, index: string, value: string, width: 1 | 4): string {
    return `${this.use(buffer, width === 4 ? "write4" : "write")}(${index}, ${value});`;
  }

  /** In order of their binding numbers. */
  get buffers(): { readonly buffer: BufferSpec; readonly write: boolean }[] {
    return this.bound.map(({ buffer, uses }) => ({ buffer, write: uses.has("write") || uses.has("write4") }));
  }

  /** @param first the first binding number */
  declarations(first: number): string[] {
    return this.list.flatMap((binding, at) => {
      const { buffer, uses } = binding;
      const { dtype, size } = buffer;
      const written = uses.has("write") || uses.has("write4");
      // Storing one component of a vec4 may touch its neighbours, which belong to other threads.
      const wide = !uses.has("write") && (uses.has("read4") || uses.has("write4"));
      const b = `b${at}`;
      const vec4 = `vec4<${dtype}>`;
      const four = [0, 1, 2, 3].map((k) => `${b}[i + ${k}u]`);
      const functions = {
        read: `fn read_${b}(i: u32) -> ${dtype} { return ${wide ? `${b}[i >> 2u][i & 3u]` : `${b}[i]`}; }`,
        read4: `fn read4_${b}(i: u32) -> ${vec4} { return ${wide ? `${b}[i >> 2u]` : `${vec4}(${four.join(", ")})`}; }`,
        write: `fn write_${b}(i: u32, v: ${dtype}) { ${b}[i] = v; }`,
        write4: `fn write4_${b}(i: u32, v: ${vec4}) { ${
          wide ? `${b}[i >> 2u] = v;` : four.map((element, k) => `${element} = v.${"xyzw"[k]};`).join(" ")
        } }`,
      };
      const access = written ? "read_write" : "read";
      const number = first + this.bound.indexOf(binding);
      return [
        number < first
          ? `var<workgroup> ${b}: array<${wide ? vec4 : dtype}, ${wide ? Math.ceil(size / 4) : 4 * Math.ceil(size / 4)}>;`
          : `@group(1) @binding(${number}) var<storage, ${access}> ${b}: array<${wide ? vec4 : dtype}>;`,
        ...[...uses].map((name) => functions[name]),
      ];
    });
  }

  private get bound(): Binding[] {
    return this.list.filter(({ buffer }) => !this.local.has(buffer));
  }

  private use(buffer: BufferSpec, name: Access): string {
    let at = this.list.findIndex((b) => b.buffer === buffer);
    if (at < 0) at = this.list.push({ buffer, uses: new Set() }) - 1;
    this.list[at].uses.add(name);
    return `${name}_b${at}`;
  }
}
