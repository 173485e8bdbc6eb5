/** Layers that join several inputs of a functional model. */
import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { concat } from "../../ops/core/concat.ts";
import { constant } from "../../ops/core/constant.ts";
import { maximum as larger, mul, sub, add as sum } from "../../ops/core/elementwise.ts";
import type { OptionsOf, Schema } from "../../options.ts";
import { none } from "../../options.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import { maskOf, withMask } from "../mask.ts";

type Join = (inputs: readonly Tensor[]) => Tensor;

/**
 * A step counts where it does in any input, as in Keras; inputs one after the other in time keep theirs. No input that joins in
 * has padding unless each has a mask, so one without makes all steps count.
 */
function joinedMask(inputs: readonly Tensor[], axis = -1): Tensor | undefined {
  const masks = inputs.map(maskOf);
  const { length: rank } = inputs[0].shape;
  if (masks.every((mask) => mask === undefined)) return undefined;
  const kept = masks.map((mask, k) => mask ?? constant(1, inputs[k].shape.slice(0, 2)));
  if (axis === 1 || axis === 1 - rank) return concat(kept, 1);
  return masks.includes(undefined) ? undefined : kept.reduce(larger);
}

const merging = <S extends Schema, O extends OptionsOf<S>>(
  type: string,
  options: () => S,
  join: (options: O) => Join,
) =>
  defineLayer(
    type,
    options,
    none,
    (given: O & LayerOptions) =>
      (_, { inputs }) => {
        if (inputs.length < 2)
          throw new TilegradError("E_ARGUMENT", `${type}: got ${inputs.length} input; expected two or more.`);
        return withMask(join(given)(inputs), joinedMask(inputs, (given as ConcatenateOptions).axis));
      },
    { merges: true },
  );

/** Of inputs of one shape; an axis of 1 stretches. */
const elementwise = (type: string, join: Join) =>
  merging(type, none, (_: LayerOptions) => (inputs) => {
    const { length: rank } = inputs[0].shape;
    const most = inputs[0].shape.map((_, d) => Math.max(...inputs.map((x) => x.shape[d])));
    if (inputs.some((x) => x.shape.length !== rank || x.shape.some((n, d) => n !== most[d] && n !== 1))) {
      throw new TilegradError(
        "E_SHAPE",
        `${type}: got ${inputs.map(showType).join(", ")}; expected one shape, or axes of 1.`,
      );
    }
    return join(inputs);
  });

/** The sum of its inputs, all of one shape; what a residual connection ends in. */
export const add = /* @__PURE__ */ elementwise("add", (inputs) => inputs.reduce(sum));

/** The first input minus the second. */
export const subtract = /* @__PURE__ */ elementwise("subtract", (inputs) => {
  if (inputs.length === 2) return sub(inputs[0], inputs[1]);
  throw new TilegradError("E_ARGUMENT", `subtract: got ${inputs.length} inputs; expected two.`);
});

/** The product of its inputs. */
export const multiply = /* @__PURE__ */ elementwise("multiply", (inputs) => inputs.reduce(mul));

/** The mean of its inputs. */
export const average = /* @__PURE__ */ elementwise("average", (inputs) => mul(inputs.reduce(sum), 1 / inputs.length));

/** The largest of its inputs, element by element. */
export const maximum = /* @__PURE__ */ elementwise("maximum", (inputs) => inputs.reduce(larger));

const concatenateOptions = () => ({
  /** Default -1, the last; 0 is the batch and not allowed. */
  axis: is.number,
});

export interface ConcatenateOptions extends OptionsOf<typeof concatenateOptions>, LayerOptions {}

/** Its inputs one after the other along an axis; the other axes agree. */
export const concatenate = /* @__PURE__ */ merging(
  "concatenate",
  concatenateOptions,
  ({ axis = -1 }: ConcatenateOptions) =>
    (inputs) => {
      const { length: rank } = inputs[0].shape;
      if (!Number.isInteger(axis) || axis === 0 || axis === -rank || axis >= rank || axis < -rank) {
        throw new TilegradError(
          "E_ARGUMENT",
          `concatenate: got axis ${axis}; expected one of ${showType(inputs[0])} but the batch.`,
        );
      }
      return concat(inputs, axis);
    },
);
