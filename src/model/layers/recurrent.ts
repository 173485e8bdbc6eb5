/** LSTM, GRU and simple RNN: all time steps in one dispatch forward and one backward. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import { sameShape } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { constant } from "../../ops/core/constant.ts";
import { slice } from "../../ops/core/slice.ts";
import { reshape } from "../../ops/core/view.ts";
import { linear } from "../../ops/matmul/linear.ts";
import { matmul } from "../../ops/matmul/matmul.ts";
import { showType } from "../../ops/op.ts";
import { gru as gruOp } from "../../ops/recurrent/gru.ts";
import { lstm as lstmOp } from "../../ops/recurrent/lstm.ts";
import { simpleRnn as simpleRnnOp } from "../../ops/recurrent/simpleRnn.ts";
import type { OptionsOf, Schema } from "../../options.ts";
import type { Initializer } from "../initializers.ts";
import { initializerKind } from "../initializers.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer, regularizerKind } from "../layer.ts";
import { maskOf, withMask } from "../mask.ts";

const recurrentOptions = () => ({
  /** Numbers of the state. */
  units: is.required(is.positiveInteger),
  /** The state after every step, [batch, time, units], instead of the last, [batch, units]; default false. */
  returnSequences: is.boolean,
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
  kernelRegularizer: regularizerKind,
  recurrentRegularizer: regularizerKind,
  biasRegularizer: regularizerKind,
});

export interface RecurrentLayerOptions extends OptionsOf<typeof recurrentOptions>, LayerOptions {}

const lstmOptions = () => ({
  ...recurrentOptions(),
  /** Start the forget gates' bias at 1 (Jozefowicz et al. 2015) unless `biasInitializer` is given; default true. */
  unitForgetBias: is.boolean,
});

export interface LstmOptions extends OptionsOf<typeof lstmOptions>, LayerOptions {}

/** What runs a cell over projected inputs, and the shape of its weights. */
interface Cell {
  readonly gates: number;
  /** What it hands from step to step. */
  readonly states: readonly ("h0" | "c0")[];
  /** Default initial bias. */
  readonly bias: Initializer;
  /** Has a bias of its own in the recurrent product. */
  readonly recurrentBias?: true;
  readonly run: (xz: Tensor, kernel: Tensor, bias: Tensor, options: Run) => { readonly y: Tensor; readonly h: Tensor };
}

interface Run {
  readonly mask: Tensor | undefined;
  readonly goBackwards: boolean;
  readonly h0?: Tensor;
  readonly c0?: Tensor;
}

/** x [batch, time, features] through a cell whose weights are in Keras's layout. */
const defineRecurrent = <S extends Schema, O extends RecurrentLayerOptions & OptionsOf<S>>(
  type: string,
  options: () => S,
  cellOf: (options: O) => Cell,
) =>
  defineLayer(
    type,
    options,
    (units: number) => ({ units }),
    (given: O) => recurrent(type, given, cellOf(given)),
    { merges: true },
  );

function recurrent(type: string, options: RecurrentLayerOptions, cell: Cell): Layer["call"] {
  const { units, returnSequences = false, goBackwards = false } = options;
  return (x, context) => {
    if (x.shape.length !== 3) {
      throw new TilegradError("E_SHAPE", `${type}: got ${showType(x)}; expected [batch, time, features].`);
    }
    const initial = initialStates(type, cell, context.inputs.slice(1), [x.shape[0], units]);
    const weights = declare(context, x.shape[2], options, cell);
    const xz = weights.bias ? linear(x, weights.kernel, weights.bias) : matmul(x, weights.kernel);
    const mask = maskOf(x);
    const { y, h } = cell.run(xz, weights.recurrentKernel, weights.recurrentBias, { mask, goBackwards, ...initial });
    return returnSequences ? withMask(y, mask) : h;
  };
}

/** What the layer is applied to beside the sequence: the states before its first step. @throws E_SHAPE */
function initialStates(type: string, { states }: Cell, given: readonly Tensor[], shape: readonly number[]) {
  if (given.length > 0 && (given.length !== states.length || !given.every((t) => sameShape(t.shape, shape)))) {
    const expected = `none, or ${states.join(" and ")} [${shape.join(", ")}]`;
    throw new TilegradError(
      "E_SHAPE",
      `${type}: got the initial states ${given.map(showType).join(", ")}; expected ${expected}.`,
    );
  }
  return Object.fromEntries(given.map((state, i) => [states[i], state])) as Pick<Run, "h0" | "c0">;
}

/** Kernel [features, gates units], recurrent kernel [units, gates units], bias [gates units] or, of a GRU, [2, 3 units]. */
function declare(context: LayerContext, features: number, options: RecurrentLayerOptions, cell: Cell) {
  const { units, useBias = true } = options;
  const width = cell.gates * units;
  const kernel = context.parameter("kernel", [features, width], {
    initializer: options.kernelInitializer ?? "glorotUniform",
    regularizer: options.kernelRegularizer,
  });
  const recurrentKernel = context.parameter("recurrentKernel", [units, width], {
    initializer: options.recurrentInitializer ?? "orthogonal",
    regularizer: options.recurrentRegularizer,
  });
  const none = { kernel, recurrentKernel, bias: null, recurrentBias: constant(0, [width]) };
  if (!useBias) return none;
  const bias = context.parameter("bias", cell.recurrentBias ? [2, width] : [width], {
    initializer: options.biasInitializer ?? cell.bias,
    regularizer: options.biasRegularizer,
  });
  const row = (k: number): Tensor => reshape(slice(bias, [k, 0], [1, width]), [width]);
  return cell.recurrentBias ? { ...none, bias: row(0), recurrentBias: row(1) } : { ...none, bias };
}

/**
 * Long short-term memory, gates i, f, g, o: [batch, time, features] -> [batch, units], or [batch, time, units] with
 * `returnSequences`. Steps that a `masking` layer masked leave the state as it is. In a functional model it may also be applied
 * to the state before the first step: `apply(lstm(32), x, h0, c0)`, both [batch, units]; default zeros.
 */
export const lstm = /* @__PURE__ */ defineRecurrent(
  "lstm",
  lstmOptions,
  ({ units, unitForgetBias = true }: LstmOptions) => {
    const forget = { values: Array.from({ length: 4 * units }, (_, i) => (Math.floor(i / units) === 1 ? 1 : 0)) };
    return {
      gates: 4,
      states: ["h0", "c0"],
      bias: unitForgetBias ? forget : "zeros",
      run: (xz, kernel, _, run) => lstmOp(xz, kernel, run),
    };
  },
);

/** Gated recurrent unit, gates z, r, h, with Keras's `resetAfter`: shapes as `lstm`; its state is h0 alone. */
export const gru = /* @__PURE__ */ defineRecurrent("gru", recurrentOptions, (_: RecurrentLayerOptions) => ({
  gates: 3,
  states: ["h0"],
  bias: "zeros",
  recurrentBias: true,
  run: gruOp,
}));

/** h' = tanh(x W + h U + b): shapes as `lstm`; its state is h0 alone. */
export const simpleRnn = /* @__PURE__ */ defineRecurrent("simpleRnn", recurrentOptions, (_: RecurrentLayerOptions) => ({
  gates: 1,
  states: ["h0"],
  bias: "zeros",
  run: (xz, kernel, _, run) => simpleRnnOp(xz, kernel, run),
}));
