/** Layers without parameters: activation, dropout, flatten, reshape. */
import { TilegradError } from "../../errors.ts";
import { showType } from "../../graph/apply.ts";
import { sizeOf } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { reshape as reshapeTensor } from "../../ops/core/view.ts";
import { dropout as drop } from "../../ops/random/random.ts";
import type { OptionsOf } from "../../options.ts";
import { none, show } from "../../options.ts";
import type { ActivationName } from "../activations.ts";
import { activate, activationKind } from "../activations.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";

const activationOptions = () => ({
  /** What becomes of each number; of softmax and logSoftmax, over the last axis. */
  activation: is.required(activationKind),
});

export interface ActivationOptions extends OptionsOf<typeof activationOptions>, LayerOptions {}

/** An activation function as a layer. */
export const activation = /* @__PURE__ */ defineLayer(
  "activation",
  activationOptions,
  (activation: ActivationName) => ({ activation }),
  ({ activation }: ActivationOptions) =>
    (x) =>
      activate(activation, x),
);

const dropoutOptions = () => ({
  /** Share of what is dropped, in [0, 1). */
  rate: is.required(is.fraction),
});

export interface DropoutOptions extends OptionsOf<typeof dropoutOptions>, LayerOptions {}

/** In training, zeroes each element with probability `rate` and scales the rest by 1 / (1 - rate). */
export const dropout = /* @__PURE__ */ defineLayer(
  "dropout",
  dropoutOptions,
  (rate: number) => ({ rate }),
  ({ rate }: DropoutOptions) =>
    (x, context) =>
      context.training && rate > 0 ? drop(x, rate, { stream: context.stream() }) : x,
);

/** [batch, ...] -> [batch, features], row-major. */
export const flatten = /* @__PURE__ */ defineLayer(
  "flatten",
  none,
  none,
  (_: LayerOptions) => (x) => reshapeTensor(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
);

const reshapeOptions = () => ({
  /** Without the batch; one dimension may be -1. */
  shape: is.required(is.numberList),
});

export interface ReshapeOptions extends OptionsOf<typeof reshapeOptions>, LayerOptions {}

/** [batch, ...] -> [batch, ...shape]. */
export const reshape = /* @__PURE__ */ defineLayer(
  "reshape",
  reshapeOptions,
  (shape: readonly number[]) => ({ shape }),
  (options: ReshapeOptions) => {
    const { shape } = options;
    if (
      !shape.every((n) => Number.isInteger(n) && (n > 0 || n === -1)) ||
      shape.indexOf(-1) !== shape.lastIndexOf(-1)
    ) {
      throw new TilegradError(
        "E_ARGUMENT",
        `reshape: got shape ${show(shape)}; expected positive integers, at most one -1 among them.`,
      );
    }
    return (x) => {
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
    };
  },
);
