/** What ops share: errors of shapes and types, and indices into strided memory. */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { DType, InlineCode, Tensor, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";

export const f32 = (...shape: number[]): TensorType => ({ dtype: "f32", shape });
export const u32 = (...shape: number[]): TensorType => ({ dtype: "u32", shape });

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

/** WGSL: whether x, of type f32 or vec4<f32>, is NaN, by bits: compilers may assume that there is none. */
export const isNan = (x: string, type: string): string => {
  const bits = type.replace("f32", "u32");
  return `(bitcast<${bits}>(${x}) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u)`;
};
