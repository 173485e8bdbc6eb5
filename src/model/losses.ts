/**
 * Losses for classifiers, as graph. Each gives one loss per example from the model's output; class and sample weights, the
 * reduction and the gradient are the same for all. Every form is finite at logits of +-1e4.
 */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Json } from "../io/json.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { sum } from "../ops/core/broadcast.ts";
import { cast } from "../ops/core/cast.ts";
import { iota } from "../ops/core/constant.ts";
import {
  add,
  clip,
  div,
  equal,
  exp,
  greater,
  log,
  maximum,
  mul,
  neg,
  sigmoid,
  softplus,
  square,
  sub,
  where,
} from "../ops/core/elementwise.ts";
import { logSoftmax, mean, softmax } from "../ops/core/reduce.ts";
import { reshape } from "../ops/core/view.ts";
import type { OptionsOf, Schema } from "../options.ts";
import { defineMaker, none } from "../options.ts";
import { binaryWeight, checkClasses, checkWeights, oneLabel } from "./classWeight.ts";
import { unsquash } from "./squash.ts";

/** `mean`: sum(w l) / N (Keras). `weightedMean`: sum(w l) / sum(w) (scikit-learn). */
export type Reduction = "mean" | "sum" | "weightedMean";

const lossOptions = () => ({
  /**
   * Weight of each class, e.g. { 0: 1, 1: 10 }, or a list with one for each; default 1. Where rows have one label each, which is
   * a yes above 0.5 but for class numbers.
   */
  classWeight: is.anything as Kind<Readonly<Record<number, number>>>,
  /** Default mean. */
  reduction: is.oneOf("mean", "sum", "weightedMean") as Kind<Reduction>,
});

export interface LossOptions extends OptionsOf<typeof lossOptions> {}

export interface Loss {
  readonly type: string;
  readonly config: Readonly<Record<string, Json>>;
  readonly reduction: Reduction;
  /** The least and the greatest label there may be, or that one label a row is a class number; default: any number. */
  readonly labels?: readonly [number, number] | "classes";
  /** output [batch, ...] and target [batch, ...] -> unweighted loss [batch]. */
  perExample(output: Tensor, target: Tensor): Tensor;
  /** target -> weight [batch], or null when all are 1. */
  weight(target: Tensor): Tensor | null;
  /** The model's output as scores: probabilities where the loss works on logits. */
  scores(output: Tensor): Tensor;
}

/**
 * What the loss of a batch is: per-example losses times weights, reduced.
 * @param sampleWeight [batch] or null
 */
export function reduceLoss(loss: Loss, output: Tensor, target: Tensor, sampleWeight: Tensor | null): Tensor {
  return batchLoss(loss, output, target, sampleWeight).value;
}

/**
 * The same in training, where a batch may have weights that are all 0: with `weightedMean` it has no loss, is recorded as 0 and
 * does not count.
 */
export function trainingLoss(
  loss: Loss,
  output: Tensor,
  target: Tensor,
  sampleWeight: Tensor | null,
): { readonly value: Tensor; readonly counts: Tensor | null } {
  return batchLoss(loss, output, target, sampleWeight, (weights) => where(greater(weights, 0), weights, 1));
}

function batchLoss(
  loss: Loss,
  output: Tensor,
  target: Tensor,
  sampleWeight: Tensor | null,
  divisor = (weights: Tensor): Tensor => weights,
): { readonly value: Tensor; readonly counts: Tensor | null } {
  const losses = loss.perExample(output, target);
  const classWeight = loss.weight(target);
  const weight = classWeight && sampleWeight ? mul(classWeight, sampleWeight) : (classWeight ?? sampleWeight);
  const total = sum(weight ? mul(losses, weight) : losses);
  switch (loss.reduction) {
    case "sum":
      return { value: total, counts: null };
    case "mean":
      return { value: mul(total, 1 / losses.shape[0]), counts: null };
    case "weightedMean": {
      if (!weight) return { value: mul(total, 1 / losses.shape[0]), counts: null };
      const weights = sum(weight);
      return { value: div(total, divisor(weights)), counts: greater(weights, 0) };
    }
    default:
      return loss.reduction satisfies never;
  }
}

/** What is a loss's own; the weight of a row is by default that of its yes/no label. */
type Form = Pick<Loss, "scores" | "perExample"> & Partial<Pick<Loss, "weight">>;

/** @param labels of a yes/no question [0, 1], or of several classes; undefined: any numbers */
const defineLoss = <S extends Schema, O extends LossOptions & OptionsOf<S>>(
  type: string,
  options: () => S,
  labels: Loss["labels"],
  make: (options: O) => Form,
) =>
  defineMaker(type, options, none, (given: O): Loss => {
    const { classWeight, reduction = "mean" } = given;
    const weights = classWeight && checkWeights(type, classWeight, labels === "classes" ? Infinity : 2);
    const config = weights ? { ...given, classWeight: weights } : given;
    const range = labels ? { labels } : {};
    const weight = binaryWeight(type, weights);
    return { ...range, type, config: config as Record<string, Json>, reduction, weight, ...make(config) };
  });

