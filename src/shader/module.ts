/** What an imported `.wgsl` file is, as the build reads it from the WGSL text (tools/wgsl.mjs). */

/** A binding as the kernel declares it. `uniform` is `var<uniform>`; the others are storage buffers. */
export interface ShaderBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly space: "uniform" | "read" | "read_write";
}

/** One member of a parameter struct; `offset` in bytes. */
export interface ParamField {
  readonly name: string;
  readonly offset: number;
  readonly type: "u32" | "i32" | "f32";
}

/** The struct behind `@group(1) @binding(0) var<uniform> params: Params`; `size` in bytes. */
export interface ShaderParams {
  readonly size: number;
  readonly fields: readonly ParamField[];
}

/** A file of `shaders/lib/`: functions that kernels share. */
export interface ShaderLibrary {
  /** The file's name without folder and extension. */
  readonly name: string;
  /** The file's own WGSL, without comments and indentation and without the text of its libraries. */
  readonly code: string;
  /** The libraries that must stand before it, in order, those of its libraries included. */
  readonly libs: readonly string[];
}

/** A kernel: a file of `shaders/` with one compute entry point. */
export interface ShaderModule extends ShaderLibrary {
  readonly entryPoint: string;
  /** One to three entries as written: a number, or the name of the module constant that holds it (`WG`). */
  readonly workgroupSize: readonly (number | string)[];
  /** Ordered by group, then binding. */
  readonly bindings: readonly ShaderBinding[];
  /** `null` when the kernel has no `params`. */
  readonly params: ShaderParams | null;
}
