/** Where a training step spends its time, kernel by kernel, beside what the device can do at best. */

import type { Device, TimedDispatch } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Graph } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { median } from "../numeric.ts";
import { input } from "../ops/core/constant.ts";
import { neg } from "../ops/core/elementwise.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import { f32 } from "../ops/op.ts";
import type { OptionsOf } from "../options.ts";
import type { Numeric } from "../values.ts";
import { numbersOf } from "../values.ts";
import type { Data } from "./data.ts";
import type { RowSource } from "./source.ts";

export const PROFILE_OPTIONS = {
  /** Default 32. */
  batchSize: is.positiveInteger,
  /** Steps that are timed, after as many that are not; default 16. */
  steps: is.positiveInteger,
};

export interface ProfileOptions extends OptionsOf<typeof PROFILE_OPTIONS> {}

export interface KernelTime {
  /** The shader and the ops it computes. */
  readonly kernel: string;
  readonly shader: string;
  /** Median over the steps, in microseconds, and its share of the step, in [0, 1]. */
  readonly us: number;
  readonly share: number;
  /** Floating point operations, and bytes if every value crosses the bus once. */
  readonly flops: number;
  readonly bytes: number;
  readonly gflopsPerSecond: number;
  readonly gigabytesPerSecond: number;
}

/** An event of the Trace Event Format, which chrome://tracing and ui.perfetto.dev open; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: "X";
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, number | string>>;
}

export interface Profile {
  /** In the order of the step. */
  readonly kernels: readonly KernelTime[];
  /** The sum of the kernels' medians, in microseconds. */
  readonly us: number;
  /** The best this device did, each: in a large product, a large copy, or one of the kernels, which may find its values in a cache. */
  readonly ceilings: { readonly gflopsPerSecond: number; readonly gigabytesPerSecond: number };
  readonly traceEvents: readonly TraceEvent[];
}

/** The first rows of `data`, for so many steps; several times over where there are fewer. */
export async function profiledRows(
  data: Data<Numeric> | RowSource,
  inputs: number,
  batchSize: number,
  steps: number,
): Promise<{ readonly rows: Data; readonly batch: number; readonly epochs: number }> {
  const found = "x" in data ? data : await data.read(0, Math.min(data.rows, steps * batchSize));
  const [x, y] = [numbersOf("profile", "x", found.x), numbersOf("profile", "y", found.y)];
  const sampleWeight = found.sampleWeight && numbersOf("profile", "sampleWeight", found.sampleWeight);
  const all = x.length / inputs;
  const batch = Math.min(batchSize, all);
  const perEpoch = Math.min(steps, Math.floor(all / batch));
  const first = (list: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: (perEpoch * batch * list.length) / all }, (_, i) => list[i]);
  const rows = { x: first(x), y: first(y), ...(sampleWeight ? { sampleWeight: first(sampleWeight) } : {}) };
  return { rows, batch, epochs: Math.ceil(steps / perEpoch) };
}

/** Profiles what `work` runs, which must be runs of one compiled step. @throws E_DEVICE on a device without a clock */
export async function profileSteps(device: Device, work: () => Promise<void>): Promise<Profile> {
  const timed = await timedRuns(device, work);
  const step = timed.filter(({ run }) => run === timed[0].run);
  const times = step.map((kernel) => ({
    ...kernel,
    us: median(timed.filter((t) => t.kernel === kernel.kernel).map((t) => t.duration)),
  }));
  const total = times.reduce((sum, { us }) => sum + us, 0);
  const kernels = times.map(({ label, shader, us, flops, bytes }) => ({
    kernel: label,
    shader,
    us,
    share: us / total,
    flops,
    bytes,
    gflopsPerSecond: flops / us / 1e3,
    gigabytesPerSecond: bytes / us / 1e3,
  }));
  const rates = [await measureRates(device), ...kernels];
  return {
    kernels,
    us: total,
    ceilings: {
      gflopsPerSecond: Math.max(...rates.map((rate) => rate.gflopsPerSecond)),
      gigabytesPerSecond: Math.max(...rates.map((rate) => rate.gigabytesPerSecond)),
    },
    traceEvents: timed.map(({ label, shader, run, start, duration, flops, bytes }) => ({
      name: label,
      cat: shader,
      ph: "X",
      ts: start,
      dur: duration,
      pid: 1,
      tid: 1,
      args: { step: run, flops, bytes, gflopsPerSecond: flops / duration / 1e3 },
    })),
  };
}

/** Timestamps come in steps of this many microseconds at most, where they are not exact. */
const COARSE = 65.536;

async function timedRuns(device: Device, work: () => Promise<void>): Promise<TimedDispatch[]> {
  if (!device.profile) {
    throw new TilegradError("E_DEVICE", `profile: got the device ${device.info.adapter}; expected a GPU.`, {
      hint: "Profile on WebGPU; the CPU reference is not made to be fast.",
    });
  }
  const timed = await device.profile(work);
  // A step that takes no time by a coarse clock takes at least a fraction of its tick.
  return timed.map((t) => ({ ...t, duration: t.duration > 0 ? t.duration : COARSE / 4 }));
}

/** Elements of the copy (16 MB) and rows of the product: large, yet done in a fraction of a second on two cores. */
const COPY = 2 ** 22;
const PRODUCT = 512;
const TRIES = 5;

async function measureRates(device: Device): Promise<Profile["ceilings"]> {
  const best = async (graph: Graph, inputs: Readonly<Record<string, readonly number[]>>): Promise<number> => {
    const entries = Object.entries(inputs).map(([name, shape]) => [name, device.tensor(f32(...shape), name)] as const);
    const step = await device.compile(graph, {
      bindings: Object.fromEntries(entries),
      label: "ceiling",
      plan: "dispatch",
    });
    try {
      const timed = await timedRuns(device, async () => {
        for (let i = 0; i <= TRIES; i++) device.enqueue(step, {});
        await device.flush();
      });
      return Math.min(...timed.slice(1).map((t) => t.duration));
    } finally {
      step.dispose();
      for (const [, tensor] of entries) tensor.dispose();
    }
  };
  const square = [PRODUCT, PRODUCT];
  const product = matmul(input("a", square), input("b", square));
  const copied = neg(input("x", [COPY]));
  const productUs = await best({ outputs: { product }, updates: [] }, { a: square, b: square });
  const copyUs = await best({ outputs: { copied }, updates: [] }, { x: [COPY] });
  return {
    gflopsPerSecond: (2 * PRODUCT ** 3) / productUs / 1e3,
    gigabytesPerSecond: (2 * 4 * COPY) / copyUs / 1e3,
  };
}
