import { TilegradError } from "../errors.ts";
import type { Tensor } from "../graph/types.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { elu, exp, gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "../ops/core/elementwise.ts";
import { logSoftmax, softmax } from "../ops/core/reduce.ts";

const functions = {
  linear: (x: Tensor): Tensor => x,
  relu,
  leakyRelu: (x: Tensor): Tensor => leakyRelu(x),
  elu: (x: Tensor): Tensor => elu(x),
  gelu: (x: Tensor): Tensor => gelu(x),
  geluTanh: (x: Tensor): Tensor => gelu(x, { approximate: "tanh" }),
  silu,
  softplus,
  sigmoid,
  tanh,
  exponential: exp,
  softmax: (x: Tensor): Tensor => softmax(x),
  logSoftmax: (x: Tensor): Tensor => logSoftmax(x),
} satisfies Record<string, (x: Tensor) => Tensor>;

/** leakyRelu has the negative slope 0.2; for another, use the op `leakyRelu` in a layer of your own. */
export type ActivationName = keyof typeof functions;

export const activationNames = Object.keys(functions) as ActivationName[];

export const activationKind: Kind<ActivationName> = is.oneOf(...activationNames);

/** @throws E_ARGUMENT for an unknown name. */
export function activate(name: ActivationName, x: Tensor): Tensor {
  if (!Object.hasOwn(functions, name)) {
    throw new TilegradError("E_ARGUMENT", `activation: got "${name}"; expected one of ${activationNames.join(", ")}.`);
  }
  if ((name === "softmax" || name === "logSoftmax") && x.shape.at(-1) === 1) {
    throw new TilegradError("E_ARGUMENT", `activation: got "${name}" over one unit, which is constant.`, {
      hint: 'Use "sigmoid" for a yes/no answer, or one unit for each class.',
    });
  }
  return functions[name](x);
}
