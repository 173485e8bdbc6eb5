/**
 * Optimizers as graph over flat arenas: all parameters p, all gradients g and every slot are one f32 vector each, so an
 * update is one kernel. PyTorch's semantics and names of hyper-parameters in camelCase.
 */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import { sum } from "../ops/core/broadcast.ts";
import { add, clip, div, maximum, minimum, mul, sqrt, square, sub } from "../ops/core/elementwise.ts";
import type { OptionKinds } from "../options.ts";
import { checkOptions } from "../options.ts";
import type { LearningRate, Schedule } from "./schedules.ts";
import { toSchedule } from "./schedules.ts";

export interface OptimizerOptions {
  readonly learningRate?: LearningRate;
  /** Adds weightDecay * p to the gradient (AdamW: decays p itself by learningRate * weightDecay). */
  readonly weightDecay?: number;
  /** Limits each gradient element to [-clipValue, clipValue]. */
  readonly clipValue?: number;
  /** Scales all gradients together so that their norm is at most this. */
  readonly clipNorm?: number;
}

export interface UpdateCall {
  readonly p: Tensor;
  readonly g: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
  /** A per-step scalar that `scalars` gives. */
  readonly scalar: (name: string) => Tensor;
}

export interface Optimizer {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
  readonly schedule: Schedule;
  readonly clipValue: number | undefined;
  readonly clipNorm: number | undefined;
  /** Names of the slots and the value each starts with. */
  readonly slots: Readonly<Record<string, number>>;
  /** Numbers of step t = 1, 2, ...; in f64 because WGSL's pow is too coarse for bias corrections. */
  scalars(t: number, rate: number): Readonly<Record<string, number>>;
  /** The next p and slots. */
  update(call: UpdateCall): { readonly p: Tensor; readonly slots: Readonly<Record<string, Tensor>> };
}

const common = {
  learningRate: "any",
  weightDecay: "nonNegativeFinite",
  clipValue: "positive",
  clipNorm: "positive",
} as const;
const ofAdam = {
  ...common,
  beta1: "fraction",
  beta2: "fraction",
  epsilon: "nonNegativeFinite",
  amsgrad: "boolean",
} as const satisfies OptionKinds<AdamOptions>;
const kinds = {
  sgd: {
    ...common,
    momentum: "fraction",
    nesterov: "boolean",
    dampening: "nonNegativeFinite",
  } as const satisfies OptionKinds<SgdOptions>,
  adam: ofAdam,
  adamW: ofAdam,
  rmsprop: {
    ...common,
    alpha: "fraction",
    epsilon: "nonNegativeFinite",
    momentum: "fraction",
    centered: "boolean",
  } as const satisfies OptionKinds<RmspropOptions>,
  adagrad: {
    ...common,
    epsilon: "nonNegativeFinite",
    rateDecay: "nonNegativeFinite",
    initialAccumulator: "nonNegativeFinite",
  } as const satisfies OptionKinds<AdagradOptions>,
};

/** The options of an optimizer. @throws E_ARGUMENT */
const checked = <O extends OptimizerOptions>(type: keyof typeof kinds, options: O): O =>
  checkOptions(type, options, kinds[type]);

/** @param options checked */
function define(
  type: keyof typeof kinds,
  options: OptimizerOptions,
  defaultRate: number,
  rest: Pick<Optimizer, "slots" | "update"> & { scalars?: Optimizer["scalars"] },
): Optimizer {
  const config = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as Record<string, Json>;
  const { learningRate = defaultRate, clipValue, clipNorm } = options;
  const schedule = toSchedule(learningRate);
  config.learningRate = typeof learningRate === "number" ? learningRate : { type: schedule.type, ...schedule.config };
  return { type, config, schedule, clipValue, clipNorm, scalars: (_, rate) => ({ rate }), ...rest };
}

const decayed = (g: Tensor, p: Tensor, weightDecay: number): Tensor =>
  weightDecay === 0 ? g : add(g, mul(p, weightDecay));
/** beta * old + (1 - beta) * value */
const average = (old: Tensor, value: Tensor, beta: number): Tensor => add(mul(old, beta), mul(value, 1 - beta));

export interface SgdOptions extends OptimizerOptions {
  /** Default 0. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly dampening?: number;
}

/** p -= rate * g; with momentum v = mu v + (1 - dampening) g (first v = g), p -= rate * v (Nesterov: g + mu v). Rate 0.01. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, dampening = 0, weightDecay = 0 } = checked("sgd", options);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `sgd: got nesterov with momentum ${momentum}, dampening ${dampening}; it needs momentum, undamped.`,
    );
  }
  return define("sgd", options, 0.01, {
    slots: momentum === 0 ? {} : { velocity: 0 },
    // The first step is not damped.
    scalars: (t, rate): Readonly<Record<string, number>> =>
      dampening === 0 ? { rate } : { rate, intake: t === 1 ? 1 : 1 - dampening },
    update({ p, g: raw, slots, scalar }): ReturnType<Optimizer["update"]> {
      const g = decayed(raw, p, weightDecay);
      if (momentum === 0) return { p: sub(p, mul(g, scalar("rate"))), slots: {} };
      const velocity = add(mul(slots.velocity, momentum), dampening === 0 ? g : mul(g, scalar("intake")));
      const step = nesterov ? add(g, mul(velocity, momentum)) : velocity;
      return { p: sub(p, mul(step, scalar("rate"))), slots: { velocity } };
    },
  });
}

export interface AdamOptions extends OptimizerOptions {
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Divides by the largest second moment so far (Reddi et al. 2018). */
  readonly amsgrad?: boolean;
}

