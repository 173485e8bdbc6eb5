/**
 * Optimizers as graph over flat arenas: all parameters p, all gradients g and every slot are one f32 vector each, so an
 * update is one kernel. PyTorch's semantics and names of hyper-parameters in camelCase.
 */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { sum } from "../ops/core/broadcast.ts";
import { add, clip, div, maximum, minimum, mul, sqrt, square, sub } from "../ops/core/elementwise.ts";
import type { OptionsOf, Schema } from "../options.ts";
import { defineMaker, none } from "../options.ts";
import { jsonOf } from "./json.ts";
import type { Schedule } from "./schedules.ts";
import { learningRateKind, toSchedule } from "./schedules.ts";

const optimizerOptions = () => ({
  /** Default 0.001 (adam, adamW), else 0.01. */
  learningRate: learningRateKind,
  /** Adds weightDecay * p to the gradient (AdamW: decays p itself by learningRate * weightDecay). Default 0; AdamW: 0.01. */
  weightDecay: is.nonNegativeFinite,
  /** Limits each gradient element to [-clipValue, clipValue]; default: none is limited. */
  clipValue: is.positive,
  /** Scales all gradients together so that their norm is at most this; default: they are not. */
  clipNorm: is.positive,
});

export interface OptimizerOptions extends OptionsOf<typeof optimizerOptions> {}

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
  /** Gradients must be smaller; default Infinity. Beyond it what the update makes of them, such as their squares, overflows f32. */
  readonly gradientLimit?: number;
  /** Numbers of step t = 1, 2, ...; in f64 because WGSL's pow is too coarse for bias corrections. */
  scalars(t: number, rate: number): Readonly<Record<string, number>>;
  /** The next p and slots. */
  update(call: UpdateCall): { readonly p: Tensor; readonly slots: Readonly<Record<string, Tensor>> };
}

/** What is an optimizer's own. */
type Rule = Pick<Optimizer, "slots" | "update"> & Partial<Pick<Optimizer, "scalars" | "gradientLimit">>;

/** What squares to an infinite f32. */
const SQUARE_LIMIT = 2 ** 64;

/** @param defaults a learning rate, and what else is not 0 where nothing is said; they are saved, too */
const defineOptimizer = <S extends Schema, O extends OptimizerOptions & OptionsOf<S>>(
  type: string,
  options: () => S,
  defaults: OptimizerOptions & { readonly learningRate: number },
  make: (options: O) => Rule,
) =>
  defineMaker(type, options, none, (said: O): Optimizer => {
    const given = { ...defaults, ...said };
    const { learningRate, clipValue, clipNorm } = given;
    const schedule = toSchedule(learningRate);
    const scalars: Optimizer["scalars"] = (_, rate) => ({ rate });
    return { type, config: jsonOf(options(), given), schedule, clipValue, clipNorm, scalars, ...make(given) };
  });

const decayed = (g: Tensor, p: Tensor, weightDecay: number): Tensor =>
  weightDecay === 0 ? g : add(g, mul(p, weightDecay));
/** beta * old + (1 - beta) * value */
const average = (old: Tensor, value: Tensor, beta: number): Tensor => add(mul(old, beta), mul(value, 1 - beta));

const sgdOptions = () => ({
  ...optimizerOptions(),
  /** Default 0. */
  momentum: is.fraction,
  /** Looks ahead by the momentum; default false. */
  nesterov: is.boolean,
  /** Of what the velocity takes in; default 0. */
  dampening: is.nonNegativeFinite,
});

export interface SgdOptions extends OptionsOf<typeof sgdOptions> {}

/** p -= rate * g; with momentum v = mu v + (1 - dampening) g (first v = g), p -= rate * v (Nesterov: g + mu v). Rate 0.01. */
export const sgd = /* @__PURE__ */ defineOptimizer(
  "sgd",
  sgdOptions,
  { learningRate: 0.01 },
  ({ momentum = 0, nesterov = false, dampening = 0, weightDecay = 0 }: SgdOptions): Rule => {
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new TilegradError(
        "E_ARGUMENT",
        `sgd: got nesterov with momentum ${momentum}, dampening ${dampening}; it needs momentum, undamped.`,
      );
    }
    return {
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
    };
  },
);

/** Squares of gradients below it are subnormal, which some devices read as 0: what it divides by there must not vanish. */
const LEAST_EPSILON = 2 ** -63;
const leastEpsilon: Kind<number> = {
  expected: "a finite number of at least 2^-63 (1.1e-19)",
  holds: (v) => is.finite.holds(v) && Number(v) >= LEAST_EPSILON,
};

