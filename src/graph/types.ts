/** The intermediate representation: readonly nodes over statically shaped tensors; and the contract of an op, in one `OpDef`. */
import type { KernelLimits, KernelVariant } from "../policy/limits.ts";
import type { ShaderLibrary, ShaderModule } from "./shader.ts";

export const DTYPES = ["f32", "u32", "i32"] as const;
export type DType = (typeof DTYPES)[number];

/** Row-major, static shape; `[]` is a scalar. Images are NHWC, kernels HWIO, sequences [batch, time, features]. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

// biome-ignore lint/suspicious/noExplicitAny: each op types its own attributes; the IR carries any of them
export type Attrs = Readonly<Record<string, any>>;

/** One application of an op. Its inputs were built before it, so graphs cannot have cycles. */
export interface Node {
  readonly op: OpDef;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  readonly outputs: readonly TensorType[];
}

/** A symbolic tensor: the `index`-th output of a node. */
export interface Tensor extends TensorType {
  readonly node: Node;
  readonly index: number;
}

/**
 * A computation over *inputs* (fed by the caller), *states* (kept on the device between runs), with *outputs* and
 * *updates* (state <- value, all taking effect together after everything was computed).
 * Inputs and states are found by walking from outputs and updates.
 */
export interface Graph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates: readonly Update[];
}

export interface Update {
  /** A `state` tensor. */
  readonly state: Tensor;
  /** Its next value, of the same type. */
  readonly value: Tensor;
}

/** Elements of one tensor. f32 tensors are Float64Array when the reference runs in double precision. */
export type Elements = Float32Array | Float64Array | Uint32Array | Int32Array;

export interface OpDef {
  readonly name: string;
  /** Checks the inputs and infers the outputs. Throws `E_SHAPE`, `E_DTYPE` or `E_ARGUMENT`. */
  readonly shape: (inputs: readonly TensorType[], attrs: Attrs) => readonly TensorType[];
  /** The gradient of each input as graph; `null` where there is none. Absent: not differentiable. */
  readonly grad?: (call: GradCall) => readonly (Tensor | null)[];
  /** Plain loops; the definition that every kernel is checked against. Absent for inputs and states only. */
  readonly reference?: (call: ReferenceCall) => void;
  /** WGSL for one element of the (only) output. Ops with `inline` fuse; an op has `inline`, `kernel` or `expand`. */
  readonly inline?: (code: InlineCode, node: Node, index: string) => string;
  /**
   * As `inline`, for the four elements from `index` (a multiple of 4) on as a vec4; null where the shapes do not allow it.
   * Absent: written with `inline`, four times.
   */
  readonly inline4?: (code: InlineCode, node: Node, index: string) => string | null;
  /** Its inputs must be finite: what it gives for others differs between devices. */
  readonly finite?: true;
  /** Between these numbers its values are right; absent: everywhere. Beyond, they are finite and what such a function can give. */
  readonly domain?: readonly [number, number];
  /** `inline` reads element i of every input for element i of the output. */
  readonly pointwise?: boolean;
  /** The same values as other ops, or null to stay: applied once the graph is differentiated, before fusion. */
  readonly expand?: (node: Node, limits: KernelLimits) => readonly Tensor[] | null;
  /** A kernel of its own. */
  readonly kernel?: (node: Node, limits: KernelLimits) => KernelChoice;
  /** The kernels that the device could choose between; absent where there is one. */
  readonly variants?: (limits: KernelLimits) => readonly KernelVariant[];
  /** Inputs whose every element the kernel reads exactly once: what makes them may be computed in its load hook. */
  readonly readsOnce?: readonly number[];
  /** Inputs the kernel reads so often that a view of something else is copied first. */
  readonly contiguous?: readonly number[];
  /** In mixed precision it reads parameters from copies in f16, where it reads each so often that a copy is worth it. */
  readonly readsCopies?: boolean;
  /** The kernel reads back what it stored (`peeks`), so its outputs need memory. */
  readonly readsBack?: boolean;
  /** This output is kept for the op's own gradient only: it has none itself. */
  readonly saved?: number;
  /** What memory of it holds: such a value is computed where its input is, and loaded by whoever reads it. */
  readonly storedAs?: "f16";
  /** Costs nothing to compute twice: views, constants, step scalars. Such ops never get a buffer of their own. */
  readonly free?: boolean;
  /** Element i of the output is element i of the input (reshape): storage is shared. */
  readonly alias?: boolean;
  /** Floating point operations; default: one per output element. */
  readonly flops?: (node: Node) => number;
  /** Shapes and attributes that the tests and `doctor` try: 1, primes, tails, more than one workgroup. */
  readonly samples?: () => readonly Sample[];
}