/** Adam (Kingma and Ba 2015): p -= rate * mhat / (sqrt(vhat) + epsilon). Rate 0.001. */
export const adam = (options: AdamOptions = {}): Optimizer => adamLike("adam", options, 0);

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019): p *= 1 - rate * weightDecay first. Decay 0.01. */
export const adamW = (options: AdamOptions = {}): Optimizer => adamLike("adamW", options, 1);

function adamLike(type: "adam" | "adamW", options: AdamOptions, decoupled: 0 | 1): Optimizer {
  checked(type, options);
  const given = decoupled ? { ...options, weightDecay: options.weightDecay ?? 0.01 } : options;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false, weightDecay = 0 } = given;
  return define(type, given, 0.001, {
    slots: { m: 0, v: 0, ...(amsgrad ? { vMax: 0 } : {}) },
    scalars: (t, rate) => ({
      stepSize: rate / (1 - beta1 ** t),
      correction2: 1 / Math.sqrt(1 - beta2 ** t),
      ...(decoupled && weightDecay > 0 ? { keep: 1 - rate * weightDecay } : {}),
    }),
    update({ p, g: raw, slots, scalar }) {
      const g = decoupled ? raw : decayed(raw, p, weightDecay);
      const kept = decoupled && weightDecay > 0 ? mul(p, scalar("keep")) : p;
      const m = average(slots.m, g, beta1);
      const v = average(slots.v, square(g), beta2);
      const vMax = amsgrad ? maximum(slots.vMax, v) : null;
      const root = add(mul(sqrt(vMax ?? v), scalar("correction2")), epsilon);
      return { p: sub(kept, mul(div(m, root), scalar("stepSize"))), slots: { m, v, ...(vMax ? { vMax } : {}) } };
    },
  });
}

export interface RmspropOptions extends OptimizerOptions {
  /** Decay of the squared average, PyTorch's alpha, Keras's rho; default 0.99. */
  readonly alpha?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Subtracts the squared mean of the gradient. */
  readonly centered?: boolean;
}

/** v = alpha v + (1 - alpha) g^2, p -= rate * g / (sqrt(v) + epsilon) (Tieleman and Hinton 2012). Rate 0.01. */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false, weightDecay = 0 } = checked("rmsprop", options);
  return define("rmsprop", options, 0.01, {
    slots: { v: 0, ...(centered ? { mean: 0 } : {}), ...(momentum > 0 ? { velocity: 0 } : {}) },
    update({ p, g: raw, slots, scalar }) {
      const g = decayed(raw, p, weightDecay);
      const v = average(slots.v, square(g), alpha);
      const mean = centered ? average(slots.mean, g, alpha) : null;
      // Rounding may leave v - mean^2 a hair below 0.
      const spread = mean ? maximum(sub(v, square(mean)), 0) : v;
      const step = div(g, add(sqrt(spread), epsilon));
      const velocity = momentum > 0 ? add(mul(slots.velocity, momentum), step) : null;
      return {
        p: sub(p, mul(velocity ?? step, scalar("rate"))),
        slots: { v, ...(mean ? { mean } : {}), ...(velocity ? { velocity } : {}) },
      };
    },
  });
}

export interface AdagradOptions extends OptimizerOptions {
  /** Default 1e-10. */
  readonly epsilon?: number;
  /** rate / (1 + (t - 1) rateDecay); default 0. */
  readonly rateDecay?: number;
  /** Default 0. */
  readonly initialAccumulator?: number;
}

/** s += g^2, p -= rate * g / (sqrt(s) + epsilon) (Duchi et al. 2011). Rate 0.01. */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { epsilon = 1e-10, rateDecay = 0, initialAccumulator = 0, weightDecay = 0 } = checked("adagrad", options);
  return define("adagrad", options, 0.01, {
    slots: { accumulator: initialAccumulator },
    scalars: (t, rate) => ({ rate: rate / (1 + (t - 1) * rateDecay) }),
    update({ p, g: raw, slots, scalar }) {
      const g = decayed(raw, p, weightDecay);
      const accumulator = add(slots.accumulator, square(g));
      return { p: sub(p, mul(div(g, add(sqrt(accumulator), epsilon)), scalar("rate"))), slots: { accumulator } };
    },
  });
}

/** Gradients limited by value, then by global norm: min(1, clipNorm / (norm + 1e-6)) as in PyTorch. */
export function clipGradients(g: Tensor, { clipValue, clipNorm }: Pick<Optimizer, "clipValue" | "clipNorm">): Tensor {
  const limited = clipValue === undefined ? g : clip(g, -clipValue, clipValue);
  if (clipNorm === undefined) return limited;
  return mul(limited, minimum(div(clipNorm, add(sqrt(sum(square(limited))), 1e-6)), 1));
}
