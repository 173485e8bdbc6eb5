/**
 * Losses, optimizers, schedules and methods of resampling under the names that experiments have for them. These tables are all
 * that experiments know of them: which names there are, what each makes, and which options it takes.
 */
import { TilegradError } from "../errors.ts";
import type { Loss } from "../model/losses.ts";
import { binaryCrossentropy, focal, hinge, meanSquaredError, squaredHinge } from "../model/losses.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { adagrad, adam, adamW, rmsprop, sgd } from "../model/optimizers.ts";
import type { Schedule } from "../model/schedules.ts";
import { constantRate, cosineDecay, exponentialDecay, linearDecay, stepDecay } from "../model/schedules.ts";
import type { ResamplerName } from "../resample/methods.ts";

/** What a name stands for: something of the library, with some of its options set. */
interface Variant<M> {
  readonly make: M;
  /** What the name says. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Where they are not those of the library. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Options of an experiment that it takes, by what the library calls them. */
  readonly takes?: Readonly<Record<string, string>>;
}

type Makes<T> = Variant<(options: never) => T>;

interface LossVariant extends Makes<Loss> {
  /**
   * What scores are in the end. `probability`: the loss is least where they are true probabilities, but for weights and
   * resampling, which can be undone. `rank`: it is not. `margin`: not even in [0, 1] before they are squashed.
   */
  readonly scores: "probability" | "rank" | "margin";
}

const MARGIN = { scores: "margin" } as const;

export const LOSSES = {
  bce: {
    make: binaryCrossentropy,
    takes: { posWeight: "posWeight", labelSmoothing: "labelSmoothing" },
    scores: "probability",
  },
  focal: { make: focal, takes: { gamma: "gamma", alpha: "alpha" }, scores: "rank" },
  hinge: { make: hinge, ...MARGIN },
  squaredHinge: { make: squaredHinge, ...MARGIN },
  mse: { make: meanSquaredError, fixed: { on: "probability" }, scores: "probability" },
} as const satisfies Readonly<Record<string, LossVariant>>;

const MOMENTUM = { momentum: "momentum" };

export const OPTIMIZERS = {
  sgd: { make: sgd },
  momentum: { make: sgd, defaults: { momentum: 0.9 }, takes: MOMENTUM },
  nesterov: { make: sgd, fixed: { nesterov: true }, defaults: { momentum: 0.9 }, takes: MOMENTUM },
  adam: { make: adam },
  amsgrad: { make: adam, fixed: { amsgrad: true } },
  adamw: { make: adamW },
  rmsprop: { make: rmsprop, takes: MOMENTUM },
  adagrad: { make: adagrad },
} as const satisfies Readonly<Record<string, Makes<Optimizer>>>;

export const SCHEDULES = {
  constant: { make: constantRate, takes: { rate: "rate" } },
  linear: { make: linearDecay, defaults: { end: 0 }, takes: { rate: "start", endRate: "end" } },
  step: {
    make: stepDecay,
    defaults: { size: 10, gamma: 0.1 },
    takes: { rate: "start", decay: "gamma", decayEvery: "size" },
  },
  exponential: { make: exponentialDecay, defaults: { gamma: 0.95 }, takes: { rate: "start", decay: "gamma" } },
  cosine: {
    make: cosineDecay,
    defaults: { minimum: 0 },
    takes: { rate: "base", endRate: "minimum", warmup: "warmup" },
  },
} as const satisfies Readonly<Record<string, Makes<Schedule>>>;

const RATIO = { samplingStrategy: "samplingStrategy" };
const SMOTE = { ...RATIO, kNeighbors: "kNeighbors" };
const NEAR = { ...RATIO, kNeighbors: "nNeighbors" };

export const RESAMPLERS = {
  randomOverSampler: { make: "randomOverSampler", takes: { ...RATIO, shrinkage: "shrinkage" } },
  randomUnderSampler: { make: "randomUnderSampler", takes: RATIO },
  smote: { make: "smote", takes: SMOTE },
  smoteNC: { make: "smoteNC", takes: SMOTE },
  borderlineSmote: { make: "borderlineSmote", takes: SMOTE },
  borderlineSmote2: { make: "borderlineSmote", fixed: { kind: "borderline-2" }, takes: SMOTE },
  kMeansSmote: { make: "kMeansSmote", takes: SMOTE },
  adasyn: { make: "adasyn", takes: NEAR },
  tomekLinks: { make: "tomekLinks" },
  editedNearestNeighbours: { make: "editedNearestNeighbours", takes: { kNeighbors: "nNeighbors" } },
  smoteTomek: { make: "smoteTomek", takes: SMOTE },
  smoteEnn: { make: "smoteEnn", takes: SMOTE },
  nearMiss: { make: "nearMiss", takes: NEAR },
  nearMiss2: { make: "nearMiss", fixed: { version: 2 }, takes: NEAR },
  nearMiss3: { make: "nearMiss", fixed: { version: 3 }, takes: NEAR },
} as const satisfies Readonly<Record<string, Variant<ResamplerName>>>;

export const namesOf = <Table extends object>(table: Table) => Object.keys(table) as (keyof Table & string)[];

/** An option that the chosen kind of thing does not have is a mistake, not silence. */
export function refuse(given: Readonly<Record<string, unknown>>, what: string): void {
  const name = Object.keys(given).find((key) => given[key] !== undefined);
  if (name === undefined) return;
  throw new TilegradError("E_ARGUMENT", `\`${name}\`: ${what} has no such option.`, {
    hint: `Leave \`${name}\` out.`,
  });
}

/**
 * The options as the library calls them, with those that the name stands for.
 * @param what the variant is, for errors @throws E_ARGUMENT for one that it does not take
 */
export function variantOptions(
  { fixed, defaults, takes = {} }: Variant<unknown>,
  given: Readonly<Record<string, unknown>>,
  what: string,
): Readonly<Record<string, unknown>> {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  refuse(Object.fromEntries(said.filter(([name]) => !Object.hasOwn(takes, name))), what);
  return { ...defaults, ...Object.fromEntries(said.map(([name, value]) => [takes[name], value])), ...fixed };
}

/** @param common options that all of its kind take, by the same name */
export function makeVariant<T>(
  variant: Makes<T>,
  given: Readonly<Record<string, unknown>>,
  what: string,
  common: object = {},
): T {
  return variant.make({ ...common, ...variantOptions(variant, given, what) } as never);
}
