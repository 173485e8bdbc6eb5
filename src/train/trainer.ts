/** Training, evaluation and prediction of one model on one device. */

import { files as keptFiles } from "#platform";
import type { Device, DeviceTensor } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import type { FileStore } from "../io/bundle.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../io/checkpoint.ts";
import * as is from "../kinds.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import { checkModel, summary } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { adam } from "../model/optimizers.ts";
import { f32 } from "../ops/op.ts";
import { checkFields, checkOptions, checkValue } from "../options.ts";
import type { PlanKind } from "../passes/choose.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import { checkPrecision } from "../passes/half.ts";
import { seedKey } from "../random.ts";
import type { Numeric } from "../values.ts";
import { Batches } from "./batches.ts";
import type { Callback, Control } from "./callbacks.ts";
import { checkCallbacks } from "./callbacks.ts";
import type { CompileOptions } from "./compileOptions.ts";
import { COMPILE_OPTIONS } from "./compileOptions.ts";
import type { Data } from "./data.ts";
import { checkFeatures, checkSameLabels } from "./data.ts";
import type { FitOptions, TrainingEvent } from "./fit.ts";
import { FIT_OPTIONS, runEpochs, throwIfAborted } from "./fit.ts";
import { scalingTensors } from "./lossScaling.ts";
import { Scorer } from "./metrics.ts";
import type { Weights } from "./parameters.ts";
import { Parameters } from "./parameters.ts";
import { Predictor } from "./predictor.ts";
import type { Profile, ProfileOptions } from "./profile.ts";
import { PROFILE_OPTIONS, profiledRows, profileSteps } from "./profile.ts";
import type { Cursor, History, TrainingProgress } from "./progress.ts";
import { newProgress } from "./progress.ts";
import type { ModelExtras } from "./saving.ts";
import { checkpointOf, modelFiles, restoreCheckpoint } from "./saving.ts";
import { TrainingSession } from "./session.ts";
import type { RowSource, Rows } from "./source.ts";
import { blockRowsFor, inMemory, isRowSource, openRows } from "./source.ts";
import { TensorGroup } from "./tensors.ts";

/** What a loss or metric of the validation data is called in logs. */
const validated = (name: string): string => `val${name[0].toUpperCase()}${name.slice(1)}`;

/** A model made ready to train. @throws E_ARGUMENT, E_MEMORY; E_DEVICE when the device has no such precision */
export async function compile(model: Model, options: CompileOptions): Promise<Trainer> {
  return new Trainer(model, options);
}

/** A model on a device, with all that training it needs; `compile` makes one. */
export class Trainer {
  readonly model: Model;
  readonly device: Device;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Where its models and checkpoints are kept. */
  readonly files: FileStore;
  readonly seed: number;
  readonly fusion: boolean;
  readonly plan: PlanKind | undefined;
  readonly precision: TrainingPrecision;
  /** How far training has come. */
  readonly progress: TrainingProgress = newProgress();
  readonly parameters: Parameters;
  /** The optimizer's state, each slot as long as all trained parameters together. */
  readonly slots: Readonly<Record<string, DeviceTensor>>;
  /** Scale of the loss in mixed precision and the good steps since it changed; empty in f32. */
  readonly lossScaling: Readonly<Record<string, DeviceTensor>>;
  /** Dispatches of one training step, once `fit` has compiled it. */
  dispatches = 0;
  private readonly own: TensorGroup;
  private readonly predictor: Predictor;
  private readonly scorer: Scorer;
  private training = false;
  private disposed = false;

