import { TilegradError } from "../../errors.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import { showType } from "../../ops/op.ts";
import type { ActivationName } from "../activations.ts";
import { activate } from "../activations.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerOptions, Regularizer } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

export interface DenseOptions extends LayerOptions {
  readonly units: number;
  readonly activation?: ActivationName;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default glorotUniform. */
  readonly kernelInitializer?: Initializer;
  /** Default zeros. For a rare positive class: `{ constant: Math.log(positives / negatives) }`. */
  readonly biasInitializer?: Initializer;
  readonly kernelRegularizer?: Regularizer;
  readonly biasRegularizer?: Regularizer;
}

/** x [batch, ..., inputs] -> activation(x · kernel [inputs, units] + bias [units]), [batch, ..., units]. */
export function dense(units: number, options?: Omit<DenseOptions, "units">): Layer;
export function dense(options: DenseOptions): Layer;
export function dense(first: number | DenseOptions, rest?: Omit<DenseOptions, "units">): Layer {
  const options = layerOptions<DenseOptions>("dense", ["units"], first, rest);
  const { units, activation = "linear", useBias = true } = options;
  return layer("dense", options, (x, context) => {
    if (x.shape.length < 2) {
      throw new TilegradError("E_SHAPE", `dense: got ${showType(x)}; expected [batch, ..., features].`);
    }
    const inputs = x.shape[x.shape.length - 1];
    const kernel = context.parameter("kernel", [inputs, units], {
      initializer: options.kernelInitializer ?? "glorotUniform",
      regularizer: options.kernelRegularizer,
    });
    if (!useBias) return activate(activation, matmul(x, kernel));
    const bias = context.parameter("bias", [units], {
      initializer: options.biasInitializer ?? "zeros",
      regularizer: options.biasRegularizer,
    });
    return activate(activation, linear(x, kernel, bias));
  });
}
