/** Learning rates over time, computed in f64 on the host for each step. */
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import type { OptionKinds } from "../options.ts";
import { checkObject, checkOptions, show } from "../options.ts";

/** Where training stands. */
export interface ScheduleTime {
  /** Steps (updates) done before this one. */
  readonly step: number;
  readonly epoch: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
}

export interface Schedule {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
  rate(progress: ScheduleTime): number;
}

/** A number is a constant rate. */
export type LearningRate = number | Schedule;

/** Whether a schedule moves with each epoch (default) or with each step. */
export interface ScheduleOptions {
  readonly per?: "epoch" | "step";
  /** Epochs or steps the schedule spans; default: the whole of `fit`. */
  readonly total?: number;
}

const rate = { required: "nonNegativeFinite" } as const;
const common = { per: ["epoch", "step"], total: "positive" } as const;
const kinds = {
  constantRate: { rate },
  linearDecay: { start: rate, end: rate, endAt: ["last", "total"], ...common } as const satisfies OptionKinds<
    LinearDecayOptions & { start: number; end: number }
  >,
  stepDecay: {
    start: rate,
    size: { required: "positive" },
    gamma: "nonNegativeFinite",
    ...common,
  } as const satisfies OptionKinds<StepDecayOptions & { start: number }>,
  multiStepDecay: {
    start: rate,
    milestones: { required: "numberList" },
    gamma: "nonNegativeFinite",
    ...common,
  } as const satisfies OptionKinds<MultiStepDecayOptions & { start: number }>,
  exponentialDecay: {
    start: rate,
    gamma: { required: "nonNegativeFinite" },
    ...common,
  } as const satisfies OptionKinds<ExponentialDecayOptions & { start: number }>,
  cosineDecay: {
    base: rate,
    warmup: "nonNegativeFinite",
    minimum: "nonNegativeFinite",
    warmupFrom: ["zero", "nonzero"],
    ...common,
  } as const satisfies OptionKinds<CosineOptions & { base: number }>,
};

/** @param numbers what comes by place, and defaults @throws E_ARGUMENT */
function define<O extends object, N extends object>(
  type: keyof typeof kinds,
  numbers: N,
  options: O,
  rate: (config: N & O, i: number, total: number) => number,
): Schedule {
  checkObject(type, options, "an object of options");
  const said = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as O;
  const config: N & O & ScheduleOptions = checkOptions(type, { ...numbers, ...said }, kinds[type]);
  const { per = "epoch", total } = config;
  return {
    type,
    config: config as Record<string, Json>,
    rate: ({ step, epoch, stepsPerEpoch, epochs }) =>
      per === "epoch" ? rate(config, epoch, total ?? epochs) : rate(config, step, total ?? epochs * stepsPerEpoch),
  };
}

/** Always the same. @throws E_ARGUMENT */
export const constantRate = (rate: number): Schedule => define("constantRate", { rate }, {}, ({ rate }) => rate);

export interface LinearDecayOptions extends ScheduleOptions {
  /** `last` (default): the last epoch or step has the end rate. `total`: the one after the last has it (Keras, PyTorch). */
  readonly endAt?: "last" | "total";
}

/** start + (end - start) min(i / span, 1) @throws E_ARGUMENT */
export const linearDecay = (start: number, end: number, options: LinearDecayOptions = {}): Schedule =>
  define("linearDecay", { start, end }, options, ({ start, end, endAt = "last" }, i, total) => {
    const span = Math.max(1, endAt === "last" ? total - 1 : total);
    return start + (end - start) * Math.min(i / span, 1);
  });

export interface StepDecayOptions extends ScheduleOptions {
  /** Epochs or steps between drops. */
  readonly size: number;
  /** Default 0.1. */
  readonly gamma?: number;
}

/** start * gamma^floor(i / size) @throws E_ARGUMENT */
export const stepDecay = (start: number, options: StepDecayOptions): Schedule =>
  define<StepDecayOptions, { start: number; gamma: number }>(
    "stepDecay",
    { start, gamma: 0.1 },
    options,
    ({ start, size, gamma }, i) => start * gamma ** Math.floor(i / size),
  );

export interface MultiStepDecayOptions extends ScheduleOptions {
  /** Epochs or steps at which the rate drops. */
  readonly milestones: readonly number[];
  /** Default 0.1. */
  readonly gamma?: number;
}

/** start * gamma^(milestones reached) @throws E_ARGUMENT */
export const multiStepDecay = (start: number, options: MultiStepDecayOptions): Schedule =>
  define<MultiStepDecayOptions, { start: number; gamma: number }>(
    "multiStepDecay",
    { start, gamma: 0.1 },
    options,
    ({ start, milestones, gamma }, i) => start * gamma ** milestones.filter((m) => m <= i).length,
  );

export interface ExponentialDecayOptions extends ScheduleOptions {
  readonly gamma: number;
}

/** start * gamma^i @throws E_ARGUMENT */
export const exponentialDecay = (start: number, options: ExponentialDecayOptions): Schedule =>
  define("exponentialDecay", { start }, options, ({ start, gamma }, i) => start * gamma ** i);

export interface CosineOptions extends ScheduleOptions {
  /** Epochs or steps of linear warm-up; default 0. */
  readonly warmup?: number;
  /** The rate at the end; default 0. */
  readonly minimum?: number;
  /** `zero`: the first warm-up rate is 0. `nonzero` (default): it is base / warmup. */
  readonly warmupFrom?: "zero" | "nonzero";
}

/**
 * Linear warm-up to `base`, then half a cosine down to the minimum (Loshchilov and Hutter 2017, without restarts).
 * @throws E_ARGUMENT
 */
export const cosineDecay = (base: number, options: CosineOptions = {}): Schedule =>
  define("cosineDecay", { base }, options, ({ base, warmup = 0, minimum = 0, warmupFrom = "nonzero" }, i, total) => {
    if (i < warmup) return (base * (i + (warmupFrom === "nonzero" ? 1 : 0))) / warmup;
    const done = Math.min((i - warmup) / Math.max(1, total - warmup), 1);
    return minimum + ((base - minimum) * (1 + Math.cos(Math.PI * done))) / 2;
  });

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
