/** WebGPU as a device: opens an adapter, owns memory and pipelines, queues runs and submits many at once. */
import type {
  CompiledStep,
  CompileGraphOptions,
  Device,
  DeviceInfo,
  DeviceTensor,
  MemoryUse,
  TimedDispatch,
} from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Graph, StepValues, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import { parseTuning, tuningKey } from "../io/tunings.ts";
import type { Costs } from "../policy/costs.ts";
import { costsOf } from "../policy/costs.ts";
import type { KernelLimits, Tuning } from "../policy/limits.ts";
import type { GpuContext, StepRows } from "./context.ts";
import { Faults } from "./faults.ts";
import { GpuMemory } from "./memory.ts";
import { PipelineCache } from "./pipelines.ts";
import { Profiler } from "./profiler.ts";
import { Readback } from "./readback.ts";
import type { GpuStep } from "./step.ts";
import { createStep } from "./step.ts";
import { gpuTensor } from "./tensor.ts";

export interface GpuDeviceOptions {
  readonly gpu: GPU;
  /** How the device is called in reports, if the opener knows better than the adapter. */
  readonly info?: Partial<DeviceInfo>;
  /** Bytes the device may hold; default 8 GiB. */
  readonly memoryBudget?: number;
  /** What was measured of it, or who finds it by the device's `tuningKey`; default null. */
  readonly tuning?: Tuning | null | ((key: string) => Promise<Tuning | null>);
}

const FEATURES: readonly GPUFeatureName[] = ["subgroups", "timestamp-query", "shader-f16"];

/** Runs a submit may hold. */
const MAX_QUEUE = 1024;
/** Bytes of one row of step scalars; also the largest alignment WebGPU asks of dynamic offsets. */
const STEP_ROW = 256;

/** @throws E_DEVICE when there is no adapter, E_FILE when `tuning` is one of another device. */
export async function openGpuDevice(options: GpuDeviceOptions): Promise<WebGpuDevice> {
  const { gpu, tuning = null } = options;
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new TilegradError("E_DEVICE", "WebGPU is there, but offers no adapter.", { hint: 'Use backend: "cpu".' });
  const wanted = [
    "maxStorageBuffersPerShaderStage",
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupStorageSize",
    "maxComputeWorkgroupsPerDimension",
  ] as const;
  const device = await adapter.requestDevice({
    label: "tilegrad",
    requiredLimits: Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])),
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
  });
  try {
    const opened = new WebGpuDevice(device, adapter, options);
    const key = tuningKey(opened.info);
    if (typeof tuning === "function") opened.useTuning(await tuning(key));
    else if (tuning) opened.useTuning(parseTuning({ value: tuning as unknown as Json, file: "tuning", path: "" }, key));
    return opened;
  } catch (error) {
    device.destroy();
    throw error;
  }
}

/** Passes can hand kernels a few words, and WGSL can name them. */
const hasImmediates = ({ wgslLanguageFeatures }: GPU): boolean =>
  "setImmediates" in GPUComputePassEncoder.prototype && wgslLanguageFeatures?.has("immediate_address_space") === true;

