/** What an imported `.wgsl` file is, as the build reads it from the WGSL text (tools/wgsl.mjs). */

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

/** A file that kernels share: functions, or the parameters of a family. */
export interface ShaderLibrary {
  /** The file's name without folder and extension. */
  readonly name: string;
  /** The file's own WGSL, without comments and indentation, libraries, hooks and entry point. */
  readonly code: string;
  /** The libraries that it names; they have their own. */
  readonly libs: readonly ShaderLibrary[];
  /**
   * The functions through which it reads and writes, with the type of what they take or give: `load_x(i: u32) -> f32`,
   * `store_y(i: u32, v: f32)`, `peek_y(i: u32) -> f32`, and with no type `compute(i: u32)`.
   */
  readonly hooks: Readonly<Record<string, string>>;
}

/** A kernel: a file with an entry point. */
export interface ShaderModule extends ShaderLibrary {
  /** The entry point, `main`. */
  readonly main: string;
  /** Whether it has `fn item(i: u32)`, which does the work of one thread and waits for no other. */
  readonly itemwise: boolean;
  /** One to three entries as written: a number, or the name of the module constant that holds it (`WG`). */
  readonly workgroupSize: readonly (number | string)[];
  /** `null` when the kernel has no `params`. */
  readonly params: ShaderParams | null;
}
