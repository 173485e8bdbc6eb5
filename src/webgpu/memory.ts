/** Every GPU buffer is made here: labelled, counted, checked against the device's limits and a budget. */
import type { MemoryUse } from "../device.ts";
import { TilegradError } from "../errors.ts";

export class GpuMemory {
  private readonly device: GPUDevice;
  private readonly budget: number;
  private readonly alive = new Map<GPUBuffer, { label: string; bytes: number }>();
  private total = 0;
  /** Buffers that were destroyed so far: who has looked at some since the last need not look again. */
  destroyed = 0;

  /** @param budget bytes; some drivers accept any allocation and fail later, so the count is our own. */
  constructor(device: GPUDevice, budget: number) {
    this.device = device;
    this.budget = budget;
  }

  /** A zeroed buffer of at least `bytes`. @throws E_MEMORY naming the buffer and the limit. */
  create(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = usage & GPUBufferUsage.STORAGE ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (size > most) {
      throw new TilegradError("E_MEMORY", `${label}: needs ${size} bytes; this device allows ${most} in one buffer.`, {
        hint: "Use a smaller batch, fewer rows or a smaller layer.",
      });
    }
    if (this.total + size > this.budget) {
      throw new TilegradError(
        "E_MEMORY",
        `${label}: needs ${size} bytes; ${this.total} of ${this.budget} are in use.`,
        {
          hint: "Dispose of what is not needed, or open the device with a larger memoryBudget.",
        },
      );
    }
    const buffer = this.device.createBuffer({ label: `${label} ${size}B`, size, usage });
    this.alive.set(buffer, { label, bytes: size });
    this.total += size;
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    const entry = this.alive.get(buffer);
    if (!entry) return;
    this.total -= entry.bytes;
    this.alive.delete(buffer);
    this.destroyed++;
    buffer.destroy();
  }

  /**
   * Work with a destroyed buffer would void all that is submitted with it, other trainers' steps too.
   * @throws E_ARGUMENT naming the buffer
   */
  check(buffer: GPUBuffer): void {
    if (this.alive.has(buffer)) return;
    throw new TilegradError("E_ARGUMENT", `"${buffer.label}" was disposed of; expected a tensor that is still there.`, {
      hint: "Dispose of trainers and tensors when nothing uses them any more.",
    });
  }

  use(): MemoryUse {
    return { bytes: this.total, buffers: [...this.alive.values()] };
  }
}