export interface GradCall {
  readonly node: Node;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  /** The op's own outputs, which a rule may reuse. */
  readonly outputs: readonly Tensor[];
  /** Upstream gradients; `null` where an output does not reach the loss. */
  readonly upstream: readonly (Tensor | null)[];
}

export interface ReferenceCall {
  readonly inputs: readonly Elements[];
  readonly inputTypes: readonly TensorType[];
  readonly attrs: Attrs;
  /** Zero-filled; to be written. */
  readonly outputs: readonly Elements[];
  readonly outputTypes: readonly TensorType[];
  /** The step's scalars by name. */
  readonly step: StepValues;
}

/** The numbers that change from step to step (learning rate, row offset, step number ...), by name. */
export type StepValues = Readonly<Record<string, number>>;

/** What an `inline` rule writes with. */
export interface InlineCode {
  /** The element of `tensor` at a linear index (a WGSL u32 expression). */
  at(tensor: Tensor, index: string): string;
  /** Its four elements from `index`, a multiple of 4, on as a vec4. */
  at4(tensor: Tensor, index: string): string;
  /** Names an expression, once. */
  let(expression: string): string;
  /** A number of the shape, kept in the parameter block so that one pipeline serves many shapes. */
  dim(value: number): string;
  /** A step scalar. */
  step(name: string, dtype: DType): string;
  /** Makes the functions of a library in `shaders/` available. */
  use(lib: ShaderLibrary): void;
}

/** One dispatch: a shader, what to specialise it with, and which tensors its hooks read and write. */
export interface KernelChoice {
  readonly shader: ShaderModule;
  /** Named declarations to replace: `const` values and aliases. */
  readonly constants?: Readonly<Record<string, number | boolean | string>>;
  /** What a floating point operation costs, in units of a matrix product's; default 1. */
  readonly effort?: number;
  /** Fields of the shader's `Params`. */
  readonly params: Readonly<Record<string, number>>;
  /** Threads wanted (one dimension), or workgroups. */
  readonly grid: { readonly threads: number } | { readonly workgroups: readonly [number, number, number] };
  /** Hook functions `NAME(i: u32) -> elem` and the input each reads; with width 4, elements i .. i + 3 as a vec4, 4 | i. */
  readonly loads: readonly { readonly hook: string; readonly input: number; readonly width?: 4 }[];
  /** Hook functions `NAME(i: u32, v: elem)` and the output each writes; with width 4, v is a vec4 and 4 | i. */
  readonly stores: readonly { readonly hook: string; readonly output: number; readonly width?: 4 }[];
  /** Hook functions `NAME(i: u32) -> elem` that read back what the kernel itself stored. */
  readonly peeks?: readonly { readonly hook: string; readonly output: number }[];
}

export interface Sample {
  readonly inputs: readonly SampleInput[];
  readonly attrs?: Attrs;
  /** The gradient check needs smooth neighbourhoods: off for kinks hit on purpose. */
  readonly gradcheck?: boolean;
  readonly rtol?: number;
  readonly atol?: number;
}

export interface SampleInput extends TensorType {
  /** Values are drawn uniformly from here; default [-2, 2]. Integers: [low, high). */
  readonly range?: readonly [number, number];
  /** Exact values instead. */
  readonly values?: readonly number[];
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
