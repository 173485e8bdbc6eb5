/** Learning rates over time, computed in f64 on the host for each step. */
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import { show } from "../options.ts";

/** Where training stands. */
export interface Progress {
  /** Steps (updates) done before this one. */
  readonly step: number;
  readonly epoch: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

export interface Schedule {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
  rate(progress: Progress): number;
}

/** A number is a constant rate. */
export type LearningRate = number | Schedule;

/** Whether a schedule moves with each epoch (default) or with each step. */
export interface ScheduleOptions {
  readonly per?: "epoch" | "step";
  /** Epochs or steps the schedule spans; default: the whole of `fit`. */
  readonly total?: number;
}

function define(
  type: string,
  config: object,
  rate: (i: number, total: number) => number,
  { per = "epoch", total }: ScheduleOptions,
): Schedule {
  return {
    type,
    config: Object.fromEntries(Object.entries(config).filter(([, v]) => v !== undefined)) as Record<string, Json>,
    rate: ({ step, epoch, stepsPerEpoch, epochs }) =>
      per === "epoch" ? rate(epoch, total ?? epochs) : rate(step, total ?? epochs * stepsPerEpoch),
  };
}

export const constantRate = (rate: number): Schedule => define("constantRate", { rate }, () => rate, {});

export interface LinearDecayOptions extends ScheduleOptions {
  /** `last` (default): the last epoch or step has the end rate. `total`: the one after the last has it (Keras, PyTorch). */
  readonly endAt?: "last" | "total";
}

/** start + (end - start) min(i / span, 1) */
export function linearDecay(start: number, end: number, options: LinearDecayOptions = {}): Schedule {
  const { endAt = "last" } = options;
  return define(
    "linearDecay",
    { start, end, ...options },
    (i, total) => start + (end - start) * Math.min(i / Math.max(1, endAt === "last" ? total - 1 : total), 1),
    options,
  );
}

/** start * gamma^floor(i / size) */
export const stepDecay = (
  start: number,
  { size, gamma = 0.1, ...options }: { size: number; gamma?: number } & ScheduleOptions,
): Schedule =>
  define("stepDecay", { start, size, gamma, ...options }, (i) => start * gamma ** Math.floor(i / size), options);

/** start * gamma^(milestones reached) */
export const multiStepDecay = (
  start: number,
  { milestones, gamma = 0.1, ...options }: { milestones: readonly number[]; gamma?: number } & ScheduleOptions,
): Schedule =>
  define(
    "multiStepDecay",
    { start, milestones, gamma, ...options },
    (i) => start * gamma ** milestones.filter((m) => m <= i).length,
    options,
  );

/** start * gamma^i */
export const exponentialDecay = (start: number, { gamma, ...options }: { gamma: number } & ScheduleOptions): Schedule =>
  define("exponentialDecay", { start, gamma, ...options }, (i) => start * gamma ** i, options);

export interface CosineOptions extends ScheduleOptions {
  /** Epochs or steps of linear warm-up; default 0. */
  readonly warmup?: number;
  /** The rate at the end; default 0. */
  readonly minimum?: number;
  /** `zero`: the first warm-up rate is 0. `nonzero` (default): it is base / warmup. */
  readonly warmupFrom?: "zero" | "nonzero";
}

/** Linear warm-up to `base`, then half a cosine down to the minimum (Loshchilov and Hutter 2017, without restarts). */
export function cosineDecay(base: number, options: CosineOptions = {}): Schedule {
  const { warmup = 0, minimum = 0, warmupFrom = "nonzero" } = options;
  return define(
    "cosineDecay",
    { base, ...options },
    (i, total) => {
      if (i < warmup) return (base * (i + (warmupFrom === "nonzero" ? 1 : 0))) / warmup;
      const done = Math.min((i - warmup) / Math.max(1, total - warmup), 1);
      return minimum + ((base - minimum) * (1 + Math.cos(Math.PI * done))) / 2;
    },
    options,
  );
}

export function toSchedule(rate: LearningRate): Schedule {
  if (typeof Object(rate).rate === "function") return rate as Schedule;
  if (typeof rate !== "number" || !(rate >= 0 && Number.isFinite(rate))) {
    throw new TilegradError(
      "E_ARGUMENT",
      `learningRate: got ${show(rate)}; expected a finite number of at least 0, or a schedule.`,
    );
  }
  return constantRate(rate);
}

export interface PlateauOptions {
  readonly mode?: "min" | "max";
  readonly factor?: number;
  /** Bad values in a row that are put up with; the next one reduces the rate (PyTorch; Keras's patience is one more). */
  readonly patience?: number;
  readonly threshold?: number;
  readonly thresholdMode?: "rel" | "abs";
  readonly cooldown?: number;
  readonly minRate?: number;
  /** Smaller changes of the rate are not made. */
  readonly epsilon?: number;
}

/** The state machine behind reduce-on-plateau (PyTorch's ReduceLROnPlateau). */
export class Plateau {
  private readonly options: Required<PlateauOptions>;
  state: { best: number | null; bad: number; cooling: number } = { best: null, bad: 0, cooling: 0 };

  constructor(options: PlateauOptions = {}) {
    this.options = {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minRate: 0,
      epsilon: 1e-8,
      ...options,
    };
  }

  /** Forgets all values heard of. */
  reset(): void {
    this.state = { best: null, bad: 0, cooling: 0 };
  }

  /** The rate after hearing of a value. */
  next(value: number, rate: number): number {
    const { factor, patience, cooldown, minRate, epsilon } = this.options;
    const { state } = this;
    if (this.better(value)) {
      state.best = value;
      state.bad = 0;
    } else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    if (state.bad <= patience) return rate;
    state.cooling = cooldown;
    state.bad = 0;
    const reduced = Math.max(rate * factor, minRate);
    return rate - reduced > epsilon ? reduced : rate;
  }

  private better(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.state;
    if (best === null) return true;
    if (mode === "min") return value < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return value > (thresholdMode === "rel" ? best * (1 + threshold) : best + threshold);
  }
}
