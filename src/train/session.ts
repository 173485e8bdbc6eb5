/** Training data on the device and the compiled steps over it; runs steps in chunks and reads their losses late. */
import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import type { TensorType } from "../graph/types.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { f32, u32 } from "../ops/op.ts";
import { seedKey } from "../random.ts";
import type { CheckedData } from "./data.ts";
import type { Parameters } from "./parameters.ts";
import { perParameter } from "./parameters.ts";
import { trainingStep } from "./step.ts";

/** Everything of a model in training that outlives one `fit`. */
export interface TrainingState {
  readonly device: Device;
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly parameters: Parameters;
  /** The optimizer's slots, bound as `slot NAME`. */
  readonly slots: Readonly<Record<string, DeviceTensor>>;
  readonly seed: number;
}

/** One step to run. */
export interface PlannedStep {
  /** Row numbers of its batch. */
  readonly rows: Uint32Array;
  /** Updates done before it, since the trainer was made. */
  readonly step: number;
  readonly rate: number;
}

/** Time a chunk should take: short enough that a page stays responsive and cancelling is prompt. */
const TARGET_MS = 50;
/** Chunks that may be on their way at once, so that the device never waits for the host. */
const IN_FLIGHT = 2;

export class TrainingSession {
  private readonly state: TrainingState;
  private readonly bindings: Readonly<Record<string, DeviceTensor>>;
  private readonly own: readonly DeviceTensor[];
  private readonly steps: ReadonlyMap<number, CompiledStep>;
  private readonly chunkRows: Uint32Array;
  private turn = 0;
  /** Steps a chunk holds now. */
  private chunk = 4;
  private lastEnd = 0;

  private constructor(
    state: TrainingState,
    orderSize: number,
    bindings: Readonly<Record<string, DeviceTensor>>,
    own: readonly DeviceTensor[],
    steps: ReadonlyMap<number, CompiledStep>,
  ) {
    this.state = state;
    this.bindings = bindings;
    this.own = own;
    this.steps = steps;
    this.chunkRows = new Uint32Array(orderSize / IN_FLIGHT);
  }

  /** Uploads the data and compiles a step for each batch size that will occur. */
  static async open(state: TrainingState, data: CheckedData, batches: readonly number[], fusion: boolean): Promise<TrainingSession> {
    const { device, model, loss, optimizer, parameters, slots } = state;
    const own: DeviceTensor[] = [];
    const make = (type: TensorType, label: string, values?: ArrayLike<number>): DeviceTensor => {
      const tensor = device.tensor(type, label, values);
      own.push(tensor);
      return tensor;
    };
    try {
      const l1 = perParameter(parameters.layout, (p) => p.regularizer?.l1 ?? 0);
      const l2 = perParameter(parameters.layout, (p) => p.regularizer?.l2 ?? 0);
      const penalties = { l1: l1.some((v) => v !== 0), l2: l2.some((v) => v !== 0) };
      const orderSize = IN_FLIGHT * device.maxQueue * Math.max(...batches);
      const recordSize = IN_FLIGHT * device.maxQueue;
      const bindings: Record<string, DeviceTensor> = {
        ...parameters.bindings,
        ...Object.fromEntries(Object.entries(slots).map(([name, tensor]) => [`slot ${name}`, tensor])),
        x: make(f32(data.rows, ...model.inputShape), "training x", data.x),
        y: make(f32(data.rows, ...data.yShape), "training y", data.y),
        order: make(u32(orderSize), "batch order"),
        record: make(f32(recordSize), "loss record"),
        alive: make(f32(), "alive", [1]),
        ...(data.weight ? { weight: make(f32(data.rows), "sample weight", data.weight) } : {}),
        ...(penalties.l1 ? { l1: make(f32(l1.length), "l1", l1) } : {}),
        ...(penalties.l2 ? { l2: make(f32(l2.length), "l2", l2) } : {}),
      };
      const spec = {
        model, loss, optimizer, layout: parameters.layout, orderSize, recordSize, penalties,
        data: { rows: data.rows, y: data.yShape, weighted: data.weight !== null },
      };
      const compiled = await Promise.all(
        batches.map(async (batch) => {
          const graph = trainingStep({ ...spec, batch });
          return [batch, await device.compile(graph, { bindings, label: `train ${batch}`, fusion })] as const;
        }),
      );
      return new TrainingSession(state, orderSize, bindings, own, new Map(compiled));
    } catch (error) {
      for (const tensor of own) tensor.dispose();
      throw error;
    }
  }

  /** Dispatches of one full step. */
  get dispatches(): number {
    return Math.max(...[...this.steps.values()].map((s) => s.dispatches));
  }

  /**
   * Runs steps in order and yields their losses chunk by chunk, later chunks already on their way. Where chunks are cut
   * follows measured time and never changes a result. Returning early still runs what was started.
   */
  async *run(steps: Iterator<PlannedStep>): AsyncGenerator<{ readonly steps: readonly PlannedStep[]; readonly losses: Float32Array }> {
    const flying: { steps: PlannedStep[]; losses: Promise<Float32Array>; began: number }[] = [];
    const land = async (): Promise<{ steps: PlannedStep[]; losses: Float32Array }> => {
      const { steps: done, losses, began } = flying.shift() as (typeof flying)[number];
      const values = await losses;
      this.adapt(done.length, began);
      return { steps: done, losses: values };
    };
    try {
      for (;;) {
        const next: PlannedStep[] = [];
        while (next.length < this.chunk) {
          const { value, done } = steps.next();
          if (done) break;
          next.push(value);
        }
        if (next.length > 0) flying.push({ steps: next, losses: this.start(next), began: performance.now() });
        else if (flying.length === 0) return;
        if (flying.length === IN_FLIGHT || next.length === 0) yield await land();
      }
    } finally {
      await Promise.allSettled(flying.map((f) => f.losses));
    }
  }

  private start(steps: readonly PlannedStep[]): Promise<Float32Array> {
    const { device, seed, optimizer } = this.state;
    const [seedLow, seedHigh] = seedKey(seed);
    const half = this.turn++ % IN_FLIGHT;
    const orderStart = half * this.chunkRows.length;
    const recordStart = half * device.maxQueue;
    let used = 0;
    for (const { rows } of steps) {
      this.chunkRows.set(rows, used);
      used += rows.length;
    }
    this.bindings.order.write(this.chunkRows.subarray(0, used), orderStart);
    let offset = orderStart;
    steps.forEach(({ rows, step, rate }, i) => {
      const values: Record<string, number> = { seedLow, seedHigh, step, orderOffset: offset, recordOffset: recordStart + i };
      for (const [name, value] of Object.entries(optimizer.scalars(step + 1, rate))) values[`optimizer ${name}`] = value;
      device.enqueue(this.steps.get(rows.length) as CompiledStep, values);
      offset += rows.length;
    });
    return this.bindings.record.read(recordStart, steps.length) as Promise<Float32Array>;
  }

  /** Aims the next chunks at the target time; grows at most twofold, since the first steps of a kernel are slow. */
  private adapt(steps: number, began: number): void {
    const now = performance.now();
    const elapsed = Math.max(0.01, now - Math.max(began, this.lastEnd));
    this.lastEnd = now;
    const aim = Math.round((steps * TARGET_MS) / elapsed);
    this.chunk = Math.max(1, Math.min(aim, 2 * this.chunk, this.state.device.maxQueue));
  }

  dispose(): void {
    for (const step of this.steps.values()) step.dispose();
    for (const tensor of this.own) tensor.dispose();
  }
}

