/** Reading device memory through a pool of staging buffers, so that reading again allocates nothing. */
import type { GpuContext } from "./context.ts";

export class Readback {
  private readonly context: Omit<GpuContext, "read">;
  private readonly idle: GPUBuffer[] = [];

  constructor(context: Omit<GpuContext, "read">) {
    this.context = context;
  }

  /** A copy of `bytes` bytes from `offset`, after everything queued before. @throws E_LOST */
  async read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const { context } = this;
    context.submit();
    const staging = this.take(bytes);
    const encoder = context.gpu.createCommandEncoder({ label: `read ${source.label}` });
    encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
    context.gpu.queue.submit([encoder.finish()]);
    await context.race(staging.mapAsync(GPUMapMode.READ, 0, bytes));
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.idle.push(staging);
    return copy;
  }

  /** The smallest idle buffer that is large enough, or a new one, rounded up so that similar sizes share it. */
  private take(bytes: number): GPUBuffer {
    this.idle.sort((a, b) => a.size - b.size);
    const at = this.idle.findIndex((b) => b.size >= bytes);
    if (at >= 0) return this.idle.splice(at, 1)[0];
    const { allocator, gpu } = this.context;
    const rounded = 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
    const size = Math.max(bytes, Math.min(rounded, gpu.limits.maxBufferSize));
    return allocator.create("staging", size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }
}