  /** @throws E_ARGUMENT for a bad seed, metric or precision; E_DEVICE, E_MEMORY; nothing being held then */
  constructor(model: Model, options: CompileOptions) {
    const {
      device,
      loss,
      optimizer = adam(),
      files = keptFiles,
      metrics = [],
      seed = 0,
      fusion = true,
      plan,
      precision = "f32",
    } = checkOptions("compile", options, COMPILE_OPTIONS);
    checkModel("compile: model", model);
    checkValue("compile", "device", device, is.device);
    checkFields("compile: loss", loss, { perExample: is.callable }, "a loss, such as binaryCrossentropy()");
    checkFields("compile: optimizer", optimizer, { update: is.callable }, "an optimizer, such as adam()");
    seedKey(seed);
    checkPrecision(precision, device.limits);
    this.model = model;
    this.device = device;
    this.loss = loss;
    this.optimizer = optimizer;
    this.files = files;
    this.seed = seed;
    this.fusion = fusion;
    this.plan = plan;
    this.precision = precision;
    this.scorer = new Scorer(model, loss, metrics);
    this.own = new TensorGroup(device);
    try {
      this.parameters = new Parameters(this.own.make, model);
      const { arenaSize } = this.parameters.layout;
      const slots = Object.entries(optimizer.slots);
      this.slots = Object.fromEntries(
        slots.map(([name]) => [name, this.own.make(f32(arenaSize), `optimizer ${name}`)]),
      );
      this.lossScaling = precision === "mixed" ? scalingTensors(this.own.make) : {};
      // All of it fits.
      this.parameters.draw(seed);
      for (const [name, value] of slots) if (value) this.slots[name].write(new Float32Array(arenaSize).fill(value));
    } catch (error) {
      this.own.dispose();
      throw error;
    }
    this.predictor = new Predictor(device, model, this.parameters, fusion);
  }

  /** Of all epochs so far. */
  get history(): History {
    return this.progress.history;
  }

  /** Updates done since the trainer was made. */
  get step(): number {
    return this.progress.step;
  }

  /** Where an interrupted `fit` stands, and the next goes on; null when none was interrupted. */
  get cursor(): Readonly<Cursor> | null {
    return this.progress.cursor && { ...this.progress.cursor };
  }

  /** Factor on the schedule's learning rate; 1 to begin with. */
  get rateScale(): number {
    return this.progress.rateScale;
  }

  set rateScale(factor: number) {
    if (!(factor >= 0 && Number.isFinite(factor))) {
      throw new TilegradError("E_ARGUMENT", `rateScale: got ${factor}; expected a finite number of at least 0.`);
    }
    this.progress.rateScale = factor;
  }

  /**
   * Trains; resolves with the history of all epochs so far. After an error of the kinds E_ABORTED and E_NONFINITE, or when
   * a checkpoint was restored, `fit` with the same data and options goes on where the run stood.
   *
   * Rows that do not fit on the device (a source of more than `blockBytes`, arrays larger than one buffer may be) are
   * trained on in blocks, each of 16 segments from all over the data; the next block is read while one is trained on.
   * @throws E_DATA, E_SHAPE, E_ARGUMENT, E_MEMORY before anything is changed, but for what is wrong with rows of a source that
   *   has a fingerprint: before they are trained on; E_NONFINITE, E_ABORTED, E_LOST
   */
  async fit(data: Data<Numeric> | RowSource, options: FitOptions): Promise<History> {
    for await (const _ of this.chunks(data, options)) void _;
    return this.history;
  }

  /**
   * `fit` as a stream of events: losses of each chunk of steps, and the logs of each epoch. Later steps may be on their way
   * when an event comes; leaving the loop waits for them. To see the weights of an epoch's end, or to save a checkpoint, use a
   * callback.
   */
  async *run(data: Data<Numeric> | RowSource, options: FitOptions): AsyncGenerator<TrainingEvent, void> {
    for await (const events of this.chunks(data, options)) for (const event of events) yield event;
  }

