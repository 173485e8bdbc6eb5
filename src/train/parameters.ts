/**
 * Where parameters live: what is trained in one flat arena, so that the optimizer is one kernel; what is not (statistics,
 * frozen layers) each in a tensor of its own.
 */
import type { DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { initialize } from "../model/initializers.ts";
import type { Model, ParameterSpec } from "../model/model.ts";
import { state } from "../ops/core/constant.ts";
import { takeSlice } from "../ops/core/take.ts";
import { reshape } from "../ops/core/view.ts";
import { f32 } from "../ops/op.ts";
import { draws } from "../random.ts";
import type { MakeTensor } from "./tensors.ts";

export interface PlacedParameter {
  readonly spec: ParameterSpec;
  /** In elements of the arena, a multiple of 4 so that kernels may take four at a time; null: not in the arena. */
  readonly offset: number | null;
}

export interface ParameterLayout {
  readonly placed: readonly PlacedParameter[];
  /** Elements of the arena, at least 1. */
  readonly arenaSize: number;
}

const ALIGN = 4;
/** Streams of random draws below this belong to the model's layers. */
const INITIAL_WEIGHTS = 1 << 20;

export function layoutParameters({ parameters }: Model): ParameterLayout {
  let end = 0;
  const placed = parameters.map((spec): PlacedParameter => {
    if (!spec.trainable) return { spec, offset: null };
    const offset = end;
    end += Math.ceil(sizeOf(spec.shape) / ALIGN) * ALIGN;
    return { spec, offset };
  });
  return { placed, arenaSize: Math.max(1, end) };
}

/** The parameters in a graph: views into the arena, or states. */
export interface ParameterViews {
  readonly arena: Tensor;
  view(name: string): Tensor;
}

export function parameterViews({ placed, arenaSize }: ParameterLayout): ParameterViews {
  const arena = state("parameters", [arenaSize]);
  const views = new Map(
    placed.map(({ spec, offset }) => [
      spec.name,
      offset === null
        ? state(`parameter ${spec.name}`, spec.shape)
        : reshape(takeSlice(arena, [offset], [sizeOf(spec.shape)]), spec.shape),
    ]),
  );
  return { arena, view: (name) => views.get(name) as Tensor };
}

/** A vector over the arena, one value per parameter. */
export function perParameter(
  { placed, arenaSize }: ParameterLayout,
  value: (spec: ParameterSpec) => number,
): Float32Array {
  const vector = new Float32Array(arenaSize);
  for (const { spec, offset } of placed) {
    if (offset !== null) vector.fill(value(spec), offset, offset + sizeOf(spec.shape));
  }
  return vector;
}

/** A named array of weights, row-major. */
export interface Weights {
  readonly [name: string]: Float32Array;
}

/** The parameters on a device. */
export class Parameters {
  readonly layout: ParameterLayout;
  /** Bindings of the states of `parameterViews`, by name. */
  readonly bindings: Readonly<Record<string, DeviceTensor>>;

  /** Zeros, until something is written: the device tells whether there is room before the host needs any. @throws E_MEMORY */
  constructor(make: MakeTensor, model: Model) {
    this.layout = layoutParameters(model);
    const bindings: Record<string, DeviceTensor> = {};
    for (const { spec, offset } of this.layout.placed) {
      if (offset === null) bindings[`parameter ${spec.name}`] = make(f32(...spec.shape), spec.name);
    }
    bindings.parameters = make(f32(this.layout.arenaSize), "parameters");
    this.bindings = bindings;
  }

  /** Writes initial weights, drawn by seed. */
  draw(seed: number): void {
    this.layout.placed.forEach((p, i) => {
      this.put(p, initialize(p.spec.initializer, p.spec.shape, draws(seed, INITIAL_WEIGHTS + i)));
    });
  }

  private put({ spec, offset }: PlacedParameter, values: ArrayLike<number>): void {
    if (offset === null) this.bindings[`parameter ${spec.name}`].write(values);
    else this.bindings.parameters.write(values, offset);
  }

  async read(): Promise<Weights> {
    const arena = (await this.bindings.parameters.read()) as Float32Array;
    const weights: Record<string, Float32Array> = {};
    for (const { spec, offset } of this.layout.placed) {
      weights[spec.name] =
        offset === null
          ? Float32Array.from(await this.bindings[`parameter ${spec.name}`].read())
          : Float32Array.from(arena.subarray(offset, offset + sizeOf(spec.shape)));
    }
    return weights;
  }

  /** @throws E_SHAPE naming a parameter that is missing, unknown or of another size; nothing is written then. */
  write(weights: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const { spec } of this.layout.placed) {
      const got = weights[spec.name]?.length;
      if (got !== sizeOf(spec.shape)) {
        throw new TilegradError(
          "E_SHAPE",
          `weights: "${spec.name}" has ${got ?? "no"} values; expected [${spec.shape}].`,
        );
      }
    }
    const known = new Set(this.layout.placed.map((p) => p.spec.name));
    const extra = Object.keys(weights).find((name) => !known.has(name));
    if (extra !== undefined) throw new TilegradError("E_SHAPE", `weights: this model has no parameter "${extra}".`);
    for (const p of this.layout.placed) this.put(p, weights[p.spec.name]);
  }
}
