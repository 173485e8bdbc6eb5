/** Compute pipelines, one per distinct WGSL text and layout, compiled in parallel and never twice. */
import { TilegradError } from "../errors.ts";
import type { KernelCall } from "../shader/lower.ts";
import { IMMEDIATE_WORDS } from "../shader/lower.ts";
import { TABLE_BYTES } from "../shader/resident.ts";

/** A kernel's text, and the bindings of its group 1. */
export interface PipelineSource {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly { readonly binding: number; readonly type: GPUBufferBindingType }[];
  /** What group 0 holds: one row of step scalars, the table of many, or nothing. */
  readonly steps: "row" | "table" | null;
  /** Bytes of immediates. */
  readonly immediateSize: number;
}

/** The source of one dispatch: parameters, numbers of the hooks, storage. */
export const sourceOf = ({
  label,
  code,
  params,
  dims,
  buffers,
  bindsRow,
  readsImmediates,
}: KernelCall): PipelineSource => ({
  label,
  code,
  steps: bindsRow ? "row" : null,
  immediateSize: readsImmediates ? 4 * IMMEDIATE_WORDS : 0,
  bindings: [
    ...(params.length > 0 ? [{ binding: 0, type: "uniform" as const }] : []),
    ...(dims.length > 0 ? [{ binding: 1, type: "uniform" as const }] : []),
    ...storageBindings(buffers, 2),
  ],
});

export const storageBindings = (
  buffers: readonly { readonly write: boolean }[],
  first: number,
): PipelineSource["bindings"] =>
  buffers.map(({ write }, i) => ({ binding: i + first, type: write ? "storage" : "read-only-storage" }));

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class PipelineCache {
  /** Group 0 of pipelines that have one, at a dynamic offset. */
  readonly stepLayouts: Readonly<Record<"row" | "table", GPUBindGroupLayout>>;
  private readonly device: GPUDevice;
  private readonly known = new Map<string, Promise<Pipeline>>();

  constructor(device: GPUDevice, stepRow: number) {
    this.device = device;
    const layout = (label: string, minBindingSize: number): GPUBindGroupLayout =>
      device.createBindGroupLayout({
        label,
        entries: [
          {
            binding: 0,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize },
          },
        ],
      });
    this.stepLayouts = { row: layout("step row", stepRow), table: layout("step table", TABLE_BYTES) };
  }

  /** How many pipelines exist. */
  get size(): number {
    return this.known.size;
  }

  /** @throws E_KERNEL naming the kernel and what the compiler said. */
  get(source: PipelineSource): Promise<Pipeline> {
    // Equal text binds equal buffers, but group 0 may be there unread (see `KernelCall.bindsRow`).
    const key = `${source.steps} ${source.code}`;
    let made = this.known.get(key);
    if (!made) {
      made = this.create(source);
      this.known.set(key, made);
    }
    return made;
  }

  private async create({ code, label, bindings, steps, immediateSize }: PipelineSource): Promise<Pipeline> {
    const { device } = this;
    // What the device has against a text is told by the pipeline made of it, once; nobody who waits later hears it again.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label, code });
    const layout = device.createBindGroupLayout({
      label,
      entries: bindings.map(({ binding, type }) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
    });
    const pipelineLayout = device.createPipelineLayout({
      label,
      bindGroupLayouts: [steps && this.stepLayouts[steps], layout],
      immediateSize,
    });
    device.popErrorScope().catch(() => {}); // The device was lost, which is reported as that.
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: pipelineLayout,
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
