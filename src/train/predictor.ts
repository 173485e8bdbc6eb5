/** The forward pass over any number of rows. */
import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import { sizeOf } from "../graph/types.ts";
import type { Model } from "../model/model.ts";
import { f32 } from "../ops/op.ts";
import type { CheckedData } from "./data.ts";
import type { Parameters } from "./parameters.ts";
import type { Rows } from "./source.ts";
import { pieces } from "./source.ts";
import { predictionStep } from "./step.ts";
import { TensorGroup } from "./tensors.ts";

/** Rows a plan computes at once, and rows that its buffers hold. */
interface Size {
  readonly batch: number;
  readonly window: number;
}

/** Up to so many rows have plans of their own; any larger number of rows is computed alike. */
export const FEW_ROWS = 512;

/** Elements that one layer's output, and that the buffers of x and output, should not exceed. */
const MOST_ACTIVATIONS = 2 ** 21;
const MOST_WINDOW = 2 ** 23;
/** Rows that the buffers of the largest plan hold. */
const WINDOW_ROWS = 4096;

/** A plan computes all its rows, however few are asked for; more of them take fewer dispatches, and fill a large GPU. */
const manyRows = ({ limits }: Device): number => (limits === null ? 256 : limits.software ? 1024 : WINDOW_ROWS);

/** For one row, for a few, for many; fewer rows where rows are large. */
function sizesFor(model: Model, device: Device): readonly Size[] {
  const inputs = sizeOf(model.inputShape);
  const widest = Math.max(inputs, ...model.layers.map((l) => sizeOf(l.outputShape)));
  const many = Math.min(manyRows(device), 2 ** Math.max(0, Math.floor(Math.log2(MOST_ACTIVATIONS / widest))));
  const windows = Math.floor(MOST_WINDOW / Math.max(inputs, sizeOf(model.outputShape)) / many);
  const few = [1, 32, FEW_ROWS].filter((rows) => rows < many);
  return [
    ...few.map((rows) => ({ batch: rows, window: rows })),
    { batch: many, window: many * Math.max(1, Math.min(windows, Math.floor(WINDOW_ROWS / many))) },
  ];
}

interface Plan extends Size {
  readonly step: CompiledStep;
  readonly x: DeviceTensor;
  readonly output: DeviceTensor;
  dispose(): void;
}

/** Plans are made on first use and kept, so that predicting again allocates nothing. */
export class Predictor {
  private readonly device: Device;
  private readonly model: Model;
  private readonly parameters: Parameters;
  private readonly fusion: boolean;
  private readonly sizes: readonly Size[];
  private readonly plans = new Map<Size, Promise<Plan>>();

  constructor(device: Device, model: Model, parameters: Parameters, fusion: boolean) {
    this.device = device;
    this.model = model;
    this.parameters = parameters;
    this.fusion = fusion;
    this.sizes = sizesFor(model, device);
  }

  /** Makes the plan for `rows` rows ahead of time. */
  async prepare(rows: number): Promise<void> {
    await this.planFor(rows);
  }

  /** x [rows, ...inputShape] -> the model's outputs [rows, ...outputShape]. Rows do not influence each other. */
  async outputs(x: Float32Array): Promise<Float32Array> {
    const inputs = sizeOf(this.model.inputShape);
    const outputs = sizeOf(this.model.outputShape);
    const rows = x.length / inputs;
    const plan = await this.planFor(rows);
    const result = new Float32Array(rows * outputs);
    const reads: Promise<void>[] = [];
    for (let start = 0; start < rows; start += plan.window) {
      const count = Math.min(plan.window, rows - start);
      plan.x.write(x.subarray(start * inputs, (start + count) * inputs));
      for (let row = 0; row < count; row += plan.batch) {
        this.device.enqueue(plan.step, { inputOffset: row * inputs, outputOffset: row * outputs });
      }
      // The next window is on its way while this one runs: the device takes writes, runs and reads in order.
      const read = plan.output.read(0, count * outputs).then((values) => result.set(values, start * outputs));
      read.catch(() => {}); // It is awaited below, unless an earlier one fails first.
      reads.push(read);
      if (reads.length > 1) await reads.shift();
    }
    await Promise.all(reads);
    return result;
  }

  /** Of all rows, in memory or not; `seen` is shown each piece of them. */
  async outputsOf(data: Rows, seen?: (piece: CheckedData) => void): Promise<Float32Array> {
    const result = new Float32Array(data.rows * sizeOf(this.model.outputShape));
    let at = 0;
    for await (const piece of pieces(data)) {
      const part = await this.outputs(piece.x);
      result.set(part, at);
      at += part.length;
      seen?.(piece);
    }
    return result;
  }

  private planFor(rows: number): Promise<Plan> {
    const size = this.sizes.find((s) => rows <= s.window) ?? (this.sizes.at(-1) as Size);
    let plan = this.plans.get(size);
    if (!plan) {
      plan = this.create(size);
      this.plans.set(size, plan);
      plan.catch(() => this.plans.delete(size));
    }
    return plan;
  }

  private async create(size: Size): Promise<Plan> {
    const { device, model, parameters, fusion } = this;
    const { batch, window } = size;
    const own = new TensorGroup(device);
    try {
      const x = own.make(f32(window * sizeOf(model.inputShape)), `predict ${batch} x`);
      const output = own.make(f32(window * sizeOf(model.outputShape)), `predict ${batch} output`);
      const step = await device.compile(predictionStep(model, parameters.layout, batch, window), {
        bindings: { ...parameters.bindings, x, output },
        label: `predict ${batch}`,
        fusion,
      });
      const dispose = (): void => {
        step.dispose();
        own.dispose();
      };
      return { ...size, step, x, output, dispose };
    } catch (error) {
      own.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const made of this.plans.values()) made.then((plan) => plan.dispose()).catch(() => {});
    this.plans.clear();
  }
}
