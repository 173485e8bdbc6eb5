/** Compute pipelines, one per distinct WGSL text, compiled in parallel and never twice. */
import { TilegradError } from "../errors.ts";
import type { KernelCall } from "../shader/lower.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class PipelineCache {
  /** Group 0 of every pipeline: one row of step scalars at a dynamic offset. */
  readonly stepLayout: GPUBindGroupLayout;
  private readonly device: GPUDevice;
  private readonly known = new Map<string, Promise<Pipeline>>();

  constructor(device: GPUDevice, stepRow: number) {
    this.device = device;
    this.stepLayout = device.createBindGroupLayout({
      label: "step row",
      entries: [
        {
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: stepRow },
        },
      ],
    });
  }

  /** How many pipelines exist. */
  get size(): number {
    return this.known.size;
  }

  /** @throws E_KERNEL naming the kernel and what the compiler said. */
  get(call: KernelCall): Promise<Pipeline> {
    let made = this.known.get(call.code);
    if (!made) {
      made = this.create(call);
      this.known.set(call.code, made);
    }
    return made;
  }

  private async create({ code, label, params, dims, buffers }: KernelCall): Promise<Pipeline> {
    const { device } = this;
    const module = device.createShaderModule({ label, code });
    const entry = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    });
    const layout = device.createBindGroupLayout({
      label,
      entries: [
        ...(params.length > 0 ? [entry(0, "uniform")] : []),
        ...(dims.length > 0 ? [entry(1, "uniform")] : []),
        ...buffers.map(({ write }, i) => entry(i + 2, write ? "storage" : "read-only-storage")),
      ],
    });
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [this.stepLayout, layout] }),
        compute: { module, entryPoint: "main" },
      });
      return { pipeline, layout };
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const said = messages.map((m) => `line ${m.lineNum}: ${m.message}`).join("; ");
      throw new TilegradError("E_KERNEL", `kernel ${label}: ${said || (cause as Error).message}`, { cause });
    }
  }
}
