/** The line that says how training goes. */
import type { BestEpoch } from "../../train/callbacks.ts";
import { count, currentTerminal, duration, Status } from "./terminal.ts";

interface ProgressOptions {
  readonly epochs: number;
  /** Shown beside the loss. */
  readonly monitor: string;
  readonly quiet: boolean;
  /** Where this process begins: a resumed run has some done. */
  readonly firstStep: number;
  readonly firstEpoch: number;
}

/** Of one run, in this process. */
export interface Speed {
  readonly ms: number;
  readonly stepsPerSecond: number;
}

export class TrainingProgress {
  private readonly status: Status;
  private readonly options: ProgressOptions;
  private readonly began = performance.now();
  private done: number;
  private step: number;
  private text = "";

  constructor(options: ProgressOptions) {
    this.status = new Status(options);
    this.options = options;
    this.done = options.firstEpoch;
    this.step = options.firstStep;
  }

  /** Milliseconds so far, and steps per second in them. */
  get speed(): Speed {
    const ms = performance.now() - this.began;
    return { ms, stepsPerSecond: ((this.step - this.options.firstStep) * 1000) / Math.max(1, ms) };
  }

  epoch(epoch: number, logs: Readonly<Record<string, number>>, best: BestEpoch | null): void {
    const { monitor } = this.options;
    this.done = epoch + 1;
    const watched = monitor === "loss" ? undefined : logs[monitor];
    const metric = watched === undefined ? "" : `  ${monitor} ${watched.toFixed(4)}`;
    const mark = best === null ? "" : best.epoch === epoch ? " (best)" : ` (best ${best.value.toFixed(4)})`;
    this.text = `  loss ${logs.loss.toFixed(4)}${metric}${mark}`;
    this.show();
  }

  steps(step: number): void {
    this.step = step;
    if (currentTerminal().stderr.isTTY) this.show();
  }

  end(): void {
    this.status.end();
  }

  private show(): void {
    const { done, options, step, text } = this;
    const { epochs, firstEpoch, firstStep } = options;
    const perEpoch = (performance.now() - this.began) / Math.max(1, done - firstEpoch);
    const left = done > firstEpoch && done < epochs ? `  at most ${duration(perEpoch * (epochs - done))} left` : "";
    const rate = step > firstStep ? `  ${count(Math.round(this.speed.stepsPerSecond))} steps/s` : "";
    this.status.show(
      done / epochs,
      `epoch ${String(done).padStart(String(epochs).length)}/${epochs}${text}${rate}${left}`,
    );
  }
}
