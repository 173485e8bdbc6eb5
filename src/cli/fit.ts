/** Training with progress, early stopping, checkpoints and Ctrl-C. */
import path from "node:path";
import type { Command } from "commander";
import { Option } from "commander";
import { TilegradError } from "../errors.ts";
import { encodeCheckpoint } from "../io/checkpoint.ts";
import type { Callback } from "../train/callbacks.ts";
import { checkpoint, earlyStopping, reduceOnPlateau } from "../train/callbacks.ts";
import type { Data } from "../train/data.ts";
import type { Trainer } from "../train/trainer.ts";
import { interruptible } from "./interrupt.ts";
import { makeFolder } from "./output.ts";
import { count, duration, print, Status } from "./terminal.ts";
import { number } from "./values.ts";

export interface FitSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly earlyStopping: number;
  readonly monitor: string;
  readonly reduceOnPlateau?: number;
  readonly checkpoint?: number;
  readonly resume: boolean;
}

export interface Fitted {
  /** The epoch (from 0) whose weights were taken, and the monitored value there; null without early stopping. */
  readonly best: { readonly epoch: number; readonly value: number } | null;
  readonly stepsPerSecond: number;
}

const whole = (min: number): ((text: string) => number) => number({ min, integer: true });
const MONITORS = ["valPrAuc", "valRocAuc", "valF1", "valLoss", "loss"];

export function addFitOptions(command: Command): Command {
  return command
    .optionsGroup("Training:")
    .option("--epochs <n>", "at most", whole(1), 200)
    .option("--batch <rows>", "rows of a step", whole(1), 128)
    .option("--early-stopping <epochs>", "without improvement, then the best weights are taken; 0 is off", whole(0), 20)
    .addOption(new Option("--monitor <name>", "what must improve").choices(MONITORS).default("valPrAuc"))
    .option("--reduce-on-plateau <epochs>", "without improvement, then a tenth of the learning rate", whole(1))
    .option("--checkpoint <epochs>", "save to OUT/checkpoint every so many epochs, and on Ctrl-C", whole(1))
    .option("--resume", "go on from OUT/checkpoint, to the bits of an uninterrupted run", false);
}

/** Trains to the end, or until Ctrl-C. @throws Interrupted */
export async function fitWithProgress(
  trainer: Trainer,
  data: { readonly train: Data; readonly validation: Data | null },
  settings: FitSettings & { readonly out: string; readonly quiet: boolean },
): Promise<Fitted> {
  const { epochs, batch, out, quiet } = settings;
  const folder = path.join(out, "checkpoint");
  const { callbacks, stopping } = makeCallbacks(trainer, settings, folder, data.validation !== null);
  if (settings.resume) {
    await trainer.restoreCheckpoint(folder, callbacks);
    if (!quiet) print(`Resuming after epoch ${trainer.cursor?.epoch ?? 0}.`);
  }
  const progress = new Progress(settings, trainer.step);
  const stopped = async (): Promise<string> => {
    if (settings.checkpoint === undefined) return "Nothing was saved; with --checkpoint N it can be resumed.";
    await makeFolder(out);
    await trainer.saveCheckpoint(folder, callbacks);
    return `The run was saved in ${folder}; the same command with --resume goes on from there.`;
  };
  await interruptible(async (signal) => {
    const options = { epochs, batchSize: batch, callbacks, signal, ...(data.validation ? { validation: data.validation } : {}) };
    try {
      for await (const event of trainer.run(data.train, options)) {
        if (event.type === "epoch") progress.epoch(event.epoch, event.logs, stopping?.best ?? null);
        else progress.steps(event.step);
      }
    } finally {
      progress.end();
    }
  }, stopped);
  return { best: stopping?.best ?? null, stepsPerSecond: progress.rate };
}

function makeCallbacks(
  trainer: Trainer,
  settings: FitSettings & { readonly out: string },
  folder: string,
  validated: boolean,
): { callbacks: Callback[]; stopping?: ReturnType<typeof earlyStopping> } {
  const { monitor, earlyStopping: patience, reduceOnPlateau: plateau, checkpoint: every } = settings;
  if (!validated && plateau !== undefined && monitor !== "loss") {
    throw new TilegradError("E_ARGUMENT", `--reduce-on-plateau: there are no validation rows for ${monitor}.`, {
      hint: "Add --monitor loss, or a --validation share above 0.",
    });
  }
  const stopping = patience > 0 && (validated || monitor === "loss") ? earlyStopping({ monitor, patience }) : undefined;
  const callbacks: Callback[] = [
    ...(stopping ? [stopping] : []),
    ...(plateau === undefined ? [] : [reduceOnPlateau({ monitor, patience: plateau })]),
  ];
  if (every !== undefined) {
    const save: Parameters<typeof checkpoint>[0]["save"] = async (state) => {
      await makeFolder(settings.out);
      await trainer.device.files.publish(folder, encodeCheckpoint(state));
    };
    callbacks.push(checkpoint({ every, save }));
  }
  return { callbacks, ...(stopping ? { stopping } : {}) };
}

/** Says how training goes. */
class Progress {
  private readonly status: Status;
  private readonly epochs: number;
  private readonly monitor: string;
  private readonly firstStep: number;
  private began = 0;
  private firstEpoch = -1;
  private done = 0;
  private lastStep: number;
  private text = "";

  constructor({ quiet, epochs, monitor }: FitSettings & { readonly quiet: boolean }, step: number) {
    this.status = new Status({ quiet });
    this.epochs = epochs;
    this.monitor = monitor;
    this.firstStep = step;
    this.lastStep = step;
    this.began = performance.now();
  }

  /** Steps per second so far. */
  get rate(): number {
    return ((this.lastStep - this.firstStep) * 1000) / Math.max(1, performance.now() - this.began);
  }

  epoch(epoch: number, logs: Readonly<Record<string, number>>, best: { epoch: number; value: number } | null): void {
    if (this.firstEpoch < 0) this.firstEpoch = epoch;
    this.done = epoch + 1;
    const watched = this.monitor === "loss" ? undefined : logs[this.monitor];
    const metric = watched === undefined ? "" : `  ${this.monitor} ${watched.toFixed(4)}`;
    const mark = best ? (best.epoch === epoch ? " (best)" : ` (best ${best.value.toFixed(4)})`) : "";
    this.text = `loss ${logs.loss.toFixed(4)}${metric}${mark}`;
    this.show(epoch + 1);
  }

  steps(step: number): void {
    this.lastStep = step;
    if (process.stderr.isTTY) this.show(this.done);
  }

  end(): void {
    this.status.end();
  }

  private show(done: number): void {
    const width = String(this.epochs).length;
    const each = (performance.now() - this.began) / Math.max(1, done - Math.max(0, this.firstEpoch));
    const left = done > 0 && done < this.epochs ? `  at most ${duration(each * (this.epochs - done))} left` : "";
    const rate = this.lastStep > this.firstStep ? `  ${count(Math.round(this.rate))} steps/s` : "";
    this.status.show(done / this.epochs, `epoch ${String(done).padStart(width)}/${this.epochs}  ${this.text}${rate}${left}`);
  }
}
