/** Layers without parameters: activation, dropout, flatten, reshape. */
import { TilegradError } from "../../errors.ts";
import { sizeOf } from "../../graph/types.ts";
import { reshape as reshapeTensor } from "../../ops/core/view.ts";
import { showType } from "../../ops/op.ts";
import { dropout as drop } from "../../ops/random/random.ts";
import { show } from "../../options.ts";
import type { ActivationName } from "../activations.ts";
import { activate } from "../activations.ts";
import type { Layer, LayerOptions } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

export interface ActivationOptions extends LayerOptions {
  readonly activation: ActivationName;
}

/** An activation function as a layer. */
export function activation(
  first: ActivationName | ActivationOptions,
  rest?: Omit<ActivationOptions, "activation">,
): Layer {
  const options = layerOptions<ActivationOptions>("activation", ["activation"], first, rest);
  return layer("activation", options, (x) => activate(options.activation, x));
}

export interface DropoutOptions extends LayerOptions {
  readonly rate: number;
}

/** In training, zeroes each element with probability `rate` and scales the rest by 1 / (1 - rate). */
export function dropout(first: number | DropoutOptions, rest?: Omit<DropoutOptions, "rate">): Layer {
  const options = layerOptions<DropoutOptions>("dropout", ["rate"], first, rest);
  const { rate } = options;
  return layer("dropout", options, (x, context) =>
    context.training && rate > 0 ? drop(x, rate, { stream: context.stream() }) : x,
  );
}

/** [batch, ...] -> [batch, features], row-major. */
export function flatten(given?: LayerOptions): Layer {
  const options = layerOptions("flatten", [], given);
  return layer("flatten", options, (x) => reshapeTensor(x, [x.shape[0], sizeOf(x.shape.slice(1))]));
}

export interface ReshapeOptions extends LayerOptions {
  /** Without the batch; one dimension may be -1. */
  readonly shape: readonly number[];
}

/** [batch, ...] -> [batch, ...shape]. */
export function reshape(first: readonly number[] | ReshapeOptions, rest?: Omit<ReshapeOptions, "shape">): Layer {
  const options = layerOptions<ReshapeOptions>("reshape", ["shape"], first, rest);
  const { shape } = options;
  if (!shape.every((n) => Number.isInteger(n) && (n > 0 || n === -1)) || shape.indexOf(-1) !== shape.lastIndexOf(-1)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `reshape: got shape ${show(shape)}; expected positive integers, at most one -1 among them.`,
    );
  }
  return layer("reshape", options, (x) => {
    const known = sizeOf(shape.filter((n) => n !== -1));
    const features = sizeOf(x.shape.slice(1));
    const fits = shape.includes(-1) ? features % known === 0 : features === known;
    if (!fits) {
      throw new TilegradError(
        "E_SHAPE",
        `reshape: got ${showType(x)}; its ${features} features do not fill [${shape}].`,
      );
    }
    return reshapeTensor(x, [x.shape[0], ...shape]);
  });
}
