/** Training, evaluation and prediction of one model on one device. */
import type { Device, DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../io/checkpoint.ts";
import { fingerprint } from "../io/fingerprint.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import { summary } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { adam } from "../model/optimizers.ts";
import { f32 } from "../ops/op.ts";
import { seedKey, shuffle } from "../random.ts";
import type { Callback, Control, EpochLogs } from "./callbacks.ts";
import type { CheckedData, Data } from "./data.ts";
import { checkData, checkFeatures } from "./data.ts";
import type { MetricName } from "./metrics.ts";
import { Scorer } from "./metrics.ts";
import type { Weights } from "./parameters.ts";
import { Parameters } from "./parameters.ts";
import { Predictor } from "./predictor.ts";
import type { ModelExtras } from "./saving.ts";
import { checkpointOf, modelFiles, restoreCheckpoint } from "./saving.ts";
import type { PlannedStep, TrainingState } from "./session.ts";
import { TrainingSession } from "./session.ts";

export interface CompileModelOptions {
  readonly device: Device;
  readonly loss: Loss;
  /** Default adam(). */
  readonly optimizer?: Optimizer;
  /** Computed on validation data after each epoch and by `evaluate`. */
  readonly metrics?: readonly MetricName[];
  /** Decides initial weights, shuffling, dropout. Default 0. */
  readonly seed?: number;
  /** Off: one kernel per op, for finding a faulty one. Default on. */
  readonly fusion?: boolean;
}

export interface FitOptions {
  readonly epochs: number;
  /** Default 32. The last batch of an epoch may be smaller; it is exact, not padded. */
  readonly batchSize?: number;
  readonly validation?: Data;
  /** Default true: a new order each epoch, by seed. */
  readonly shuffle?: boolean;
  /** The rows of each epoch, in order, instead of shuffling; rows may repeat or be left out. */
  readonly order?: (epoch: number) => ArrayLike<number>;
  readonly callbacks?: readonly Callback[];
  /** Stops within a chunk (about 50 ms) with E_ABORTED; the trainer can then be saved and `fit` again resumes. */
  readonly signal?: AbortSignal;
}

/** One list of values per epoch: `loss`, `learningRate`, and with validation `valLoss` and `val...` for each metric. */
export type History = Record<string, number[]>;

export type TrainingEvent =
  | { readonly type: "steps"; readonly epoch: number; readonly step: number; readonly losses: Float32Array }
  | { readonly type: "epoch"; readonly epoch: number; readonly logs: EpochLogs };

/** Where an interrupted `fit` stands. */
export interface Cursor {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done of the next one, and what they add to its loss. */
  readonly stepInEpoch: number;
  readonly lossSum: number;
  readonly batchSize: number;
}

const SHUFFLE_STREAM = 0x5f_ff_ff_ff;

/** A model made ready to train. @throws E_ARGUMENT, E_SHAPE, E_MEMORY */
export async function compile(model: Model, options: CompileModelOptions): Promise<Trainer> {
  return new Trainer(model, options);
}

export class Trainer {
  readonly model: Model;
  readonly device: Device;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly seed: number;
  readonly history: History = {};
  /** Updates done since the trainer was made. */
  step = 0;
  /** Where an interrupted `fit` stands; `fit` goes on from here. */
  cursor: Cursor | null = null;
  rateScale = 1;
  /** A callback ended the interrupted `fit`. */
  stopped = false;
  /** Of the data that is being trained on. */
  fingerprint = "";
  /** Names the compiled plan: a resume must sum in the same order. */
  readonly planName: string;
  /** Dispatches of one training step, once `fit` has compiled it. */
  dispatches = 0;
  readonly parameters: Parameters;
  readonly slots: Readonly<Record<string, DeviceTensor>>;
  private readonly predictor: Predictor;
  private readonly scorer: Scorer;
  private readonly fusion: boolean;
  /** Epochs begun before the current `fit`, so that every epoch of a trainer has an order of its own. */
  private epochBase = 0;

  constructor(model: Model, { device, loss, optimizer = adam(), metrics = [], seed = 0, fusion = true }: CompileModelOptions) {
    seedKey(seed);
    this.model = model;
    this.device = device;
    this.loss = loss;
    this.optimizer = optimizer;
    this.seed = seed;
    this.fusion = fusion;
    this.planName = `${device.info.backend} dispatch${fusion ? "" : ", no fusion"}`;
    this.parameters = new Parameters(device, model, seed);
    const { arenaSize } = this.parameters.layout;
    this.slots = Object.fromEntries(
      Object.entries(optimizer.slots).map(([name, value]) => [
        name,
        device.tensor(f32(arenaSize), `optimizer ${name}`, value === 0 ? undefined : new Float32Array(arenaSize).fill(value)),
      ]),
    );
    this.predictor = new Predictor(device, model, this.parameters);
    this.scorer = new Scorer(model, loss, metrics);
  }

  /** Trains; resolves with the history of all epochs so far. @throws E_DATA, E_SHAPE, E_NONFINITE, E_ABORTED, E_LOST ... */
  async fit(data: Data, options: FitOptions): Promise<History> {
    for await (const _ of this.run(data, options)) void _;
    return this.history;
  }

  /** `fit` as a stream of events: losses of each chunk of steps, and the logs of each epoch. */
  async *run(data: Data, options: FitOptions): AsyncGenerator<TrainingEvent, void> {
    const { epochs, batchSize = 32, callbacks = [], signal } = options;
    for (const [name, value] of Object.entries({ epochs, batchSize })) {
      if (!Number.isInteger(value) || value < 1) throw new TilegradError("E_ARGUMENT", `fit: got ${name} ${value}; expected a positive integer.`);
    }
    const checked = checkData("fit", data, this.model.inputShape);
    const validation = options.validation ? checkData("validation", options.validation, this.model.inputShape) : null;
    throwIfAborted(signal);
    this.checkResume(checked, batchSize);
    const batches = batchSizes(options.order?.(0).length ?? checked.rows, batchSize);
    if (validation) await this.predictor.prepare(validation.rows);
    const session = await TrainingSession.open(this.trainingState(), checked, batches, this.fusion);
    this.dispatches = session.dispatches;
    try {
      yield* this.epochs(session, checked, validation, options, batchSize, callbacks);
    } finally {
      session.dispose();
    }
  }

  private async *epochs(
    session: TrainingSession,
    data: CheckedData,
    validation: CheckedData | null,
    options: FitOptions,
    batchSize: number,
    callbacks: readonly Callback[],
  ): AsyncGenerator<TrainingEvent, void> {
    const { epochs, signal } = options;
    const atStart = (epoch: number): Cursor => ({ epoch, stepInEpoch: 0, lossSum: 0, batchSize });
    const start = this.cursor ?? atStart(0);
    const stepsPerEpoch = Math.ceil((options.order?.(0).length ?? data.rows) / batchSize);
    const firstStep = this.step - start.epoch * stepsPerEpoch - start.stepInEpoch;
    const control: Control = {
      stop: () => {
        this.stopped = true;
      },
      rateScale: this.rateScale,
      checkpoint: () => checkpointOf(this, callbacks),
      getWeights: () => this.getWeights(),
      setWeights: (weights) => this.setWeights(weights),
    };
    const rateAt = (epoch: number, step: number, stepsPerEpoch: number): number =>
      this.rateScale * this.optimizer.schedule.rate({ step, epoch, stepsPerEpoch, epochs });

    // Epochs that nobody needs to decide after run into each other, so that small ones still fill a chunk.
    const together = validation || callbacks.length > 0 ? 1 : epochs - start.epoch;
    for (let epoch = start.epoch; epoch < epochs && !this.stopped; epoch += together) {
      const last = Math.min(epochs, epoch + together);
      const plan = this.planned(data.rows, options, batchSize, epoch, last, start, firstStep, rateAt);
      let at = epoch === start.epoch ? start : atStart(epoch);
      for await (const { steps, losses } of session.run(plan)) {
        for (let i = 0; i < steps.length; i++) {
          const { rows, stepsInEpoch, epochRows, rate } = steps[i] as EpochStep;
          if (!Number.isFinite(losses[i])) this.failNonFinite(losses[i], at);
          this.step++;
          at = { ...at, stepInEpoch: at.stepInEpoch + 1, lossSum: at.lossSum + losses[i] * rows.length };
          this.cursor = at;
          if (at.stepInEpoch < stepsInEpoch) continue;
          const logs: Record<string, number> = { loss: at.lossSum / epochRows, learningRate: rate };
          at = atStart(at.epoch + 1);
          if (validation) Object.assign(logs, await this.validate(validation));
          record(this.history, logs);
          this.cursor = at;
          for (const callback of callbacks) await callback.onEpochEnd?.(at.epoch - 1, logs, control);
          this.rateScale = control.rateScale;
          for (const callback of callbacks) await callback.afterEpoch?.(at.epoch - 1, control);
          yield { type: "epoch", epoch: at.epoch - 1, logs };
        }
        yield { type: "steps", epoch: at.epoch, step: this.step, losses };
        throwIfAborted(signal);
      }
    }
    for (const callback of callbacks) await callback.onTrainEnd?.(control);
    this.epochBase += epochs;
    this.cursor = null;
    this.stopped = false;
  }

  private *planned(
    rows: number,
    options: FitOptions,
    batchSize: number,
    from: number,
    to: number,
    start: Cursor,
    firstStep: number,
    rateAt: (epoch: number, step: number, stepsPerEpoch: number) => number,
  ): Generator<EpochStep, undefined> {
    const { signal } = options;
    let step = this.step;
    for (let epoch = from; epoch < to; epoch++) {
      const order = this.orderOf(epoch, rows, options);
      const stepsInEpoch = Math.ceil(order.length / batchSize);
      const skipped = epoch === start.epoch ? start.stepInEpoch : 0;
      for (let i = skipped; i < stepsInEpoch; i++) {
        if (signal?.aborted) return undefined;
        const rate = rateAt(epoch, step - firstStep, stepsInEpoch);
        yield { rows: order.subarray(i * batchSize, (i + 1) * batchSize), step: step++, rate, stepsInEpoch, epochRows: order.length };
      }
    }
    return undefined;
  }

  private orderOf(epoch: number, rows: number, { order, shuffle: shuffled = true }: FitOptions): Uint32Array {
    if (order) {
      const given = Uint32Array.from(order(epoch));
      const bad = given.find((row) => row >= rows);
      if (bad !== undefined) throw new TilegradError("E_ARGUMENT", `order: got row ${bad}; the data has ${rows} rows.`);
      return given;
    }
    if (shuffled) return shuffle(rows, this.seed, SHUFFLE_STREAM, this.epochBase + epoch);
    return Uint32Array.from({ length: rows }, (_, i) => i);
  }

  private async validate(data: CheckedData): Promise<Record<string, number>> {
    const scored = Object.entries(await this.score(data));
    return Object.fromEntries(scored.map(([name, value]) => [`val${name[0].toUpperCase()}${name.slice(1)}`, value]));
  }

  /** Takes up an interrupted run; the next `fit` goes on from there. */
  resumeAt(from: { cursor: Cursor; step: number; rateScale: number; stopped: boolean; history: Readonly<Record<string, readonly number[]>>; data: string }): void {
    this.cursor = from.cursor;
    this.step = from.step;
    this.rateScale = from.rateScale;
    this.stopped = from.stopped;
    this.fingerprint = from.data;
    for (const name of Object.keys(this.history)) delete this.history[name];
    for (const [name, values] of Object.entries(from.history)) this.history[name] = [...values];
  }

  /** An interrupted run goes on only with the data and the batches it was started with. */
  private checkResume({ x, y, weight }: CheckedData, batchSize: number): void {
    const data = fingerprint(weight ? [x, y, weight] : [x, y]);
    if (this.cursor && this.cursor.batchSize !== batchSize) {
      throw new TilegradError("E_ARGUMENT", `fit: got batchSize ${batchSize}; the run to go on with has ${this.cursor.batchSize}.`);
    }
    if (this.cursor && this.fingerprint !== data) {
      throw new TilegradError("E_DATA", "fit: the run to go on with was started on other data.", {
        hint: "Pass the same rows in the same order, or make a new trainer.",
      });
    }
    this.fingerprint = data;
  }

  private failNonFinite(loss: number, { epoch, stepInEpoch }: Cursor): never {
    throw new TilegradError(
      "E_NONFINITE",
      `The loss became ${loss} at step ${stepInEpoch + 1} of epoch ${epoch + 1}; the weights are those of the step before.`,
      { hint: "Lower the learning rate, clip gradients (clipNorm), or scale the inputs." },
    );
  }

  private async score(data: CheckedData): Promise<Record<string, number>> {
    return this.scorer.score(await this.predictor.outputs(data.x), data);
  }

  /** Loss and metrics on data. */
  async evaluate(data: Data): Promise<Record<string, number>> {
    return this.score(checkData("evaluate", data, this.model.inputShape));
  }

  /** Scores of rows x [rows, ...inputShape], row-major: probabilities for the losses that work on logits. */
  async predict(x: ArrayLike<number>): Promise<Float32Array> {
    return this.scorer.scores(await this.outputs(x));
  }

  /** The model's raw outputs [rows, ...outputShape]. */
  async outputs(x: ArrayLike<number>): Promise<Float32Array> {
    return this.predictor.outputs(checkFeatures("predict", x, this.model.inputShape).x);
  }

  getWeights(): Promise<Weights> {
    return this.parameters.read();
  }

  /** @throws E_SHAPE; nothing is changed then. */
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void {
    this.parameters.write(weights);
  }

  /** Saves the model in a folder (Node) or under a name in the OPFS (browser). @throws E_FILE; the old one stays whole. */
  async save(folder: string, extras: ModelExtras = {}): Promise<void> {
    await this.device.files.publish(folder, await modelFiles(this, extras));
  }

  /** Saves everything a resumed run needs, in the same way. */
  async saveCheckpoint(folder: string, callbacks: readonly Callback[] = []): Promise<void> {
    await this.device.files.publish(folder, encodeCheckpoint(await checkpointOf(this, callbacks)));
  }

  /** Takes up a checkpoint: the next `fit`, with the same data and options, goes on to the same bits. @throws E_FILE */
  async restoreCheckpoint(folder: string, callbacks: readonly Callback[] = []): Promise<void> {
    const files = await this.device.files.read(folder, "checkpoint.json");
    restoreCheckpoint(this, decodeCheckpoint(files, folder), callbacks, folder);
  }

  /** Layers, shapes, parameters and bytes, as text. */
  summary(): string {
    return summary(this.model);
  }

  /** Frees what the trainer holds on the device. */
  dispose(): void {
    this.parameters.dispose();
    for (const slot of Object.values(this.slots)) slot.dispose();
    this.predictor.dispose();
  }

  private trainingState(): TrainingState {
    const { device, model, loss, optimizer, parameters, slots, seed } = this;
    return { device, model, loss, optimizer, parameters, slots, seed };
  }
}

interface EpochStep extends PlannedStep {
  readonly stepsInEpoch: number;
  readonly epochRows: number;
}

function record(history: History, logs: EpochLogs): void {
  for (const [name, value] of Object.entries(logs)) {
    history[name] ??= [];
    history[name].push(value);
  }
}

function batchSizes(rows: number, batchSize: number): number[] {
  const tail = rows % batchSize;
  const sizes = rows >= batchSize ? [batchSize] : [];
  return tail > 0 ? [...sizes, tail] : sizes;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new TilegradError("E_ABORTED", "Training was cancelled.", { cause: signal.reason, hint: "fit again goes on from here." });
  }
}
