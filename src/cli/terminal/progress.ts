/** The lines that say how an experiment goes. */
import type { Observer, Progress } from "../../experiment/observer.ts";
import { count, currentTerminal, duration, plural, print, Status } from "./terminal.ts";

type Fit = Extract<Progress, { type: "fit" }>;

/** What shows the progress of one experiment. */
export function experimentProgress(quiet: boolean): Observer["onProgress"] {
  if (quiet) return undefined;
  const status = new Status();
  let line: FitLine | null = null;
  return (progress) => {
    switch (progress.type) {
      case "fit":
        begin(progress);
        line = new FitLine(status, progress);
        break;
      case "epoch":
        line?.epoch(progress);
        break;
      case "steps":
        line?.steps(progress.step);
        break;
      case "fitted":
        status.end();
        break;
      case "threshold": {
        const { fold, folds } = progress;
        if (fold === null) status.end();
        else status.show((fold - 1) / folds, `threshold: fold ${fold} of ${folds}`);
        break;
      }
      case "fold":
        break;
      default:
        progress satisfies never;
    }
  };
}

function begin({ refit, resumed, epochs, firstEpoch }: Fit): void {
  if (refit) print(`Once more for ${plural(epochs, "epoch")}, with the validation rows (--refit)`);
  if (resumed) print(`Going on after epoch ${firstEpoch} of the checkpoint.`);
}

class FitLine {
  private readonly status: Status;
  private readonly fit: Fit;
  private readonly began = performance.now();
  private done: number;
  private step: number;
  private text = "";

  constructor(status: Status, fit: Fit) {
    this.status = status;
    this.fit = fit;
    this.done = fit.firstEpoch;
    this.step = fit.firstStep;
  }

  epoch({ epoch, logs, best }: Extract<Progress, { type: "epoch" }>): void {
    const { monitor } = this.fit;
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

  private show(): void {
    const { done, fit, step, text, began } = this;
    const { epochs, firstEpoch, firstStep } = fit;
    const ms = performance.now() - began;
    const perEpoch = ms / Math.max(1, done - firstEpoch);
    const left = done > firstEpoch && done < epochs ? `  at most ${duration(perEpoch * (epochs - done))} left` : "";
    const perSecond = ((step - firstStep) * 1000) / Math.max(1, ms);
    const rate = step > firstStep ? `  ${count(Math.round(perSecond))} steps/s` : "";
    const at = `epoch ${String(done).padStart(String(epochs).length)}/${epochs}`;
    this.status.show(done / epochs, `${at}${text}${rate}${left}`);
  }
}