const adamOptions = () => ({
  ...optimizerOptions(),
  /** Default 0.9. */
  beta1: is.fraction,
  /** Default 0.999. */
  beta2: is.fraction,
  /** Default 1e-8. */
  epsilon: leastEpsilon,
  /** Divides by the largest second moment so far (Reddi et al. 2018); default false. */
  amsgrad: is.boolean,
});

export interface AdamOptions extends OptionsOf<typeof adamOptions> {}

const adamRule =
  (decoupled: boolean) =>
  ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false, weightDecay = 0 }: AdamOptions): Rule => ({
    gradientLimit: SQUARE_LIMIT,
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

/** Adam (Kingma and Ba 2015): p -= rate * mhat / (sqrt(vhat) + epsilon). Rate 0.001. */
export const adam = /* @__PURE__ */ defineOptimizer(
  "adam",
  adamOptions,
  { learningRate: 0.001 },
  (given: AdamOptions) => adamRule(false)(given),
);

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019): p *= 1 - rate * weightDecay first. Decay 0.01. */
export const adamW = /* @__PURE__ */ defineOptimizer(
  "adamW",
  adamOptions,
  { learningRate: 0.001, weightDecay: 0.01 },
  (given: AdamOptions) => adamRule(true)(given),
);

const rmspropOptions = () => ({
  ...optimizerOptions(),
  /** Decay of the squared average, PyTorch's alpha, Keras's rho; default 0.99. */
  alpha: is.fraction,
  /** Default 1e-8. */
  epsilon: leastEpsilon,
  /** Default 0. */
  momentum: is.fraction,
  /** Subtracts the squared mean of the gradient; default false. */
  centered: is.boolean,
});

export interface RmspropOptions extends OptionsOf<typeof rmspropOptions> {}

/** v = alpha v + (1 - alpha) g^2, p -= rate * g / (sqrt(v) + epsilon) (Tieleman and Hinton 2012). Rate 0.01. */
export const rmsprop = /* @__PURE__ */ defineOptimizer(
  "rmsprop",
  rmspropOptions,
  { learningRate: 0.01 },
  ({ alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false, weightDecay = 0 }: RmspropOptions) => ({
    gradientLimit: SQUARE_LIMIT,
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
  }),
);

const adagradOptions = () => ({
  ...optimizerOptions(),
  /** Default 1e-10. */
  epsilon: leastEpsilon,
  /** rate / (1 + (t - 1) rateDecay); default 0. */
  rateDecay: is.nonNegativeFinite,
  /** Default 0. */
  initialAccumulator: is.nonNegativeFinite,
});

export interface AdagradOptions extends OptionsOf<typeof adagradOptions> {}

/** s += g^2, p -= rate * g / (sqrt(s) + epsilon) (Duchi et al. 2011). Rate 0.01. */
export const adagrad = /* @__PURE__ */ defineOptimizer(
  "adagrad",
  adagradOptions,
  { learningRate: 0.01 },
  ({ epsilon = 1e-10, rateDecay = 0, initialAccumulator = 0, weightDecay = 0 }: AdagradOptions) => ({
    gradientLimit: SQUARE_LIMIT,
    slots: { accumulator: initialAccumulator },
    scalars: (t, rate) => ({ rate: rate / (1 + (t - 1) * rateDecay) }),
    update({ p, g: raw, slots, scalar }) {
      const g = decayed(raw, p, weightDecay);
      const accumulator = add(slots.accumulator, square(g));
      return { p: sub(p, mul(div(g, add(sqrt(accumulator), epsilon)), scalar("rate"))), slots: { accumulator } };
    },
  }),
);

/**
 * What gradients must be smaller than for clipping and the optimizer to compute with them: the squares of `size` of them are
 * added up for a norm. Values that are limited first may have any size.
 */
export function gradientLimitOf(
  { clipValue, clipNorm, gradientLimit = Number.POSITIVE_INFINITY }: Optimizer,
  size: number,
): number {
  if (clipValue !== undefined) return Number.POSITIVE_INFINITY;
  return clipNorm === undefined
    ? gradientLimit
    : Math.min(gradientLimit, SQUARE_LIMIT / 2 ** Math.ceil(Math.log2(size) / 2));
}

/** Gradients limited by value, then by global norm: min(1, clipNorm / (norm + 1e-6)) as in PyTorch. */
export function clipGradients(g: Tensor, { clipValue, clipNorm }: Pick<Optimizer, "clipValue" | "clipNorm">): Tensor {
  const limited = clipValue === undefined ? g : clip(g, -clipValue, clipValue);
  if (clipNorm === undefined) return limited;
  return mul(limited, minimum(div(clipNorm, add(sqrt(sum(square(limited))), 1e-6)), 1));
}
