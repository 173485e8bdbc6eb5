/** Layers that join several inputs of a functional model. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import { concat } from "../../ops/core/concat.ts";
import { maximum as larger, mul, sub, add as sum } from "../../ops/core/elementwise.ts";
import { showType } from "../../ops/op.ts";
import type { Layer, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

function merging(type: string, options: LayerOptions | undefined, join: (inputs: readonly Tensor[]) => Tensor): Layer {
  return {
    ...layer(type, layerOptions(type, [], options), (_, { inputs }) => {
      if (inputs.length < 2)
        throw new TilegradError("E_ARGUMENT", `${type}: got ${inputs.length} input; expected two or more.`);
      return join(inputs);
    }),
    merges: true,
  };
}

/** Of inputs of one shape; an axis of 1 stretches. */
function elementwise(
  type: string,
  options: LayerOptions | undefined,
  join: (inputs: readonly Tensor[]) => Tensor,
): Layer {
  return merging(type, options, (inputs) => {
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
}

/** The sum of its inputs, all of one shape; what a residual connection ends in. */
export const add = (options?: LayerOptions): Layer => elementwise("add", options, (inputs) => inputs.reduce(sum));

/** The first input minus the second. */
export const subtract = (options?: LayerOptions): Layer =>
  elementwise("subtract", options, (inputs) => {
    if (inputs.length === 2) return sub(inputs[0], inputs[1]);
    throw new TilegradError("E_ARGUMENT", `subtract: got ${inputs.length} inputs; expected two.`);
  });

/** The product of its inputs. */
export const multiply = (options?: LayerOptions): Layer =>
  elementwise("multiply", options, (inputs) => inputs.reduce(mul));

/** The mean of its inputs. */
export const average = (options?: LayerOptions): Layer =>
  elementwise("average", options, (inputs) => mul(inputs.reduce(sum), 1 / inputs.length));

/** The largest of its inputs, element by element. */
export const maximum = (options?: LayerOptions): Layer =>
  elementwise("maximum", options, (inputs) => inputs.reduce(larger));

export interface ConcatenateOptions extends LayerOptions {
  /** Default -1, the last; 0 is the batch and not allowed. */
  readonly axis?: number;
}

/** Its inputs one after the other along an axis; the other axes agree. */
export function concatenate(given?: ConcatenateOptions): Layer {
  const options = layerOptions<ConcatenateOptions>("concatenate", [], given);
  const { axis = -1 } = options;
  return merging("concatenate", options, (inputs) => {
    const { length: rank } = inputs[0].shape;
    if (!Number.isInteger(axis) || axis === 0 || axis === -rank || axis >= rank || axis < -rank) {
      throw new TilegradError(
        "E_ARGUMENT",
        `concatenate: got axis ${axis}; expected one of ${showType(inputs[0])} but the batch.`,
      );
    }
    return concat(inputs, axis);
  });
}
