/** A compiled graph on the GPU: buffers, bind groups and pipelines made once, replayed every step. */
import { compileGraph } from "../compile.ts";
import type { CompiledStep, CompileOptions, DeviceTensor } from "../device.ts";
import { checkBinding } from "../device.ts";
import type { Graph } from "../graph/types.ts";
import type { BufferSpec } from "../passes/plan.ts";
import type { KernelCall, StepLayout } from "../shader/lower.ts";
import type { GpuContext } from "./context.ts";
import { bufferOf, gpuTensor } from "./tensor.ts";

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly call: KernelCall;
}

export class GpuStep implements CompiledStep {
  readonly outputs: Readonly<Record<string, DeviceTensor>>;
  readonly columns: StepLayout["columns"];
  private readonly dispatchList: readonly Dispatch[];
  private readonly own: readonly GPUBuffer[];
  private readonly device: GpuContext;

  private constructor(
    device: GpuContext,
    columns: StepLayout["columns"],
    dispatchList: readonly Dispatch[],
    outputs: Readonly<Record<string, DeviceTensor>>,
    own: readonly GPUBuffer[],
  ) {
    this.device = device;
    this.columns = columns;
    this.dispatchList = dispatchList;
    this.outputs = outputs;
    this.own = own;
  }

  static async create(device: GpuContext, graph: Graph, { bindings, label, fusion = true }: CompileOptions): Promise<GpuStep> {
    const { plan, calls, steps } = compileGraph(graph, device.limits, { fusion });
    const pipelines = calls.map((call) => device.pipelines.get(call));
    // A rejection must not go unhandled while another is awaited.
    const ready = Promise.all(pipelines);
    const own: GPUBuffer[] = [];
    const make = (name: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer => {
      const buffer = device.allocator.create(`${label} ${name}`, bytes, usage);
      own.push(buffer);
      return buffer;
    };
    try {
      const buffers = new Map<BufferSpec, GPUBuffer>();
      for (const spec of plan.buffers) buffers.set(spec, bound(spec) ?? make(`${spec.kind} ${spec.name}`, 4 * spec.size, STORAGE));
      function bound(spec: BufferSpec): GPUBuffer | null {
        if (spec.kind !== "input" && spec.kind !== "state") return null;
        return bufferOf(checkBinding(label, spec.name, { dtype: spec.dtype, shape: [spec.size] }, bindings[spec.name]));
      }
      const constants = packConstants(calls);
      const uniforms = make("parameters", constants.words.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      device.gpu.queue.writeBuffer(uniforms, 0, constants.words);
      const made = await ready;
      const dispatchList = calls.map((call, i): Dispatch => {
        const { pipeline, layout } = made[i];
        const uniform = (binding: number, offset: number, words: Uint32Array): GPUBindGroupEntry[] =>
          words.length === 0 ? [] : [{ binding, resource: { buffer: uniforms, offset, size: words.byteLength } }];
        const group = device.gpu.createBindGroup({
          label: `${label} ${call.label}`,
          layout,
          entries: [
            ...uniform(0, constants.offsets[i].params, call.params),
            ...uniform(1, constants.offsets[i].dims, call.dims),
            ...call.buffers.map(({ buffer }, k) => ({
              binding: k + 2,
              resource: { buffer: buffers.get(buffer) as GPUBuffer },
            })),
          ],
        });
        return { pipeline, group, call };
      });
      const outputs = Object.fromEntries(
        Object.entries(plan.graph.outputs).map(([name, t]) => {
          const spec = plan.buffers.find((b) => b.kind === "output" && b.name === name) as BufferSpec;
          return [name, gpuTensor(device, t, `${label} ${name}`, buffers.get(spec) as GPUBuffer)];
        }),
      );
      return new GpuStep(device, steps.columns, dispatchList, outputs, own);
    } catch (error) {
      ready.catch(() => {});
      for (const buffer of own) device.allocator.destroy(buffer);
      throw error;
    }
  }

  get dispatches(): number {
    return this.dispatchList.length;
  }

  get calls(): readonly KernelCall[] {
    return this.dispatchList.map((d) => d.call);
  }

  encode(pass: GPUComputePassEncoder): void {
    for (const { pipeline, group, call } of this.dispatchList) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(1, group);
      pass.dispatchWorkgroups(call.workgroups[0], call.workgroups[1], call.workgroups[2]);
    }
  }

  dispose(): void {
    this.device.submit();
    for (const buffer of this.own) this.device.allocator.destroy(buffer);
  }
}

const STORAGE = 0x80 | 0x4 | 0x8; // GPUBufferUsage STORAGE | COPY_SRC | COPY_DST, which may not exist at module load

/** Parameter blocks of all calls in one buffer, each at an offset that any device accepts. */
function packConstants(calls: readonly KernelCall[]): {
  words: Uint32Array<ArrayBuffer>;
  offsets: { params: number; dims: number }[];
} {
  let end = 0;
  const place = (words: Uint32Array): number => {
    const at = end;
    end += Math.ceil(words.byteLength / 256) * 256;
    return at;
  };
  const offsets = calls.map(({ params, dims }) => ({ params: place(params), dims: place(dims) }));
  const words = new Uint32Array(Math.max(4, end / 4));
  calls.forEach(({ params, dims }, i) => {
    words.set(params, offsets[i].params / 4);
    words.set(dims, offsets[i].dims / 4);
  });
  return { words, offsets };
}
