/** One network being trained on one problem: what the page starts, pauses, asks and throws away. */
import type { Device, Schedule, Trainer, TrainingEvent } from "../src/api/core.ts";
import { binaryCrossentropy, compile, dense, sequential } from "../src/api/core.ts";
import type { Points, Problem } from "./problems.ts";

export interface Settings {
  readonly problem: Problem;
  readonly units: number;
  readonly seed: number;
  /** Asked before every step, so that the rate may change while training. */
  readonly learningRate: () => number;
}

/** What a chunk of steps came to. */
export interface Progress {
  /** Mean loss of each epoch that ended. */
  readonly losses: readonly number[];
  readonly epoch: number;
  readonly steps: number;
}

export class Experiment {
  readonly problem: Problem;
  readonly points: Points;
  readonly trainer: Trainer;
  epoch = 0;
  loss = Number.NaN;
  private readonly settings: Settings;
  private events: AsyncGenerator<TrainingEvent, void> | null = null;
  private wanted = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(settings: Settings, trainer: Trainer) {
    this.settings = settings;
    this.problem = settings.problem;
    this.points = settings.problem.points(settings.seed);
    this.trainer = trainer;
  }

  static async create(device: Device, settings: Settings): Promise<Experiment> {
    const { problem, units, seed, learningRate } = settings;
    const hidden = Array.from({ length: problem.hiddenLayers }, () => dense(units, { activation: "tanh" }));
    const model = sequential({ input: [2] }, [...hidden, dense(1)]);
    const rate: Schedule = { type: "live", config: {}, rate: learningRate };
    const optimizer = problem.optimizer(rate);
    return new Experiment(settings, await compile(model, { device, loss: binaryCrossentropy(), optimizer, seed }));
  }

  /** Trains until `pause` or the problem's last epoch, whichever comes first; calling again goes on from there. */
  train(hear: (progress: Progress) => void | Promise<void>): Promise<void> {
    this.wanted = true;
    this.running = this.loop(hear);
    return this.running;
  }

  /** Resolves once no step is on its way. Not to be awaited inside `hear`. */
  async pause(): Promise<void> {
    this.wanted = false;
    await this.running.catch(() => {});
  }

  private async loop(hear: (progress: Progress) => void | Promise<void>): Promise<void> {
    const { epochs, batchSize } = this.problem;
    const shuffle = batchSize < this.points.rows;
    this.events ??= this.trainer.run(this.points, { epochs, batchSize, shuffle });
    const { events } = this;
    let losses: number[] = [];
    // Not pulling the next event is all that pausing takes.
    while (this.wanted) {
      const { value: event, done } = await events.next();
      if (done) {
        this.events = null;
        this.wanted = false;
      } else if (event.type === "epoch") {
        this.epoch++;
        this.loss = event.logs.loss;
        losses.push(this.loss);
      } else {
        await hear({ losses, epoch: this.epoch, steps: event.losses.length });
        losses = [];
      }
    }
    if (losses.length > 0) await hear({ losses, epoch: this.epoch, steps: 0 });
  }

  /** Probabilities of class 1 at points [count, 2]. */
  predict(points: Float32Array): Promise<Float32Array> {
    return this.trainer.predict(points);
  }

  /** As a line of text: layers, size, and how it learns. */
  describe(): string {
    const { hiddenLayers, optimizerName, batchSize } = this.problem;
    const widths = [2, ...Array<number>(hiddenLayers).fill(this.settings.units), 1].join("-");
    const parameters = this.trainer.model.layers.reduce((n, layer) => n + layer.parameters, 0);
    return `${widths} network, tanh, ${parameters} parameters · binary cross-entropy · ${optimizerName}, batches of ${batchSize}`;
  }

  async dispose(): Promise<void> {
    await this.pause();
    await this.events?.return().catch(() => {});
    this.trainer.dispose();
  }
}