/** A software driver names itself one way or another. */
const looksLikeSoftware = (adapter: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|software|microsoft basic render/i.test(adapter);

export class WebGpuDevice implements Device, GpuContext {
  readonly info: DeviceInfo;
  readonly maxQueue = MAX_QUEUE;
  readonly maxTensorBytes: number;
  limits: KernelLimits;
  readonly gpu: GPUDevice;
  readonly pipelines: PipelineCache;
  readonly allocator: GpuMemory;
  private readonly readback: Readback;
  private readonly stepTable: GPUBuffer;
  private readonly stepBytes = new ArrayBuffer(MAX_QUEUE * STEP_ROW);
  private readonly stepWords = new Uint32Array(this.stepBytes);
  private readonly stepFloats = new Float32Array(this.stepBytes);
  private readonly rows: StepRows;
  private readonly queued: GpuStep[] = [];
  private readonly proven = new WeakSet<GpuStep>();
  private readonly faults: Faults;
  /** Those of its family. */
  private readonly costs: Costs;
  private profiler: Profiler | null = null;

  constructor(device: GPUDevice, adapter: GPUAdapter, options: GpuDeviceOptions) {
    this.gpu = device;
    const { limits } = device;
    const { vendor, architecture, device: model, description } = adapter.info;
    const name = [vendor, architecture, model, description, options.info?.adapter].join(" ");
    const software = options.info?.software ?? looksLikeSoftware(name);
    this.info = {
      backend: "webgpu",
      adapter:
        options.info?.adapter ?? (adapter.info.description || adapter.info.device || adapter.info.vendor || "unknown"),
      driver:
        options.info?.driver ??
        ([adapter.info.vendor, adapter.info.architecture].filter(Boolean).join(" ") || "unknown"),
      software,
    };
    this.maxTensorBytes = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    this.costs = costsOf(name);
    this.limits = {
      maxWorkgroupSize: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
      maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
      maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
      minSubgroupSize: device.features.has("subgroups") ? (adapter.info.subgroupMinSize ?? 0) : 0,
      f16: device.features.has("shader-f16"),
      immediates: hasImmediates(options.gpu),
      software,
      costs: this.costs,
    };
    this.allocator = new GpuMemory(device, options.memoryBudget ?? 8 * 2 ** 30);
    this.pipelines = new PipelineCache(device, STEP_ROW);
    this.readback = new Readback(this);
    this.stepTable = this.allocator.create(
      "step table",
      MAX_QUEUE * STEP_ROW,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    );
    const group = device.createBindGroup({
      label: "step row",
      layout: this.pipelines.stepLayouts.row,
      entries: [{ binding: 0, resource: { buffer: this.stepTable, size: STEP_ROW } }],
    });
    const offsets = Uint32Array.from({ length: MAX_QUEUE }, (_, run) => run * STEP_ROW);
    this.rows = { words: this.stepWords, stride: STEP_ROW / 4, group, offsets };
    this.faults = new Faults(device);
  }

  race<T>(work: Promise<T>): Promise<T> {
    return this.faults.race(work);
  }

  read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    return this.readback.read(source, offset, bytes);
  }

  tensor(type: TensorType, label: string, data?: ArrayLike<number>): DeviceTensor {
    this.faults.check();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const tensor = gpuTensor(this, type, label, this.allocator.create(label, 4 * sizeOf(type.shape), usage));
    if (data) tensor.write(data);
    return tensor;
  }

  async compile(graph: Graph, options: CompileGraphOptions): Promise<CompiledStep> {
    this.faults.check();
    return this.race(createStep(this, graph, options));
  }

  enqueue(step: CompiledStep, values: StepValues): void {
    if (this.queued.length === MAX_QUEUE) this.submit();
    const gpuStep = step as GpuStep;
    gpuStep.check();
    const row = (this.queued.length * STEP_ROW) / 4;
    for (let i = 0; i < gpuStep.columns.length; i++) {
      const { name, dtype } = gpuStep.columns[i];
      const value = values[name];
      if (value === undefined) throw new TilegradError("E_INTERNAL", `step scalar "${name}" was not given.`);
      if (dtype === "f32") this.stepFloats[row + i] = value;
      else this.stepWords[row + i] = value;
    }
    this.queued.push(gpuStep);
  }

  /** Encodes everything queued into one compute pass and hands it to the GPU. */
  submit(): void {
    if (this.queued.length === 0) return;
    const fresh = [...new Set(this.queued)].filter((step) => !this.proven.has(step));
    // A step that ran once runs always: only the first time is watched, so that an error names the step.
    if (fresh.length === 0) this.encode();
    else this.faults.named(fresh.map((step) => step.label).join(", "), () => this.encode());
    for (const step of fresh) this.proven.add(step);
  }

  private encode(): void {
    const { profiler } = this;
    if (this.queued.some((step) => step.bindsRow))
      this.gpu.queue.writeBuffer(this.stepTable, 0, this.stepBytes, 0, this.queued.length * STEP_ROW);
    const encoder = this.gpu.createCommandEncoder({ label: "steps" });
    if (profiler) for (const [run, step] of this.queued.entries()) profiler.encode(encoder, step, this.rows, run);
    else this.replay(encoder);
    this.gpu.queue.submit([encoder.finish()]);
    for (const step of new Set(this.queued)) step.submitted();
    this.queued.length = 0;
  }

  private replay(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass({ label: "steps" });
    // Runs of one step that follow each other are replayed together.
    for (let from = 0; from < this.queued.length; ) {
      const step = this.queued[from];
      let end = from + 1;
      while (this.queued[end] === step) end++;
      step.replay(pass, this.rows, from, end - from);
      from = end;
    }
    pass.end();
  }

  /** Everything that runs while `work` does, dispatch by dispatch. @throws E_DEVICE where the device has no timestamps. */
  async profile(work: () => Promise<void>): Promise<TimedDispatch[]> {
    this.submit();
    const profiler = new Profiler(this);
    this.profiler = profiler;
    try {
      await work();
      this.submit();
    } finally {
      this.profiler = null;
    }
    try {
      return await profiler.read();
    } finally {
      profiler.dispose();
    }
  }

  async flush(): Promise<void> {
    this.faults.check();
    this.submit();
    await this.race(this.gpu.queue.onSubmittedWorkDone());
  }

  useTuning(tuning: Tuning | null): void {
    this.limits = { ...this.limits, tuning, costs: tuning?.costs ?? this.costs };
  }

  memory(): MemoryUse {
    return this.allocator.use();
  }

  dispose(): void {
    this.gpu.destroy();
  }
}
