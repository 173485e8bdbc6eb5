/** The layer of a recurrent cell: all time steps in one dispatch forward and one backward. */
import { TilegradError } from "../errors.ts";
import { showType } from "../graph/apply.ts";
import type { Tensor } from "../graph/types.ts";
import { sameShape } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { slice } from "../ops/core/slice.ts";
import { reshape } from "../ops/core/view.ts";
import { linear } from "../ops/matmul/linear.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import type { Recurrent } from "../ops/recurrent/recurrent.ts";
import type { OptionsOf, Schema } from "../options.ts";
import type { Initializer } from "./initializers.ts";
import { initializerKind } from "./initializers.ts";
import type { LayerContext, LayerOptions } from "./layer.ts";
import { defineLayer, regularizerKind } from "./layer.ts";
import { maskOf, withMask } from "./mask.ts";
import { expectRank } from "./rank.ts";

export const recurrentOptions = () => ({
  /** Numbers of a state. */
  units: is.required(is.positiveInteger),
  /** The state after every step, [batch, time, units], instead of the last, [batch, units]; default false. */
  returnSequences: is.boolean,
  /**
   * The states after the last step, each [batch, units], as outputs beside the first: h, and c of an LSTM. For functional
   * models, with `applyAll`; default false.
   */
  returnState: is.boolean,
  /** From the last step to the first. Sequences stay in the order of the input (Keras reverses them). Default false. */
  goBackwards: is.boolean,
  /** Default true. */
  useBias: is.boolean,
  /** Default glorotUniform. */
  kernelInitializer: initializerKind,
  /** Default orthogonal. */
  recurrentInitializer: initializerKind,
  /** Default zeros. */
  biasInitializer: initializerKind,
  /** Default none. */
  kernelRegularizer: regularizerKind,
  /** Default none. */
  recurrentRegularizer: regularizerKind,
  /** Default none. */
  biasRegularizer: regularizerKind,
});

export interface RecurrentLayerOptions extends OptionsOf<typeof recurrentOptions>, LayerOptions {}

/**
 * The layer of a cell, with weights in Keras's layout.
 * @param bias its initial bias
 */
export const recurrentLayer = <S extends Schema, O extends OptionsOf<S> & RecurrentLayerOptions>(
  cell: Recurrent,
  options: () => S,
  bias: (options: O) => Initializer = () => "zeros",
) =>
  defineLayer(
    cell.name,
    options,
    (units: number) => ({ units }),
    (given: O & LayerOptions) => (x, context) => {
      const { units, returnSequences = false, returnState = false, goBackwards = false } = given;
      const [batch, , features] = expectRank(cell.name, x, 3);
      const before = initialStates(cell, context.inputs.slice(1), [batch, units]);
      const weights = declare(context, features, given, cell, () => bias(given));
      const xz = weights.bias ? linear(x, weights.kernel, weights.bias) : matmul(x, weights.kernel);
      const mask = maskOf(x);
      const run = { states: before, bias: weights.recurrentBias, mask, goBackwards };
      const { y, states } = cell.run(xz, weights.recurrentKernel, run);
      const first = returnSequences ? withMask(y, mask) : states[0];
      return returnState ? [first, ...states] : first;
    },
    { merges: true },
  );

/** What a typed array can hold: no more could ever be drawn. */
const MOST_VALUES = 2 ** 33;

/** What the layer is applied to beside the sequence: the states before its first step. @throws E_SHAPE */
function initialStates(cell: Recurrent, given: readonly Tensor[], shape: readonly number[]): readonly Tensor[] {
  if (given.length > 0 && (given.length !== cell.states || !given.every((t) => sameShape(t.shape, shape)))) {
    const expected = `none, or ${["h0", "c0"].slice(0, cell.states).join(" and ")} [${shape.join(", ")}]`;
    throw new TilegradError(
      "E_SHAPE",
      `${cell.name}: got the initial states ${given.map(showType).join(", ")}; expected ${expected}.`,
    );
  }
  return given;
}

/**
 * Kernel [features, gates units], recurrent kernel [units, gates units], bias [gates units] or, where the recurrent product has
 * one of its own, [2, gates units].
 */
function declare(
  context: LayerContext,
  features: number,
  options: RecurrentLayerOptions,
  { name, gates, apart }: Recurrent,
  initialBias: () => Initializer,
): { kernel: Tensor; recurrentKernel: Tensor; bias?: Tensor; recurrentBias?: Tensor } {
  const { units, useBias = true } = options;
  const width = gates * units;
  if (!(units * width < MOST_VALUES)) {
    throw new TilegradError(
      "E_ARGUMENT",
      `${name}: got units ${units}, a recurrent kernel of ${units * width} values; expected fewer than ${MOST_VALUES}.`,
      { hint: "Use fewer units." },
    );
  }
  const kernel = context.parameter("kernel", [features, width], {
    initializer: options.kernelInitializer ?? "glorotUniform",
    regularizer: options.kernelRegularizer,
  });
  const recurrentKernel = context.parameter("recurrentKernel", [units, width], {
    initializer: options.recurrentInitializer ?? "orthogonal",
    regularizer: options.recurrentRegularizer,
  });
  if (!useBias) return { kernel, recurrentKernel };
  const bias = context.parameter("bias", apart ? [2, width] : [width], {
    initializer: options.biasInitializer ?? initialBias(),
    regularizer: options.biasRegularizer,
  });
  if (!apart) return { kernel, recurrentKernel, bias };
  const row = (k: number): Tensor => reshape(slice(bias, [k, 0], [1, width]), [width]);
  return { kernel, recurrentKernel, bias: row(0), recurrentBias: row(1) };
}
