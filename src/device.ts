/** What the training code needs of a device. Two exist: WebGPU (`webgpu/`) and the CPU reference (`cpu/`). */
import { TilegradError } from "./errors.ts";
import type { Elements, Graph, StepValues, TensorType } from "./graph/types.ts";
import { sizeOf } from "./graph/types.ts";
import type { PlanKind } from "./passes/choose.ts";
import type { TrainingPrecision } from "./passes/half.ts";
import type { KernelLimits, Tuning } from "./policy/limits.ts";

export interface DeviceInfo {
  readonly backend: "webgpu" | "cpu";
  /** What computes, as the driver names it. */
  readonly adapter: string;
  readonly driver: string;
  /** True when no hardware GPU is behind it. */
  readonly software: boolean;
}

/** A tensor in the device's memory. */
export interface DeviceTensor extends TensorType {
  readonly label: string;
  /** Elements [offset, offset + count), once everything enqueued before has run; default: all. */
  read(offset?: number, count?: number): Promise<Elements>;
  /** Takes effect before whatever is enqueued after. */
  write(data: ArrayLike<number>, offset?: number): void;
  dispose(): void;
}

/** A graph made ready to run many times. */
export interface CompiledStep {
  readonly outputs: Readonly<Record<string, DeviceTensor>>;
  /** Dispatches per run; 0 on the CPU. A resident step takes one for many runs. */
  readonly dispatches: number;
  /** How it runs: op by op on the CPU, as a list of dispatches, or resident in one kernel. */
  readonly kind: PlanKind | "cpu";
  dispose(): void;
}

/** What a dispatch computes. */
export interface KernelInfo {
  /** The shader's name and the ops it computes. */
  readonly label: string;
  readonly shader: string;
  /** Floating point operations, and bytes that cross the bus if every value crosses it once. */
  readonly flops: number;
  readonly bytes: number;
}

/** A dispatch that has run: its number in its run, and microseconds, `start` since the first. */
export interface TimedDispatch extends KernelInfo {
  readonly run: number;
  readonly kernel: number;
  readonly start: number;
  readonly duration: number;
}

export interface MemoryUse {
  /** All bytes alive. */
  readonly bytes: number;
  readonly buffers: readonly { readonly label: string; readonly bytes: number }[];
}

export interface CompileGraphOptions {
  /** Tensors behind the graph's inputs and states, by name. */
  readonly bindings: Readonly<Record<string, DeviceTensor>>;
  /** Names the step in labels and errors. */
  readonly label: string;
  /** Off: one kernel per op. Default on. */
  readonly fusion?: boolean;
  /** Forces a way of running where it is possible; default: by estimated time (`passes/choose.ts`). */
  readonly plan?: PlanKind;
  /** "mixed": f16 between kernels. Default f32. */
  readonly precision?: TrainingPrecision;
  /** What kernels are chosen by instead of the device's own limits; for checks and measurements. */
  readonly limits?: Partial<KernelLimits>;
}

export interface Device {
  readonly info: DeviceInfo;
  /** What kernels are chosen by; null where each op runs in one way only. */
  readonly limits: KernelLimits | null;
  /** A new tensor of zeros or of `data`. @throws E_MEMORY when it does not fit. */
  tensor(type: TensorType, label: string, data?: ArrayLike<number>): DeviceTensor;
  /** @throws E_KERNEL when the device refuses a kernel; E_DEVICE when it does not have the precision. */
  compile(graph: Graph, options: CompileGraphOptions): Promise<CompiledStep>;
  /** Adds one run to the queue, in order; `values` may be reused at once. At most `maxQueue` runs between flushes. */
  enqueue(step: CompiledStep, values: StepValues): void;
  readonly maxQueue: number;
  /** Bytes that one tensor may have. */
  readonly maxTensorBytes: number;
  /** Starts what is queued; resolves when it is done. @throws E_LOST when the device was lost. */
  flush(): Promise<void>;
  /** Everything that runs while `work` does, dispatch by dispatch; absent on the CPU. @throws E_DEVICE without timestamps */
  profile?(work: () => Promise<void>): Promise<TimedDispatch[]>;
  /** What is compiled from now on is chosen by these measurements, or by none; absent where each op runs in one way only. */
  useTuning?(tuning: Tuning | null): void;
  memory(): MemoryUse;
  /** Frees everything the device owns. */
  dispose(): void;
}

/** Checks that every input and state of a compiled graph is bound to a tensor of its type. */
export function checkBinding(
  label: string,
  name: string,
  type: TensorType,
  bound: DeviceTensor | undefined,
): DeviceTensor {
  if (!bound) throw new TilegradError("E_ARGUMENT", `${label}: nothing is bound to "${name}".`);
  if (bound.dtype !== type.dtype || sizeOf(bound.shape) !== sizeOf(type.shape)) {
    throw new TilegradError(
      "E_SHAPE",
      `${label}: "${name}" is ${type.dtype}[${type.shape}] but the tensor bound to it ${bound.dtype}[${bound.shape}].`,
    );
  }
  return bound;
}
