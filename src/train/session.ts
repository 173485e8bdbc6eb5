/** Training data on the device and the compiled steps over it; runs steps in chunks and reads their losses late. */
import type { CompiledStep, Device, DeviceTensor } from "../device.ts";
import { tuningKey } from "../io/tunings.ts";
import { gradientLimitOf } from "../model/optimizers.ts";
import { f32, u32 } from "../ops/op.ts";
import type { PlanKind } from "../passes/choose.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import type { Tuning } from "../policy/limits.ts";
import { seedKey } from "../random.ts";
import type { Augment } from "./augment.ts";
import { Chunk, chunkSizes, IN_FLIGHT } from "./chunk.ts";
import { Feed } from "./feed.ts";
import type { GradientFault } from "./gradientFault.ts";
import { findParameter } from "./gradientFault.ts";
import { perParameter } from "./parameters.ts";
import type { TrainingProgress } from "./progress.ts";
import type { Saved } from "./saving.ts";
import type { Rows } from "./source.ts";
import type { StepSpec } from "./step.ts";
import { FAULT, trainingStep } from "./step.ts";
import type { Steps } from "./steps.ts";
import { TensorGroup } from "./tensors.ts";

/** Everything of a model in training that outlives one `fit`. */
export interface TrainingState extends Saved {
  readonly device: Device;
  readonly fusion: boolean;
  readonly plan: PlanKind | undefined;
}

/** Time a chunk should take: short enough that a page stays responsive and cancelling is prompt. */
const TARGET_MS = 50;
/** Steps of the first chunk; the first run of a kernel is slow. */
const FIRST_CHUNK = 4;
/** How many times longer than the one before a chunk may be. */
const GROWTH = 8;

/** What was measured on the device; for a run that goes on where it began, what was known of the device then. */
function tuningOf({ info, limits }: Device, { cursor, tuning }: TrainingProgress): Tuning | null {
  const begun = cursor && (!tuning || tuning.device === tuningKey(info));
  return begun ? tuning : (limits?.tuning ?? null);
}

/** A chunk on its way. */
interface Flight {
  readonly chunk: Chunk;
  readonly losses: Promise<Float32Array>;
  /** The state that tells of gradients which were not finite, after its last step. */
  readonly fault: Promise<Float32Array>;
  /** The scalars of its first step, but for the optimizer's. */
  readonly values: Readonly<Record<string, number>>;
  readonly began: number;
}

export class TrainingSession {
  /** What its kernels were chosen by. */
  readonly tuning: Tuning | null;
  private readonly state: TrainingState;
  private readonly bindings: Readonly<Record<string, DeviceTensor>>;
  private readonly feed: Feed;
  private readonly own: TensorGroup;
  private readonly steps: ReadonlyMap<number, CompiledStep>;
  private readonly spec: Omit<StepSpec, "batch">;
  /** Filled in turn. */
  private readonly chunks: readonly Chunk[];
  private readonly most: number;
  private readonly scalarNames = new Map<string, string>();
  private turn = 0;
  /** Steps that the next chunk is to hold. */
  private aim: number;
  private lastEnd = 0;
  /** Milliseconds a step took in the chunk before. */
  private lastPace = 0;

  private constructor(
    state: TrainingState,
    tuning: Tuning | null,
    most: number,
    bindings: Readonly<Record<string, DeviceTensor>>,
    feed: Feed,
    own: TensorGroup,
    steps: ReadonlyMap<number, CompiledStep>,
    spec: Omit<StepSpec, "batch">,
  ) {
    this.state = state;
    this.tuning = tuning;
    this.bindings = bindings;
    this.feed = feed;
    this.own = own;
    this.steps = steps;
    this.spec = spec;
    this.most = most;
    this.aim = Math.min(FIRST_CHUNK, most);
    const largest = Math.max(...steps.keys());
    this.chunks = Array.from({ length: IN_FLIGHT }, () => new Chunk(most, largest));
  }

