/** Initial weights, drawn on the host from (seed, stream) so that they are the same on every device. */
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { nearest } from "../nearest.ts";
import { show } from "../options.ts";
import type { Draws } from "../random.ts";

interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Those that scale with the unit: the variance that they draw with, threefold where it is uniform: limit^2. */
const SCALED = {
  glorotUniform: ({ fanIn, fanOut }: Fans) => 6 / (fanIn + fanOut),
  glorotNormal: ({ fanIn, fanOut }: Fans) => 2 / (fanIn + fanOut),
  heUniform: ({ fanIn }: Fans) => 6 / fanIn,
  heNormal: ({ fanIn }: Fans) => 2 / fanIn,
  lecunUniform: ({ fanIn }: Fans) => 3 / fanIn,
  lecunNormal: ({ fanIn }: Fans) => 1 / fanIn,
};

export type InitializerName = "zeros" | "ones" | "orthogonal" | keyof typeof SCALED;
const NAMES: readonly string[] = ["zeros", "ones", ...Object.keys(SCALED), "orthogonal"];

/** A name, or `{ constant }`, or `{ normal: std }`, or `{ uniform: limit }`, or `{ values }` in row-major order. */
export type Initializer =
  | InitializerName
  | { readonly constant: number }
  | { readonly normal: number }
  | { readonly uniform: number }
  | { readonly values: readonly number[] };

/** Looked at when the parameter is made. */
export const initializerKind: Kind<Initializer> = is.anything;

/**
 * Inputs and outputs of one unit: kernels are [..., in, out], the leading axes a receptive field (Glorot and Bengio 2010).
 */
function fans(shape: readonly number[]): Fans {
  if (shape.length < 2) return { fanIn: sizeOf(shape), fanOut: sizeOf(shape) };
  const field = sizeOf(shape.slice(0, -2));
  return { fanIn: field * shape[shape.length - 2], fanOut: field * shape[shape.length - 1] };
}

/** @throws E_ARGUMENT */
export function checkInitializer(initializer: Initializer): void {
  const { constant, normal, uniform, values } = Object(initializer) as Readonly<Record<string, unknown>>;
  const number = constant ?? normal ?? uniform;
  if (NAMES.includes(initializer as string) || Number.isFinite(number) || Array.isArray(values)) return;
  const near = typeof initializer === "string" && nearest(initializer, NAMES);
  const hint = ArrayBuffer.isView(values)
    ? "A model is saved as JSON: Array.from(values)."
    : near && `Did you mean "${near}"?`;
  throw new TilegradError(
    "E_ARGUMENT",
    `initializer: got ${show(initializer)}; expected ${NAMES.join(", ")}, { constant }, { normal }, { uniform } or a list of { values }.`,
    hint ? { hint } : {},
  );
}

/** @throws E_SHAPE when given values do not fill the shape. */
export function initialize(initializer: Initializer, shape: readonly number[], draw: Draws): Float32Array {
  const size = sizeOf(shape);
  const fill = (value: (i: number) => number): Float32Array => Float32Array.from({ length: size }, (_, i) => value(i));
  const uniform = (limit: number): Float32Array => fill((i) => limit * (2 * draw.uniform(i) - 1));
  const normal = (std: number): Float32Array => fill((i) => std * draw.normal(i));
  if (typeof initializer !== "string") {
    if ("constant" in initializer) return fill(() => initializer.constant);
    if ("normal" in initializer) return normal(initializer.normal);
    if ("uniform" in initializer) return uniform(initializer.uniform);
    if (initializer.values.length !== size) {
      throw new TilegradError(
        "E_SHAPE",
        `initializer: got ${initializer.values.length} values for [${shape}]; expected ${size}.`,
      );
    }
    return Float32Array.from(initializer.values);
  }
  if (initializer === "zeros") return fill(() => 0);
  if (initializer === "ones") return fill(() => 1);
  if (initializer === "orthogonal") return orthogonal(shape, draw);
  const spread = Math.sqrt(SCALED[initializer](fans(shape)));
  return initializer.endsWith("Uniform") ? uniform(spread) : normal(spread);
}

/** Orthonormal rows or columns, whichever are fewer: Gram-Schmidt, twice, on normal draws (Saxe et al. 2013). */
function orthogonal(shape: readonly number[], draw: Draws): Float32Array {
  const columns = shape[shape.length - 1];
  const rows = sizeOf(shape) / columns;
  const count = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const vectors = Array.from({ length: count }, (_, v) =>
    Float64Array.from({ length }, (_, i) => draw.normal(v * length + i)),
  );
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((total, x, i) => total + x * b[i], 0);
  vectors.forEach((vector, v) => {
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) {
        const along = dot(vector, vectors[u]);
        vector.forEach((_, i) => {
          vector[i] -= along * vectors[u][i];
        });
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    vector.forEach((_, i) => {
      vector[i] /= norm;
    });
  });
  const wide = columns >= rows;
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    return wide ? vectors[row][column] : vectors[column][row];
  });
}