/** Those of a yes/no question. */
const YES_NO = [0, 1] as const;

/** One number an example: [batch] or [batch, 1], the same for output and target. */
function perExampleShape(name: string, output: Tensor, target: Tensor): { z: Tensor; y: Tensor; batch: number } {
  const batch = output.shape[0];
  if (sizeOf(output.shape) !== batch || sizeOf(target.shape) !== batch) {
    throw new TilegradError(
      "E_SHAPE",
      `${name}: output ${showType(output)}, target ${showType(target)}; expected [batch, 1] for both.`,
      { hint: "End the model with dense(1), or use softmaxCrossentropy for several classes." },
    );
  }
  return { z: reshape(output, [batch]), y: reshape(target, [batch]), batch };
}

const logitOf = (output: Tensor): Tensor | null => unsquash(output)?.logits ?? null;

const probability = (output: Tensor): Tensor => (logitOf(output) ? output : sigmoid(output));

const binaryCrossentropyOptions = () => ({
  ...lossOptions(),
  /** Factor on the loss of positives; default 1. */
  posWeight: is.nonNegativeFinite,
  /** Targets become y (1 - s) + s / 2; default 0. */
  labelSmoothing: is.fraction,
  /**
   * `logits` (default): the output is a logit; a final sigmoid is undone, so that nothing is lost to rounding.
   * `clamp`: the output is a probability, limited to [epsilon, 1 - epsilon] (Keras; epsilon 1e-7).
   * `epsilonInLog`: -[y log(p + epsilon) + (1 - y) log(1 - p + epsilon)] (epsilon 1e-8).
   */
  form: is.oneOf("logits", "clamp", "epsilonInLog"),
  /** In (0, 0.5). In `clamp`, 1 - epsilon is at most 1 - 2^-24, the f32 before 1. */
  epsilon: { expected: "a number in (0, 0.5)", holds: (v) => is.positive.holds(v) && Number(v) < 0.5 } as Kind<number>,
});

export interface BinaryCrossentropyOptions extends OptionsOf<typeof binaryCrossentropyOptions> {}

/** -[w y log p + (1 - y) log(1 - p)] */
export const binaryCrossentropy = /* @__PURE__ */ defineLoss(
  "binaryCrossentropy",
  binaryCrossentropyOptions,
  YES_NO,
  ({ posWeight = 1, labelSmoothing = 0, form = "logits", ...given }: BinaryCrossentropyOptions) => {
    const { epsilon = form === "clamp" ? 1e-7 : 1e-8 } = given;
    const most = Math.min(1 - epsilon, 1 - 2 ** -24);
    const smooth = (y: Tensor): Tensor =>
      labelSmoothing === 0 ? y : add(mul(y, 1 - labelSmoothing), labelSmoothing / 2);
    return {
      scores: form === "logits" ? probability : (output) => output,
      perExample(output, target) {
        const logits = form === "logits" ? (logitOf(output) ?? output) : output;
        const { z, y: label } = perExampleShape("binaryCrossentropy", logits, target);
        const y = smooth(label);
        // y softplus(-z) + (1 - y) softplus(z): no cancellation on either side.
        if (form === "logits") return add(mul(mul(y, posWeight), softplus(neg(z))), mul(sub(1, y), softplus(z)));
        const [p, q] =
          form === "clamp"
            ? [clip(z, epsilon, most), sub(1, clip(z, epsilon, most))]
            : // The maximum keeps drivers from folding (1 - p) + epsilon into (1 + epsilon) - p, which is 0 at p = 1.
              [add(z, epsilon), add(maximum(sub(1, z), 0), epsilon)];
        return neg(add(mul(mul(y, posWeight), log(p)), mul(sub(1, y), log(q))));
      },
    };
  },
);

const focalOptions = () => ({
  ...lossOptions(),
  /** Default 2. */
  gamma: is.nonNegativeFinite,
  /** Weight of positives (1 - alpha for negatives); null: none. Default 0.25. */
  alpha: { expected: "[0, 1] or null", holds: (v) => v === null || is.share.holds(v) } as Kind<number | null>,
});

export interface FocalOptions extends OptionsOf<typeof focalOptions> {}

/** -a_t (1 - p_t)^gamma log p_t from logits (Lin et al. 2017). */
export const focal = /* @__PURE__ */ defineLoss(
  "focal",
  focalOptions,
  YES_NO,
  ({ gamma = 2, alpha = 0.25 }: FocalOptions) => ({
    scores: probability,
    perExample(output, target) {
      const { z, y } = perExampleShape("focal", logitOf(output) ?? output, target);
      // With t = +-1, log p_t = -softplus(-t z) and (1 - p_t)^gamma = e^(-gamma softplus(t z)).
      const tz = mul(sub(mul(y, 2), 1), z);
      const loss = mul(exp(mul(softplus(tz), -gamma)), softplus(neg(tz)));
      return alpha === null ? loss : mul(loss, where(greater(y, 0.5), alpha, 1 - alpha));
    },
  }),
);

