/** The loss of a model with several outputs. */
import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { concat } from "../ops/core/concat.ts";
import { add, mul } from "../ops/core/elementwise.ts";
import { reshape } from "../ops/core/view.ts";
import { showType } from "../ops/op.ts";
import type { OptionKinds } from "../options.ts";
import { checkFields, checkOptions, isObject, show } from "../options.ts";
import type { Loss } from "./losses.ts";
import { columns } from "./squash.ts";

/** The loss of one output. */
export interface OutputLoss {
  readonly loss: Loss;
  /** Factor on this loss; default 1. */
  readonly weight?: number;
  /** Numbers that the output has in a row; default 1. */
  readonly units?: number;
  /** Labels that it has in a row of y; default `units`. 1 for class numbers with softmaxCrossentropy. */
  readonly targets?: number;
}

interface Listed {
  readonly losses: readonly OutputLoss[];
}

const OPTIONS = { losses: { required: "list" } } as const satisfies OptionKinds<Listed>;
const PART = {
  loss: "object",
  weight: "nonNegativeFinite",
  units: "positiveInteger",
  targets: "positiveInteger",
} as const satisfies OptionKinds<OutputLoss>;

/**
 * sum_k weight_k · loss_k, each on its own output and labels; a row of y holds the labels of all outputs, in their order.
 * Class weights and the reduction (`mean` or `sum`, the same everywhere) are those of the losses.
 * @throws E_ARGUMENT for no losses, weights below 0, reductions that differ or are `weightedMean`
 */
export function multiLoss(first: readonly OutputLoss[] | Listed): Loss {
  const losses = isObject(first) ? checkOptions("multiLoss", first as Listed, OPTIONS).losses : first;
  if (!Array.isArray(losses)) {
    throw new TilegradError("E_ARGUMENT", `multiLoss: got ${show(first)}; expected a list of { loss }.`);
  }
  for (const [i, part] of losses.entries()) {
    checkOptions(`multiLoss: [${i}]`, part, PART);
    checkFields(
      `multiLoss: [${i}].loss`,
      part.loss,
      { perExample: "function" },
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
        {
          hint: "Say how many numbers each output has: multiLoss([{ loss, units }]).",
        },
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
    config: {
      losses: losses.map(({ loss: { type, config }, weight, units, targets }) => ({
        loss: { type, config },
        ...(weight === undefined ? {} : { weight }),
        ...(units === undefined ? {} : { units }),
        ...(targets === undefined ? {} : { targets }),
      })),
    },
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
}