  private async *chunks(data: Data<Numeric> | RowSource, options: FitOptions): AsyncGenerator<TrainingEvent[], void> {
    this.check("fit");
    const { callbacks = [], signal } = checkOptions("fit", options, FIT_OPTIONS);
    checkCallbacks(callbacks, [
      "loss",
      "learningRate",
      ...(options.validation ? this.scorer.names.map(validated) : []),
    ]);
    const { progress, model, loss, optimizer, seed } = this;
    const given = await openRows("fit", data, model, loss);
    const validation = options.validation ? await openRows("validation", options.validation, model, loss) : null;
    if (validation) checkSameLabels("validation", validation, given);
    const blockRows = progress.cursor?.blockRows ?? blockRowsFor(given, options, this.device);
    const rows = blockRows > 0 || given.whole ? given : inMemory(await given.read(0, given.rows));
    const firstShuffle = (this.history.loss?.length ?? 0) - (progress.cursor?.epoch ?? 0);
    const labels = blockRows === 0 ? (rows.whole?.y ?? null) : null;
    const batches = new Batches(rows.rows, seed, options, firstShuffle, blockRows, labels);
    const print = await this.checkResume(given, batches.batchSize);
    throwIfAborted(signal);
    if (this.training) throw new TilegradError("E_ARGUMENT", "fit: this trainer is training already.");
    this.training = true;
    try {
      if (validation) await this.predictor.prepare(validation.rows);
      const session = await TrainingSession.open(this, rows, batches, options.augment);
      try {
        this.dispatches = session.dispatches;
        progress.plan = session.kind;
        progress.tuning = session.tuning;
        progress.data = print;
        const validate = validation && (() => this.validate(validation));
        const control = this.control(callbacks);
        const fit = { model, session, batches, optimizer, progress, options, control, validate };
        for await (const events of runEpochs(fit)) {
          this.check("fit");
          yield events;
        }
      } finally {
        session.dispose();
      }
    } finally {
      this.training = false;
      this.check("fit");
    }
  }

  private control(callbacks: readonly Callback[]): Control {
    const { progress } = this;
    return {
      stop: () => {
        progress.stopped = true;
      },
      get rateScale() {
        return progress.rateScale;
      },
      set rateScale(factor) {
        progress.rateScale = factor;
      },
      saveCheckpoint: (folder) => this.saveCheckpoint(folder, callbacks),
      getWeights: () => this.getWeights(),
      setWeights: (weights) => this.setWeights(weights),
    };
  }

  private async validate(data: Rows): Promise<Record<string, number>> {
    const scored = Object.entries(await this.score(data));
    return Object.fromEntries(scored.map(([name, value]) => [validated(name), value]));
  }

  /** An interrupted run goes on only with the data and the batches it was started with. Gives the data's fingerprint. */
  private async checkResume(rows: Rows, batchSize: number): Promise<string> {
    const data = await rows.fingerprint();
    const { cursor, data: before } = this.progress;
    if (cursor && cursor.batchSize !== batchSize) {
      throw new TilegradError(
        "E_ARGUMENT",
        `fit: got batchSize ${batchSize}; the run to go on with has ${cursor.batchSize}.`,
      );
    }
    if (cursor && before !== data) {
      throw new TilegradError("E_DATA", "fit: the run to go on with was started on other data.", {
        hint: "Pass the same rows in the same order, or make a new trainer.",
      });
    }
    return data;
  }

  /** `work`, which needs what the trainer holds on the device. @throws E_ARGUMENT once it was disposed of */
  private async alive<T>(where: string, work: () => Promise<T>): Promise<T> {
    this.check(where);
    try {
      return await work();
    } finally {
      this.check(where);
    }
  }

  /** @throws E_ARGUMENT once it was disposed of: whatever else goes wrong then follows from that */
  private check(where: string): void {
    if (!this.disposed) return;
    throw new TilegradError(
      "E_ARGUMENT",
      `${where}: this trainer was disposed of; expected one that is still in use.`,
      {
        hint: "Wait for what it does before dispose(), or end fit by its signal.",
      },
    );
  }

  private async score(data: Rows): Promise<Record<string, number>> {
    const { rows, yShape, weighted } = data;
    const y = new Float32Array(rows * sizeOf(yShape));
    const weight = weighted ? new Float32Array(rows) : null;
    let row = 0;
    const logits = await this.predictor.outputsOf(data, (piece) => {
      y.set(piece.y, row * sizeOf(yShape));
      if (piece.weight) weight?.set(piece.weight, row);
      row += piece.rows;
    });
    return this.scorer.score(logits, { rows, y, yShape, weight });
  }

