/** A compiled graph on the GPU: buffers, bind groups and pipelines made once, replayed every step. */
import type { Compiled } from "../compile.ts";
import { compileGraph } from "../compile.ts";
import type { CompiledStep, CompileGraphOptions, DeviceTensor } from "../device.ts";
import { checkBinding } from "../device.ts";
import type { Graph } from "../graph/types.ts";
import type { PlanKind } from "../passes/choose.ts";
import type { BufferSpec } from "../passes/plan.ts";
import { bytesOf } from "../passes/plan.ts";
import type { KernelCall, StepLayout } from "../shader/lower.ts";
import { IMMEDIATE_WORDS } from "../shader/lower.ts";
import type { ResidentProgram } from "../shader/resident.ts";
import type { GpuContext, MakeBuffer, Replayable, StepRows } from "./context.ts";
import { sourceOf, storageBindings } from "./pipelines.ts";
import { residentReplay } from "./resident.ts";
import { bufferOf, gpuTensor } from "./tensor.ts";

export interface GpuStep extends CompiledStep, Replayable {
  readonly label: string;
  readonly columns: StepLayout["columns"];
  readonly kind: PlanKind;
  /** @throws E_ARGUMENT when a buffer that it binds was destroyed */
  check(): void;
}

export async function createStep(device: GpuContext, graph: Graph, options: CompileGraphOptions): Promise<GpuStep> {
  const { bindings, label } = options;
  const compiled = compileGraph(graph, { ...device.limits, ...options.limits }, options);
  const { plan, resident, choice, steps } = compiled;
  const program = choice.kind === "resident" ? resident : null;
  const own: GPUBuffer[] = [];
  const make: MakeBuffer = (name, bytes, usage) => {
    const buffer = device.allocator.create(`${label} ${name}`, bytes, usage);
    own.push(buffer);
    return buffer;
  };
  try {
    const buffers = new Map<BufferSpec, GPUBuffer>();
    for (const spec of program?.memory ?? plan.buffers) {
      if (spec.kind === "input" || spec.kind === "state") {
        const type = { dtype: spec.dtype, shape: [spec.size] };
        buffers.set(spec, bufferOf(checkBinding(label, spec.name, type, bindings[spec.name])));
      } else buffers.set(spec, make(`${spec.kind} ${spec.name}`, bytesOf(spec), STORAGE));
    }
    const check = (): void => {
      for (const buffer of buffers.values()) device.allocator.check(buffer);
    };
    const replayable = program
      ? await residentStep(device, program, label, buffers, make, check)
      : await dispatchStep(device, compiled, label, buffers, make, check);
    const outputs: Record<string, DeviceTensor> = {};
    for (const [name, t] of Object.entries(plan.graph.outputs)) {
      const spec = plan.buffers.find((b) => b.kind === "output" && b.name === name) as BufferSpec;
      outputs[name] = gpuTensor(device, t, `${label} ${name}`, buffers.get(spec) as GPUBuffer);
    }
    let { destroyed } = device.allocator;
    return {
      label,
      outputs,
      check() {
        if (destroyed === device.allocator.destroyed) return;
        check();
        destroyed = device.allocator.destroyed;
      },
      columns: steps.columns,
      kind: choice.kind,
      dispatches: replayable.kernels.length,
      ...replayable,
      dispose() {
        device.submit();
        for (const buffer of own) device.allocator.destroy(buffer);
      },
    };
  } catch (error) {
    for (const buffer of own) device.allocator.destroy(buffer);
    throw error;
  }
}

async function residentStep(
  device: GpuContext,
  program: ResidentProgram,
  label: string,
  buffers: ReadonlyMap<BufferSpec, GPUBuffer>,
  make: MakeBuffer,
  check: () => void,
): Promise<Replayable> {
  const { pipeline, layout } = await device.pipelines.get({
    label: `${label} ${program.label}`,
    code: program.code,
    steps: "table",
    immediateSize: 0,
    bindings: [{ binding: 0, type: "uniform" }, ...storageBindings(program.buffers, 1)],
  });
  check();
  const params = make("parameters", 4 * program.params.length, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  device.gpu.queue.writeBuffer(params, 0, program.params as Uint32Array<ArrayBuffer>);
  const group = device.gpu.createBindGroup({
    label: `${label} ${program.label}`,
    layout,
    entries: [
      { binding: 0, resource: { buffer: params } },
      ...program.buffers.map(({ buffer }, i) => ({
        binding: i + 1,
        resource: { buffer: buffers.get(buffer) as GPUBuffer },
      })),
    ],
  });
  return residentReplay(device, program, { pipeline, group }, make);
}

async function dispatchStep(
  device: GpuContext,
  { calls }: Compiled,
  label: string,
  buffers: ReadonlyMap<BufferSpec, GPUBuffer>,
  make: MakeBuffer,
  check: () => void,
): Promise<Replayable> {
  const made = await Promise.all(calls.map((call) => device.pipelines.get(sourceOf(call))));
  check();
  const constants = packConstants(calls);
  const uniforms = make("parameters", constants.words.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  device.gpu.queue.writeBuffer(uniforms, 0, constants.words);
  const dispatches = calls.map((call, i) => {
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
    return { pipeline, group, workgroups: call.workgroups };
  });
  const dispatch = (
    pass: GPUComputePassEncoder,
    { pipeline, group, workgroups }: (typeof dispatches)[number],
  ): void => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(1, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  };
  const readsImmediates = calls.some((call) => call.readsImmediates);
  const bindsRow = calls.some((call) => call.bindsRow);
  /** Once a step: pipelines that follow see what was set before them. */
  const setScalars = (pass: GPUComputePassEncoder, { words, stride, group, offsets }: StepRows, run: number): void => {
    if (readsImmediates) pass.setImmediates(0, words, run * stride, IMMEDIATE_WORDS);
    if (bindsRow) pass.setBindGroup(0, group, offsets, run, 1);
  };
  return {
    kernels: calls,
    bindsRow,
    submitted: () => {},
    replay(pass, rows, from, count) {
      for (let run = from; run < from + count; run++) {
        setScalars(pass, rows, run);
        for (const call of dispatches) dispatch(pass, call);
      }
    },
    replayKernel(pass, rows, run, kernel) {
      setScalars(pass, rows, run);
      dispatch(pass, dispatches[kernel]);
    },
  };
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
