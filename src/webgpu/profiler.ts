/** How long each kernel takes, by the GPU's own clock: while profiling, every dispatch has a compute pass of its own. */
import type { TimedDispatch } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { GpuContext, Replayable, StepRows } from "./context.ts";

/** Timestamps that WebGPU allows in one query set. */
const MOST_QUERIES = 4096;

export class Profiler {
  private readonly context: GpuContext;
  private readonly queries: GPUQuerySet;
  private readonly ticks: GPUBuffer;
  private readonly timed: Omit<TimedDispatch, "start" | "duration">[] = [];
  private runs = 0;

  /** @throws E_DEVICE where the device has no timestamps. */
  constructor(context: GpuContext) {
    const { gpu, allocator } = context;
    if (!gpu.features.has("timestamp-query")) {
      throw new TilegradError("E_DEVICE", "profile: this device has no timestamp-query.", {
        hint: "Browsers may need a flag for it; in Node, Dawn offers it on most drivers.",
      });
    }
    this.context = context;
    this.queries = gpu.createQuerySet({ label: "profile", type: "timestamp", count: MOST_QUERIES });
    this.ticks = allocator.create("profile", 8 * MOST_QUERIES, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  }

  /** Encodes one run of a step; once the query set is full, runs are no longer timed. */
  encode(encoder: GPUCommandEncoder, step: Replayable, rows: StepRows, run: number): void {
    const room = MOST_QUERIES / 2 - this.timed.length >= step.kernels.length;
    step.kernels.forEach((kernel, i) => {
      const at = 2 * this.timed.length;
      const timestampWrites = {
        querySet: this.queries,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      };
      const pass = encoder.beginComputePass({ label: kernel.label, ...(room ? { timestampWrites } : {}) });
      step.replayKernel(pass, rows, run, i);
      pass.end();
      if (room) {
        const { label, shader, flops, bytes } = kernel;
        this.timed.push({ label, shader, flops, bytes, run: this.runs, kernel: i });
      }
    });
    this.runs++;
  }

  /** What has run so far, in order. */
  async read(): Promise<TimedDispatch[]> {
    const { context, queries, ticks, timed } = this;
    if (timed.length === 0) return [];
    const encoder = context.gpu.createCommandEncoder({ label: "profile" });
    encoder.resolveQuerySet(queries, 0, 2 * timed.length, ticks, 0);
    context.gpu.queue.submit([encoder.finish()]);
    const ns = new BigUint64Array(await context.read(ticks, 0, 16 * timed.length));
    const us = (from: bigint, to: bigint): number => Number(to - from) / 1000;
    return timed.map((kernel, i) => ({
      ...kernel,
      start: us(ns[0], ns[2 * i]),
      duration: us(ns[2 * i], ns[2 * i + 1]),
    }));
  }

  dispose(): void {
    this.queries.destroy();
    this.context.allocator.destroy(this.ticks);
  }
}
