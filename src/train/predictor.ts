/** The forward pass over any number of rows. */
import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import { sizeOf } from "../graph/types.ts";
import type { Model } from "../model/model.ts";
import { f32 } from "../ops/op.ts";
import type { Parameters } from "./parameters.ts";
import { predictionStep } from "./step.ts";

/** Rows a plan computes at once, and rows that its buffers hold. */
interface Size {
  readonly batch: number;
  readonly window: number;
}

const SIZES: readonly Size[] = [
  { batch: 1, window: 1 },
  { batch: 32, window: 32 },
  { batch: 256, window: 4096 },
];

interface Plan extends Size {
  readonly step: CompiledStep;
  readonly x: DeviceTensor;
  readonly output: DeviceTensor;
}

/** Plans are made on first use and kept, so that predicting again allocates nothing. */
export class Predictor {
  private readonly device: Device;
  private readonly model: Model;
  private readonly parameters: Parameters;
  private readonly plans = new Map<Size, Promise<Plan>>();

  constructor(device: Device, model: Model, parameters: Parameters) {
    this.device = device;
    this.model = model;
    this.parameters = parameters;
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
    for (let start = 0; start < rows; start += plan.window) {
      const count = Math.min(plan.window, rows - start);
      plan.x.write(x.subarray(start * inputs, (start + count) * inputs));
      for (let row = 0; row < count; row += plan.batch) {
        this.device.enqueue(plan.step, { inputOffset: row * inputs, outputOffset: row * outputs });
      }
      result.set(await plan.output.read(0, count * outputs), start * outputs);
    }
    return result;
  }

  private planFor(rows: number): Promise<Plan> {
    const size = SIZES.find((s) => rows <= s.window) ?? (SIZES.at(-1) as Size);
    let plan = this.plans.get(size);
    if (!plan) {
      plan = this.create(size);
      this.plans.set(size, plan);
    }
    return plan;
  }

  private async create(size: Size): Promise<Plan> {
    const { device, model, parameters } = this;
    const { batch, window } = size;
    const x = device.tensor(f32(window * sizeOf(model.inputShape)), `predict ${batch} x`);
    const output = device.tensor(f32(window * sizeOf(model.outputShape)), `predict ${batch} output`);
    const step = await device.compile(predictionStep(model, parameters.layout, batch, window), {
      bindings: { ...parameters.bindings, x, output },
      label: `predict ${batch}`,
    });
    return { ...size, step, x, output };
  }

  dispose(): void {
    for (const made of this.plans.values()) {
      made.then(({ step, x, output }) => [step, x, output].forEach((owned) => owned.dispose())).catch(() => {});
    }
    this.plans.clear();
  }
}