  /** Loss and metrics on data. @throws E_DATA, E_SHAPE, E_ARGUMENT */
  async evaluate(data: Data<Numeric> | RowSource): Promise<Record<string, number>> {
    return this.alive("evaluate", async () => this.score(await openRows("evaluate", data, this.model, this.loss)));
  }

  /** Scores of rows x [rows, ...inputShape], row-major: probabilities for the losses that work on logits. */
  async predict(x: Numeric | RowSource): Promise<Float32Array> {
    return this.scorer.scores(await this.logits(x));
  }

  /** The model's outputs [rows, ...outputShape]. */
  async outputs(x: Numeric | RowSource): Promise<Float32Array> {
    return this.scorer.outputs(await this.logits(x));
  }

  private logits(x: Numeric | RowSource): Promise<Float32Array> {
    return this.alive("predict", async () =>
      isRowSource(x)
        ? this.predictor.outputsOf(await openRows("predict", x, this.model))
        : this.predictor.outputs(checkFeatures("predict", x, this.model).x),
    );
  }

  getWeights(): Promise<Weights> {
    return this.alive("getWeights", () => this.parameters.read());
  }

  /** @throws E_SHAPE; nothing is changed then. */
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void {
    this.parameters.write(weights);
  }

  /**
   * Saves the model in a folder (Node) or under a name in the OPFS (browser).
   * @throws E_FILE, and E_ARGUMENT for extras that could not be read again; the old one stays whole.
   */
  async save(folder: string, extras: ModelExtras = {}): Promise<void> {
    checkValue("save", "folder", folder, is.string);
    await this.files.publish(folder, await modelFiles(this, extras));
  }

  /** Saves everything a resumed run needs, in the same way. @throws E_FILE; E_ARGUMENT while steps are on their way */
  async saveCheckpoint(folder: string, callbacks: readonly Callback[] = []): Promise<void> {
    checkValue("saveCheckpoint", "folder", folder, is.string);
    await this.files.publish(folder, encodeCheckpoint(await checkpointOf(this, callbacks)));
  }

  /**
   * Takes up a checkpoint: the next `fit`, with the same data and options, goes on to the same bits.
   * @param data what that `fit` will be given, to be told of other data here, before anything else that differs for it
   * @throws E_FILE when it belongs to another run; whatever `fit` throws for bad data
   */
  async restoreCheckpoint(
    folder: string,
    callbacks: readonly Callback[] = [],
    data?: Data<Numeric> | RowSource,
  ): Promise<void> {
    checkValue("restoreCheckpoint", "folder", folder, is.string);
    const checkpoint = decodeCheckpoint(await this.files.read(folder, "checkpoint.json"), folder);
    const print = data && (await (await openRows("restoreCheckpoint", data, this.model, this.loss)).fingerprint());
    restoreCheckpoint(this, checkpoint, callbacks, folder, print);
  }

  /**
   * Where the time of a training step goes, by the GPU's own clock. Runs steps over the first rows of `data` on a copy of
   * this trainer, which stays as it is. @throws E_DEVICE on the CPU and where the GPU has no timestamps
   */
  async profile(data: Data<Numeric> | RowSource, options: ProfileOptions = {}): Promise<Profile> {
    const { batchSize = 32, steps = 16 } = checkOptions("profile", options, PROFILE_OPTIONS);
    const { device, model, loss, optimizer, seed, fusion, plan, precision } = this;
    const how = { fusion, precision, ...(plan ? { plan } : {}) };
    const copy = new Trainer(model, { device, loss, optimizer, seed, ...how });
    try {
      copy.setWeights(await this.getWeights());
      const { rows, batch, epochs } = await profiledRows(data, sizeOf(model.inputShape), batchSize, steps);
      const run = async (): Promise<void> => void (await copy.fit(rows, { epochs, batchSize: batch, shuffle: false }));
      await run();
      return await profileSteps(device, run);
    } finally {
      copy.dispose();
    }
  }

  /** Layers, shapes, parameters and bytes, as text. */
  summary(): string {
    return summary(this.model);
  }

  /** Frees what the trainer holds on the device. */
  dispose(): void {
    this.disposed = true;
    this.own.dispose();
    this.predictor.dispose();
  }
}
