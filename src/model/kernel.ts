/** What dense layers and convolutions share: a kernel, a bias and an activation. */
import type { Tensor } from "../graph/types.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { activate, activationKind } from "./activations.ts";
import { initializerKind } from "./initializers.ts";
import type { LayerContext } from "./layer.ts";
import { regularizerKind } from "./layer.ts";

export const kernelOptions = () => ({
  /** Default linear. */
  activation: activationKind,
  /** Default true. */
  useBias: is.boolean,
  /** Default glorotUniform. */
  kernelInitializer: initializerKind,
  /** Default zeros. For a rare positive class: `{ constant: Math.log(positives / negatives) }`. */
  biasInitializer: initializerKind,
  /** Default none. */
  kernelRegularizer: regularizerKind,
  /** Default none. */
  biasRegularizer: regularizerKind,
});

export interface KernelOptions extends OptionsOf<typeof kernelOptions> {}

export const kernelOf = (context: LayerContext, shape: readonly number[], options: KernelOptions): Tensor =>
  context.parameter("kernel", shape, {
    initializer: options.kernelInitializer ?? "glorotUniform",
    regularizer: options.kernelRegularizer,
  });

export function biasOf(
  context: LayerContext,
  units: number,
  { useBias = true, ...options }: KernelOptions,
): Tensor | undefined {
  if (!useBias) return undefined;
  return context.parameter("bias", [units], {
    initializer: options.biasInitializer ?? "zeros",
    regularizer: options.biasRegularizer,
  });
}

export const activated = (y: Tensor, { activation = "linear" }: KernelOptions): Tensor => activate(activation, y);
