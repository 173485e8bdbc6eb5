/** The CPU reference as a device: the same graphs, executed op by op. Slow and simple; for checking, and without a GPU. */

import type { CompiledStep, Device, DeviceTensor, MemoryUse } from "../device.ts";
import { checkBinding } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { results, topological } from "../graph/traverse.ts";
import type { Elements, OpDef, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { verify } from "../graph/verify.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { inputOp, stateOp } from "../ops/core/constant.ts";
import { dynamicUpdateSliceOp } from "../ops/core/take.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";
import { expand } from "../passes/expand.ts";
import { checkPrecision, storeInHalf } from "../passes/half.ts";
import { simplify } from "../passes/simplify.ts";
import { LEAST_LIMITS } from "../policy/limits.ts";
import type { Interpreter, Precision } from "./interpret.ts";
import { allocate, interpreter } from "./interpret.ts";

interface CpuTensor extends DeviceTensor {
  readonly data: Elements;
}

interface CpuStep extends CompiledStep {
  readonly interpreter: Interpreter;
}

/** Ops whose values lie in tensors. */
const ELSEWHERE: ReadonlySet<OpDef> = new Set([inputOp, stateOp, dynamicUpdateSliceOp]);

/** Lets timers and signals have their turn, since steps run on the caller's thread. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const cpuOptions = {
  /** f64 computes everything in double precision; for gradient checks. */
  precision: is.oneOf("f32", "f64") as Kind<Precision>,
  /** Bytes the device may hold; default 8 GiB. */
  memoryBudget: is.number,
};

export interface CpuOptions extends OptionsOf<typeof cpuOptions> {}

/** The CPU reference: plain loops in JavaScript, slow, and there everywhere. @throws E_ARGUMENT */
export function openCpu(options: CpuOptions = {}): Device {
  const { precision = "f32", memoryBudget = 8 * 2 ** 30 } = checkOptions("openCpu", options, cpuOptions);
  const alive = new Set<CpuTensor>();
  const use = (): MemoryUse => {
    const buffers = [...alive].map(({ label, data }) => ({ label, bytes: data.byteLength }));
    return { bytes: buffers.reduce((n, b) => n + b.bytes, 0), buffers };
  };
  const bytesOf = ({ dtype, shape }: TensorType): number =>
    sizeOf(shape) * (dtype === "f32" && precision === "f64" ? 8 : 4);
  /** Before any of it is allocated. @throws E_MEMORY */
  const checkFits = (label: string, bytes: number): void => {
    const held = use().bytes;
    if (held + bytes <= memoryBudget) return;
    throw new TilegradError("E_MEMORY", `${label}: needs ${bytes} bytes; ${held} of ${memoryBudget} are in use.`, {
      hint: "Use a smaller batch, fewer rows or a smaller layer, or open the device with a larger memoryBudget.",
    });
  };
  const wrap = (
    type: { dtype: DeviceTensor["dtype"]; shape: readonly number[] },
    label: string,
    data: Elements,
  ): CpuTensor => {
    const tensor: CpuTensor = {
      dtype: type.dtype,
      shape: type.shape,
      label,
      data,
      read: async (offset = 0, count = data.length - offset) => {
        const copy = data.slice(offset, offset + count);
        await turn();
        return copy;
      },
      write: (values, offset = 0) => data.set(values, offset),
      dispose: () => void alive.delete(tensor),
    };
    alive.add(tensor);
    return tensor;
  };
  return {
    info: { backend: "cpu", adapter: "CPU reference", driver: `JavaScript, ${precision}`, software: true },
    limits: null,
    maxQueue: 1024,
    maxTensorBytes: Number.POSITIVE_INFINITY,
    tensor(type, label, data) {
      checkFits(label, bytesOf(type));
      const elements = allocate(type, precision);
      if (data) elements.set(data);
      return wrap(type, label, elements);
    },
    async compile(graph, { bindings, label, precision: stored = "f32", fusion = true }) {
      checkPrecision(stored, null);
      const checked = verify(graph, label);
      // Which values would go from one kernel to another, and be rounded to f16, only fusion tells.
      const simple =
        stored === "mixed"
          ? storeInHalf(simplify(expand(checked, LEAST_LIMITS)), LEAST_LIMITS, fusion)
          : simplify(checked);
      const bytes = topological(results(simple)).map(({ op, outputs }) =>
        ELSEWHERE.has(op) || op.alias ? 0 : outputs.reduce((n, type) => n + bytesOf(type), 0),
      );
      checkFits(
        label,
        bytes.reduce((a, b) => a + b, 0),
      );
      const compiled = interpreter(
        simple,
        (name, type) => (checkBinding(label, name, type, bindings[name]) as CpuTensor).data,
        precision,
      );
      const outputs = Object.fromEntries(
        Object.entries(simple.outputs).map(([name, t]) => [name, wrap(t, `${label} ${name}`, compiled.outputs[name])]),
      );
      const step: CpuStep = {
        interpreter: compiled,
        outputs,
        dispatches: 0,
        kind: "cpu",
        dispose() {
          for (const tensor of Object.values(outputs)) tensor.dispose();
        },
      };
      return step;
    },
    enqueue: (step, values) => (step as CpuStep).interpreter.run(values),
    flush: turn,
    memory: use,
    dispose: () => alive.clear(),
  };
}