/** max(0, 1 - t z), t = 2 y - 1 */
export const hinge = /* @__PURE__ */ defineLoss("hinge", lossOptions, YES_NO, (_: LossOptions) => ({
  scores: probability,
  perExample: (output, target) => margin("hinge", output, target),
}));

/** max(0, 1 - t z)^2 */
export const squaredHinge = /* @__PURE__ */ defineLoss("squaredHinge", lossOptions, YES_NO, (_: LossOptions) => ({
  scores: probability,
  perExample: (output, target) => square(margin("squaredHinge", output, target)),
}));

function margin(name: string, output: Tensor, target: Tensor): Tensor {
  const { z, y } = perExampleShape(name, output, target);
  return maximum(sub(1, mul(sub(mul(y, 2), 1), z)), 0);
}

const meanSquaredErrorOptions = () => ({
  ...lossOptions(),
  /** `output` (default): on the output itself. `probability`: on sigmoid(output). */
  on: is.oneOf("output", "probability"),
});

export interface MeanSquaredErrorOptions extends OptionsOf<typeof meanSquaredErrorOptions> {}

/** (output - y)^2, the mean over an example's outputs; no factor 1/2. */
export const meanSquaredError = /* @__PURE__ */ defineLoss(
  "meanSquaredError",
  meanSquaredErrorOptions,
  undefined,
  ({ on = "output" }: MeanSquaredErrorOptions) => {
    const scores = on === "output" ? (output: Tensor): Tensor => output : probability;
    return {
      scores,
      perExample(output, target) {
        const batch = output.shape[0];
        if (sizeOf(output.shape) !== sizeOf(target.shape)) {
          throw new TilegradError(
            "E_SHAPE",
            `meanSquaredError: output ${showType(output)}, target ${showType(target)}; expected equal sizes.`,
          );
        }
        const error = square(sub(reshape(scores(output), [batch, -1]), reshape(target, [batch, -1])));
        return error.shape[1] === 1 ? reshape(error, [batch]) : mean(error, { axes: 1 });
      },
    };
  },
);

const softmaxCrossentropyOptions = () => ({
  ...lossOptions(),
  /** Targets become (1 - s) onehot + s / C; default 0. */
  labelSmoothing: is.fraction,
});

export interface SoftmaxCrossentropyOptions extends OptionsOf<typeof softmaxCrossentropyOptions> {}

/** -sum_c y_c log softmax(z)_c from logits [batch, C]; targets are class numbers [batch] or probabilities [batch, C]. */
export const softmaxCrossentropy = /* @__PURE__ */ defineLoss(
  "softmaxCrossentropy",
  softmaxCrossentropyOptions,
  "classes",
  ({ labelSmoothing = 0, classWeight }: SoftmaxCrossentropyOptions) => {
    const probabilities = (target: Tensor, classes: number): Tensor => {
      const [batch] = target.shape;
      if (sizeOf(target.shape) === batch * classes && classes > 1) return reshape(target, [batch, classes]);
      if (sizeOf(target.shape) !== batch) {
        throw new TilegradError(
          "E_SHAPE",
          `softmaxCrossentropy: got target ${showType(target)}; expected class numbers [batch] or [batch, ${classes}].`,
        );
      }
      return equal(reshape(target, [batch, 1]), reshape(cast(iota(classes), "f32"), [1, classes]));
    };
    const weight = (target: Tensor): Tensor | null => {
      if (!classWeight) return null;
      const classes = Object.keys(classWeight).map(Number);
      const label = oneLabel("softmaxCrossentropy", target);
      return classes.reduce<Tensor>((w, c) => where(equal(label, c), classWeight[c], w), add(mul(label, 0), 1));
    };
    return {
      weight,
      scores: (output) => (unsquash(output) ? output : softmax(output)),
      perExample(output, target) {
        if (output.shape.length !== 2) {
          throw new TilegradError(
            "E_SHAPE",
            `softmaxCrossentropy: got output ${showType(output)}; expected [batch, classes].`,
          );
        }
        const classes = output.shape[1];
        if (classWeight) checkClasses("softmaxCrossentropy", classWeight, classes);
        const y = probabilities(target, classes);
        const smooth = labelSmoothing === 0 ? y : add(mul(y, 1 - labelSmoothing), labelSmoothing / classes);
        return neg(sum(mul(smooth, logSoftmax(logitOf(output) ?? output)), { axes: 1 }));
      },
    };
  },
);
