/** Runs layers outside a trainer: forward, with their updates, in training or not. */
import type { Device } from "../../src/device.ts";
import type { Tensor } from "../../src/graph/types.ts";
import { sizeOf } from "../../src/graph/types.ts";
import { initialize } from "../../src/model/initializers.ts";
import type { Layer } from "../../src/model/layer.ts";
import { sequential } from "../../src/model/model.ts";
import { input, state } from "../../src/ops/core/constant.ts";
import { draws } from "../../src/random.ts";

export interface RunOptions {
  readonly device: Device;
  readonly training?: boolean;
  /** Parameters by name, `layer/parameter`; the others are initialised. */
  readonly weights?: Readonly<Record<string, ArrayLike<number>>>;
  readonly step?: number;
}

export interface RunResult {
  readonly y: number[];
  readonly shape: readonly number[];
  /** Parameters after the run's updates. */
  readonly weights: Readonly<Record<string, number[]>>;
}

/** x [batch, ...input] through `layers`. */
export async function run(
  layers: readonly Layer[],
  x: ArrayLike<number>,
  shape: readonly number[],
  options: RunOptions,
): Promise<RunResult> {
  const { device, training = false, weights = {}, step = 0 } = options;
  const model = sequential({ input: shape.slice(1) }, layers);
  const states = new Map(model.parameters.map((spec) => [spec.name, state(spec.name, spec.shape)]));
  const updates: { state: Tensor; value: Tensor }[] = [];
  const y = model.trace(input("x", shape), {
    training,
    parameter: ({ name }) => states.get(name) as Tensor,
    update: (target, value) => updates.push({ state: target, value }),
  });
  const values = model.parameters.map(
    ({ name, shape, initializer }, i) =>
      [
        name,
        device.tensor({ dtype: "f32", shape }, name, weights[name] ?? initialize(initializer, shape, draws(1, i))),
      ] as const,
  );
  const bindings = { x: device.tensor({ dtype: "f32", shape }, "x", x), ...Object.fromEntries(values) };
  const compiled = await device.compile({ outputs: { y }, updates }, { bindings, label: "run" });
  device.enqueue(compiled, { seedLow: 7, seedHigh: 0, step });
  await device.flush();
  const read = async (t: { read(): Promise<ArrayLike<number>> }): Promise<number[]> => Array.from(await t.read());
  const result = {
    y: await read(compiled.outputs.y),
    shape: y.shape,
    weights: Object.fromEntries(await Promise.all(values.map(async ([name, t]) => [name, await read(t)] as const))),
  };
  compiled.dispose();
  for (const t of Object.values(bindings)) t.dispose();
  return result;
}

/** 0, 1, 2 ... of a shape. */
export const counting = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => i);

/** The output's shape without the batch, for an input without the batch. */
export const shapeThrough = (layer: Layer, shape: readonly number[]): readonly number[] =>
  sequential({ input: shape }, [layer]).outputShape;
