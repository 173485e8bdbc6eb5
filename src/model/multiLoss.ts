/** The loss of a model with several outputs. */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { concat } from "../ops/core/concat.ts";
import { add, mul } from "../ops/core/elementwise.ts";
import { reshape } from "../ops/core/view.ts";
import type { OptionsOf } from "../options.ts";
import { checkFields, checkOptions, defineMaker } from "../options.ts";
import { jsonOf } from "./json.ts";
import type { Loss } from "./losses.ts";
import { columns } from "./squash.ts";

const part = {
  loss: is.required<Loss>({ ...is.object, toJson: ({ type, config }) => ({ type, config }) }),
  /** Factor on this loss; default 1. */
  weight: is.nonNegativeFinite,
  /** Numbers that the output has in a row; default 1. */
  units: is.positiveInteger,
  /** Labels that it has in a row of y; default `units`. 1 for class numbers with softmaxCrossentropy. */
  targets: is.positiveInteger,
};

/** The loss of one output. */
export interface OutputLoss extends OptionsOf<typeof part> {}

const options = () => ({
  /** Of all outputs, in their order. */
  losses: is.required<readonly OutputLoss[]>({
    expected: "a list of { loss }",
    holds: Array.isArray,
    toJson: (losses) => losses.map((one) => jsonOf(part, one)),
    fromJson: (losses, make) =>
      Array.isArray(losses) ? losses.map((one) => ({ ...one, loss: make(one?.loss) })) : losses,
  }),
});

/**
 * sum_k weight_k · loss_k, each on its own output and labels; a row of y holds the labels of all outputs, in their order.
 * Class weights and the reduction (`mean` or `sum`, the same everywhere) are those of the losses.
 * @throws E_ARGUMENT for no losses, weights below 0, reductions that differ or are `weightedMean`
 */
export const multiLoss = /* @__PURE__ */ defineMaker(
  "multiLoss",
  options,
  (losses: readonly OutputLoss[]) => ({ losses }),
  (given: OptionsOf<typeof options>): Loss => {
    const { losses } = given;
    for (const [i, one] of losses.entries()) {
      checkOptions(`multiLoss: [${i}]`, one, part);
      checkFields(
        `multiLoss: [${i}].loss`,
        one.loss,
        { perExample: is.callable },
        "a loss, such as binaryCrossentropy()",
      );
    }
    const reduction = losses[0]?.loss.reduction;
    if (
      !losses.every(({ loss }) => loss.reduction === reduction && loss.reduction !== "weightedMean") ||
      losses.length === 0
    ) {
      const got = losses.map((l) => l.loss.reduction).join(", ");
      throw new TilegradError(
        "E_ARGUMENT",
        `multiLoss: got reductions ${got || "of no losses"}; expected all mean, or all sum.`,
      );
    }
    const parts = losses.map(({ loss, weight = 1, units = 1, targets = units }) => ({ loss, weight, units, targets }));
    const split = (what: string, x: Tensor, widths: readonly number[]): Tensor[] => {
      const [batch] = x.shape;
      const total = widths.reduce((n, w) => n + w);
      if (sizeOf(x.shape) !== batch * total) {
        throw new TilegradError(
          "E_SHAPE",
          `multiLoss: ${what} is ${showType(x)}; expected ${total} numbers a row ([${widths}]).`,
          { hint: "Say how many numbers each output has: multiLoss([{ loss, units }])." },
        );
      }
      let begin = 0;
      const flat = reshape(x, [batch, total]);
      return widths.map((width) => {
        begin += width;
        return columns(flat, begin - width, width);
      });
    };
    const outputsOf = (output: Tensor): Tensor[] =>
      split(
        "output",
        output,
        parts.map((p) => p.units),
      );
    return {
      type: "multiLoss",
      config: jsonOf(options(), given),
      reduction,
      perExample: (output, target) => {
        const outputs = outputsOf(output);
        const labels = split(
          "target",
          target,
          parts.map((p) => p.targets),
        );
        const terms = parts.map(({ loss, weight }, k) => {
          const each = loss.perExample(outputs[k], labels[k]);
          const classWeight = loss.weight(labels[k]);
          return mul(classWeight ? mul(each, classWeight) : each, weight);
        });
        return terms.reduce(add);
      },
      weight: () => null,
      scores: (output) => {
        const scores = outputsOf(output).map((y, k) => parts[k].loss.scores(y));
        return reshape(concat(scores, 1), output.shape);
      },
    };
  },
);
