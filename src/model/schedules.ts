/** Learning rates over time, computed in f64 on the host for each step. */
import { TilegradError } from "../errors.ts";
import type { Json } from "../io/json.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf, Schema } from "../options.ts";
import { defineMaker, show } from "../options.ts";

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

/** Looked at by `toSchedule`. */
export const learningRateKind: Kind<LearningRate> = {
  ...is.anything,
  toJson: (rate) => (typeof rate === "number" ? rate : { type: rate.type, ...rate.config }),
};

const scheduleOptions = () => ({
  /** Whether it moves with each epoch (default) or with each step. */
  per: is.oneOf("epoch", "step"),
  /** Epochs or steps the schedule spans; default: the whole of `fit`. */
  total: is.positive,
});

export interface ScheduleOptions extends OptionsOf<typeof scheduleOptions> {}

const start = () => ({
  /** The rate at first. */
  start: is.required(is.nonNegativeFinite),
});

/**
 * @param rate of epoch or step i, of `total`
 * @param defaults what is saved, too, where nothing is said
 */
const defineSchedule = <S extends Schema, P extends unknown[], R extends object, O extends OptionsOf<S>>(
  type: string,
  options: () => S,
  places: (...given: P) => R,
  rate: (options: O, i: number, total: number) => number,
  defaults: object = {},
) =>
  defineMaker(type, options, places, (given: O & ScheduleOptions): Schedule => {
    const config = { ...defaults, ...given };
    const { per = "epoch", total } = config;
    return {
      type,
      config: config as Record<string, Json>,
      rate: ({ step, epoch, stepsPerEpoch, epochs }) =>
        per === "epoch" ? rate(config, epoch, total ?? epochs) : rate(config, step, total ?? epochs * stepsPerEpoch),
    };
  });

const constantRateOptions = () => ({
  /** Of every step. */
  rate: is.required(is.nonNegativeFinite),
});

/** Always the same. @throws E_ARGUMENT */
export const constantRate = /* @__PURE__ */ defineSchedule(
  "constantRate",
  constantRateOptions,
  (rate: number) => ({ rate }),
  ({ rate }: OptionsOf<typeof constantRateOptions>) => rate,
);

const linearDecayOptions = () => ({
  ...start(),
  /** The rate at the end. */
  end: is.required(is.nonNegativeFinite),
  /** `last` (default): the last epoch or step has the end rate. `total`: the one after the last has it (Keras, PyTorch). */
  endAt: is.oneOf("last", "total"),
  ...scheduleOptions(),
});

export interface LinearDecayOptions extends OptionsOf<typeof linearDecayOptions> {}

/** start + (end - start) min(i / span, 1) @throws E_ARGUMENT */
export const linearDecay = /* @__PURE__ */ defineSchedule(
  "linearDecay",
  linearDecayOptions,
  (start: number, end: number) => ({ start, end }),
  ({ start, end, endAt = "last" }: LinearDecayOptions, i, total) => {
    const span = Math.max(1, endAt === "last" ? total - 1 : total);
    return start + (end - start) * Math.min(i / span, 1);
  },
);

const stepDecayOptions = () => ({
  ...start(),
  /** Epochs or steps between drops. */
  size: is.required(is.positive),
  /** Default 0.1. */
  gamma: is.nonNegativeFinite,
  ...scheduleOptions(),
});

export interface StepDecayOptions extends OptionsOf<typeof stepDecayOptions> {}

/** start * gamma^floor(i / size) @throws E_ARGUMENT */
export const stepDecay = /* @__PURE__ */ defineSchedule(
  "stepDecay",
  stepDecayOptions,
  (start: number) => ({ start }),
  ({ start, size, gamma = 0.1 }: StepDecayOptions, i) => start * gamma ** Math.floor(i / size),
  { gamma: 0.1 },
);

const multiStepDecayOptions = () => ({
  ...start(),
  /** Epochs or steps at which the rate drops. */
  milestones: is.required(is.numberList),
  /** Default 0.1. */
  gamma: is.nonNegativeFinite,
  ...scheduleOptions(),
});

export interface MultiStepDecayOptions extends OptionsOf<typeof multiStepDecayOptions> {}

/** start * gamma^(milestones reached) @throws E_ARGUMENT */
export const multiStepDecay = /* @__PURE__ */ defineSchedule(
  "multiStepDecay",
  multiStepDecayOptions,
  (start: number) => ({ start }),
  ({ start, milestones, gamma = 0.1 }: MultiStepDecayOptions, i) =>
    start * gamma ** milestones.filter((m) => m <= i).length,
  { gamma: 0.1 },
);

const exponentialDecayOptions = () => ({
  ...start(),
  /** Of each epoch's or step's rate, in shares of the one before. */
  gamma: is.required(is.nonNegativeFinite),
  ...scheduleOptions(),
});

export interface ExponentialDecayOptions extends OptionsOf<typeof exponentialDecayOptions> {}

/** start * gamma^i @throws E_ARGUMENT */
export const exponentialDecay = /* @__PURE__ */ defineSchedule(
  "exponentialDecay",
  exponentialDecayOptions,
  (start: number) => ({ start }),
  ({ start, gamma }: ExponentialDecayOptions, i) => start * gamma ** i,
);

const cosineDecayOptions = () => ({
  /** The highest rate. */
  base: is.required(is.nonNegativeFinite),
  /** Epochs or steps of linear warm-up; default 0. */
  warmup: is.nonNegativeFinite,
  /** The rate at the end; default 0. */
  minimum: is.nonNegativeFinite,
  /** `zero`: the first warm-up rate is 0. `nonzero` (default): it is base / warmup. */
  warmupFrom: is.oneOf("zero", "nonzero"),
  ...scheduleOptions(),
});

export interface CosineOptions extends OptionsOf<typeof cosineDecayOptions> {}

/**
 * Linear warm-up to `base`, then half a cosine down to the minimum (Loshchilov and Hutter 2017, without restarts).
 * @throws E_ARGUMENT
 */
export const cosineDecay = /* @__PURE__ */ defineSchedule(
  "cosineDecay",
  cosineDecayOptions,
  (base: number) => ({ base }),
  ({ base, warmup = 0, minimum = 0, warmupFrom = "nonzero" }: CosineOptions, i, total) => {
    if (i < warmup) return (base * (i + (warmupFrom === "nonzero" ? 1 : 0))) / warmup;
    const done = Math.min((i - warmup) / Math.max(1, total - warmup), 1);
    return minimum + ((base - minimum) * (1 + Math.cos(Math.PI * done))) / 2;
  },
);

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
