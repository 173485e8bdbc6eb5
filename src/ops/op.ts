/** The contract of an op: everything the runtime knows of it stands in one `OpDef`, in one file. */

import { TilegradError } from "../errors.ts";
import type { ShaderModule } from "../graph/shader.ts";
import type { Attrs, DType, Node, Tensor, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { checkFields } from "../options.ts";
import type { KernelForce, KernelLimits } from "../policy/limits.ts";

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
  /** `inline` reads element i of every input for element i of the output. */
  readonly pointwise?: boolean;
  /** The same values as other ops, or null to stay: applied once the graph is differentiated, before fusion. */
  readonly expand?: (node: Node, limits: KernelLimits) => readonly Tensor[] | null;
  /** A kernel of its own. */
  readonly kernel?: (node: Node, limits: KernelLimits) => KernelChoice;
  /** What forces each of the kernels that the device could choose between; absent where there is one kernel. */
  readonly variants?: (limits: KernelLimits) => readonly KernelForce[];
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
  use(lib: ShaderModule): void;
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

export const f32 = (...shape: number[]): TensorType => ({ dtype: "f32", shape });
export const u32 = (...shape: number[]): TensorType => ({ dtype: "u32", shape });

/** @throws E_ARGUMENT */
export function checkTensors(op: string, ...values: readonly unknown[]): void {
  for (const value of values)
    checkFields(op, value, { node: is.object, shape: is.list }, "a tensor, such as a layer's x or ops.input()");
}

/** Builds a node. Every op's public function goes through here, so a bad shape fails where it is written. */
export function apply(op: OpDef, inputs: readonly Tensor[], attrs: Attrs = {}): Tensor[] {
  checkTensors(op.name, ...inputs);
  const outputs = op.shape(inputs, attrs);
  const node: Node = { op, inputs, attrs, outputs };
  return outputs.map((type, index) => ({ node, index, dtype: type.dtype, shape: type.shape }));
}

/** `apply` for ops with one output. */
export function apply1(op: OpDef, inputs: readonly Tensor[], attrs: Attrs = {}): Tensor {
  return apply(op, inputs, attrs)[0];
}

export function showType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

export function shapeError(op: string, got: readonly TensorType[], expected: string, hint?: string): TilegradError {
  return new TilegradError(
    "E_SHAPE",
    `${op}: got ${got.map(showType).join(", ")}; expected ${expected}.`,
    hint === undefined ? {} : { hint },
  );
}

export function expectDType(op: string, type: TensorType, dtype: DType): void {
  if (type.dtype !== dtype) {
    throw new TilegradError("E_DTYPE", `${op}: got ${showType(type)}; expected ${dtype}.`, {
      hint: "Convert with cast(x, dtype).",
    });
  }
}

/** Row-major strides: shape [2, 3, 4] -> [12, 4, 1]. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

/** Resolves a possibly negative axis. Throws `E_ARGUMENT`. */
export function resolveAxis(op: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
    throw new TilegradError("E_ARGUMENT", `${op}: got axis ${axis}; expected an integer in [-${rank}, ${rank}).`);
  }
  return resolved;
}

/** A strided walk over `shape`: calls visit(outputIndex, offset) where offset = sum of coordinate * stride. */
export function walk(
  shape: readonly number[],
  strides: readonly number[],
  visit: (index: number, offset: number) => void,
  start = 0,
): void {
  const total = sizeOf(shape);
  const at = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let i = 0; i < total; i++) {
    visit(i, offset);
    for (let d = shape.length - 1; d >= 0; d--) {
      offset += strides[d];
      if (++at[d] < shape[d]) break;
      offset -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
}

interface Dimension {
  size: number;
  stride: number;
}

/** Neighbouring dimensions that step together become one, so that a plain copy costs no arithmetic. */
function mergeDimensions(shape: readonly number[], strides: readonly number[]): Dimension[] {
  const dims: Dimension[] = [];
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const last = dims.at(-1);
    if (last && last.stride === strides[d] * shape[d]) {
      last.size *= shape[d];
      last.stride = strides[d];
    } else dims.push({ size: shape[d], stride: strides[d] });
  }
  return dims;
}

/**
 * WGSL for start + the sum of coordinate_d(index) * stride_d, where `index` is linear over `shape`. A start of 0 is added as
 * any other, so that the first of several slices is read by the same pipeline.
 */
export function stridedIndex(
  code: InlineCode,
  index: string,
  shape: readonly number[],
  strides: readonly number[],
  start?: number,
): string {
  const dims = mergeDimensions(shape, strides);
  const terms: string[] = [];
  let inner = 1;
  for (let d = dims.length - 1; d >= 0; d--) {
    const { size, stride } = dims[d];
    if (stride !== 0) {
      let term = inner === 1 ? index : code.let(`${index} / ${code.dim(inner)}`);
      if (d > 0) term = `(${term} % ${code.dim(size)})`;
      terms.push(stride === 1 ? term : `${term} * ${code.dim(stride)}`);
    }
    inner *= size;
  }
  if (start !== undefined) terms.push(code.dim(start));
  if (terms.length === 0) return "0u";
  return terms.length === 1 && terms[0] === index ? index : code.let(terms.join(" + "));
}

/** WGSL for the elements of x that `stridedIndex` gives for four neighbours, where they are neighbours in x or all one. */
export function strided4(
  code: InlineCode,
  x: Tensor,
  index: string,
  shape: readonly number[],
  strides: readonly number[],
  start?: number,
): string | null {
  const dims = mergeDimensions(shape, strides);
  const inner = dims.pop();
  if (!inner || inner.size % 4 !== 0) return null;
  const at = (): string => stridedIndex(code, index, shape, strides, start);
  if (inner.stride === 0) return `vec4<${x.dtype}>(${code.at(x, at())})`;
  const aligned = inner.stride === 1 && (start ?? 0) % 4 === 0 && dims.every((d) => d.stride % 4 === 0);
  return aligned ? code.at4(x, at()) : null;
}