  /**
   * Uploads the data, or makes room for its blocks, and compiles a step for each batch size that will occur.
   * @throws E_MEMORY, E_SHAPE, E_KERNEL
   */
  static async open(
    state: TrainingState,
    data: Rows,
    { sizes: batches, blockRows }: { readonly sizes: readonly number[]; readonly blockRows: number },
    augment?: Augment,
  ): Promise<TrainingSession> {
    const { device, model, loss, optimizer, parameters, slots, fusion, precision, progress } = state;
    const own = new TensorGroup(device);
    const { make } = own;
    try {
      const l1 = perParameter(parameters.layout, (p) => p.regularizer?.l1 ?? 0);
      const l2 = perParameter(parameters.layout, (p) => p.regularizer?.l2 ?? 0);
      const penalties = { l1: l1.some((v) => v !== 0), l2: l2.some((v) => v !== 0) };
      const largest = Math.max(...batches);
      const { most, orderSize, recordSize } = chunkSizes(largest, device.maxQueue);
      const feed = new Feed(make, data, model.inputShape, blockRows);
      const bindings: Record<string, DeviceTensor> = {
        ...parameters.bindings,
        ...Object.fromEntries(Object.entries(slots).map(([name, tensor]) => [`slot ${name}`, tensor])),
        ...state.lossScaling,
        ...feed.bindings,
        order: make(u32(orderSize), "batch order"),
        record: make(f32(recordSize), "loss record"),
        alive: make(f32(), "alive", [1]),
        [FAULT]: make(f32(), "gradient fault"),
        ...(penalties.l1 ? { l1: make(f32(l1.length), "l1", l1) } : {}),
        ...(penalties.l2 ? { l2: make(f32(l2.length), "l2", l2) } : {}),
      };
      const spec = {
        model,
        loss,
        optimizer,
        layout: parameters.layout,
        orderSize,
        recordSize,
        penalties,
        precision,
        augment,
        data: { rows: feed.capacity, y: data.yShape, weighted: data.weighted },
      };
      // A run that goes on takes the plan it began with.
      const begun =
        progress.cursor && (progress.plan === "resident" || progress.plan === "dispatch") ? progress.plan : undefined;
      const plan = begun ?? state.plan;
      const tuning = tuningOf(device, progress);
      const compiled = await Promise.allSettled(
        batches.map(async (batch) => {
          const graph = trainingStep({ ...spec, batch });
          const how = { fusion, precision, limits: { tuning }, ...(plan ? { plan } : {}) };
          return [batch, await device.compile(graph, { bindings, label: `train ${batch}`, ...how })] as const;
        }),
      );
      const steps = new Map(compiled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
      const failed = compiled.find((result) => result.status === "rejected");
      if (failed) {
        for (const step of steps.values()) step.dispose();
        throw failed.reason;
      }
      return new TrainingSession(state, tuning, most, bindings, feed, own, steps, spec);
    } catch (error) {
      own.dispose();
      throw error;
    }
  }

  /** How a full step runs. */
  get kind(): CompiledStep["kind"] {
    return (this.steps.get(Math.max(...this.steps.keys())) as CompiledStep).kind;
  }

  get precision(): TrainingPrecision {
    return this.state.precision;
  }

  /** Dispatches of one full step. */
  get dispatches(): number {
    return Math.max(...[...this.steps.values()].map((s) => s.dispatches));
  }

  /**
   * Runs steps in order and yields their losses chunk by chunk, later chunks already on their way: whoever wants to know
   * where the weights stand says `ended` and takes what still comes. Where chunks are cut follows measured time and the
   * ends of blocks, and never changes a result. Steps after a loss that is not finite change nothing and, but for their own
   * chunk, are not yielded. None is begun once `ended`.
   */
  async *run(steps: Steps, ended: () => boolean): AsyncGenerator<Chunk, void> {
    const flying: Flight[] = [];
    let failure: { readonly cause: unknown } | null = null;
    let frozen = false;
    const take = async (): Promise<Chunk | null> => {
      if (frozen || failure) return null;
      const chunk = this.chunks[this.turn % IN_FLIGHT];
      try {
        chunk.fill(steps, this.aim, ended);
      } catch (cause) {
        failure = { cause };
      }
      if (chunk.length === 0) return null;
      const loading = this.feed.load(chunk.block);
      try {
        if (loading) await loading;
        return chunk;
      } catch (cause) {
        failure = { cause };
        return null;
      }
    };
    try {
      for (;;) {
        const next = await take();
        if (next) {
          flying.push({ chunk: next, ...this.start(next), began: performance.now() });
          this.state.progress.flying = true;
        } else if (flying.length === 0) break;
        if (flying.length < IN_FLIGHT && next) continue;
        const flight = flying.shift() as Flight;
        const { chunk, began } = flight;
        const [losses, [fault]] = await Promise.all([flight.losses, flight.fault]);
        chunk.losses = losses;
        this.adapt(chunk.length, began);
        if (frozen) continue;
        frozen = fault > 0 || !chunk.losses.every(Number.isFinite);
        if (fault > 0) chunk.fault = await this.explain(flight, fault - 1 - flight.values.recordOffset);
        this.state.progress.flying = flying.length > 0;
        yield chunk;
      }
    } finally {
      await Promise.allSettled(flying.flatMap((f) => [f.losses, f.fault]));
      this.state.progress.flying = false;
    }
    if (failure) throw (failure as { cause: unknown }).cause;
  }

  /** Of a step of a chunk, the last that changed anything, whose gradients were not finite. */
  private async explain({ chunk, values: first }: Flight, step: number): Promise<GradientFault> {
    const { spec, bindings, state } = this;
    const batch = chunk.counts[step];
    if (!Number.isFinite(chunk.losses[step])) return { step, parameter: null };
    const graph = trainingStep({ ...spec, batch }, { probe: true });
    const before = chunk.counts.subarray(0, step).reduce((a, b) => a + b, 0);
    const values = { ...first, step: first.step + step, orderOffset: first.orderOffset + before };
    const limit = gradientLimitOf(spec.optimizer, spec.layout.arenaSize);
    await this.feed.load(chunk.block);
    const how = { bindings, fusion: state.fusion };
    return { step, parameter: await findParameter(state.device, graph, how, values, { layout: spec.layout, limit }) };
  }

  private start(chunk: Chunk): Pick<Flight, "losses" | "fault" | "values"> {
    const { device, seed, optimizer } = this.state;
    const [seedLow, seedHigh] = seedKey(seed);
    const half = this.turn++ % IN_FLIGHT;
    const orderStart = (half * this.bindings.order.shape[0]) / IN_FLIGHT;
    const recordStart = half * this.most;
    this.bindings.order.write(chunk.order, orderStart);
    // One object for all steps, which `enqueue` reads at once: what a step allocates is most of its time on the host.
    const values: Record<string, number> = {
      seedLow,
      seedHigh,
      step: chunk.step,
      orderOffset: orderStart,
      recordOffset: recordStart,
    };
    const first = { ...values };
    for (let i = 0; i < chunk.length; i++) {
      const scalars = optimizer.scalars(values.step + 1, chunk.rates[i]);
      for (const name in scalars) values[this.scalarName(name)] = scalars[name];
      device.enqueue(this.steps.get(chunk.counts[i]) as CompiledStep, values);
      values.step++;
      values.orderOffset += chunk.counts[i];
      values.recordOffset++;
    }
    return {
      values: first,
      losses: this.bindings.record.read(recordStart, chunk.length) as Promise<Float32Array>,
      fault: this.bindings[FAULT].read() as Promise<Float32Array>,
    };
  }

  /** The optimizer's scalar as the graph calls it. */
  private scalarName(name: string): string {
    let made = this.scalarNames.get(name);
    if (made === undefined) {
      made = `optimizer ${name}`;
      this.scalarNames.set(name, made);
    }
    return made;
  }

  /**
   * Aims the next chunks at the target time. A host that was held up finds later chunks done and takes them for fast, or its
   * own pause for slowness: the slower of two chunks counts, and a chunk is at least half the one before.
   */
  private adapt(steps: number, began: number): void {
    const now = performance.now();
    const pace = Math.max(0.01, now - Math.max(began, this.lastEnd)) / steps;
    const aim = Math.round(TARGET_MS / Math.max(pace, this.lastPace));
    this.lastEnd = now;
    this.lastPace = pace;
    this.aim = Math.max(1, Math.ceil(this.aim / 2), Math.min(aim, GROWTH * this.aim, this.most));
  }

  dispose(): void {
    for (const step of this.steps.values()) step.dispose();
    this.own.dispose();
  }
}
