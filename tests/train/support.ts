/** What the training tests share: devices, a small problem, runs of it. */
import { afterAll, beforeAll, describe } from "vitest";
import type { Device } from "../../src/device.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { TilegradError } from "../../src/errors.ts";
import { dense } from "../../src/model/layers/dense.ts";
import { dropout } from "../../src/model/layers/shape.ts";
import { binaryCrossentropy } from "../../src/model/losses.ts";
import type { Model } from "../../src/model/model.ts";
import { sequential } from "../../src/model/model.ts";
import { openDevice } from "../../src/openDevice.ts";
import { draws } from "../../src/random.ts";
import type { CompileOptions } from "../../src/train/compileOptions.ts";
import type { Data } from "../../src/train/data.ts";
import type { Weights } from "../../src/train/parameters.ts";
import { Trainer } from "../../src/train/trainer.ts";

export { wrapDevice } from "../support/ways.ts";

/** Runs a suite on the CPU reference and on the GPU. */
export function onDevices(suite: (device: () => Device, name: "cpu" | "webgpu") => void): void {
  describe.each(["cpu", "webgpu"] as const)("on %s", (backend) => {
    let device: Device;
    beforeAll(async () => {
      device = await openDevice({ backend });
    });
    afterAll(() => device.dispose());
    suite(() => device, backend);
  });
}

/** Rows whose label depends on the features; 5 features by default. */
export function problem(
  rows: number,
  { features = 5, seed = 1 } = {},
): Required<Data> & { x: Float32Array; y: Float32Array } {
  const draw = draws(seed, 0);
  const x = Float32Array.from({ length: rows * features }, (_, i) => draw.normal(i));
  const y = Float32Array.from({ length: rows }, (_, r) =>
    x[r * features] * x[r * features + 1] + x[r * features + 2] > 0 ? 1 : 0,
  );
  const sampleWeight = Float32Array.from({ length: rows }, (_, r) => 0.5 + draw.uniform(rows * features + r));
  return { x, y, sampleWeight };
}

export const withDropout = (): Model =>
  sequential({ input: [5] }, [dense(8, { activation: "relu" }), dropout(0.3), dense(1)]);

export const trainerOf = (device: Device, model: Model, options: Partial<CompileOptions> = {}): Trainer =>
  new Trainer(model, { device, loss: binaryCrossentropy(), seed: 7, ...options });

/** Weights and optimizer slots, to be compared to the bit. */
export async function bitsOf(trainer: Trainer): Promise<Record<string, Uint32Array>> {
  const bits = (v: ArrayLike<number>): Uint32Array => new Uint32Array(Float32Array.from(v).buffer);
  const found: Record<string, Uint32Array> = {};
  for (const [name, values] of Object.entries(await trainer.getWeights())) found[name] = bits(values);
  for (const [name, slot] of Object.entries(trainer.slots)) found[`slot ${name}`] = bits(await slot.read());
  return found;
}

/** The typed error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<TilegradError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TilegradError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

export const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode> => (await failure(promise)).code;

export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i])), 0);

export const allFinite = (weights: Weights): boolean => Object.values(weights).every((w) => w.every(Number.isFinite));
