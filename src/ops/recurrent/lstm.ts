/** Long short-term memory. */
import shader from "../../../shaders/recurrent/lstm.wgsl";
import { checkTensors, tensorKind } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import { sigmoid } from "../../numeric.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import type { RecurrentResult } from "./recurrent.ts";
import { recurrent, recurrentOptions } from "./recurrent.ts";

/**
 * Gates i, f, g, o; states h, c: i, f, o = sigmoid(z), g = tanh(z) with z = xz + h U;  c' = f c + i g;  h' = o tanh(c')
 * (Hochreiter and Schmidhuber 1997, Gers et al. 2000). Kept: the gates.
 */
export const lstmCell = /* @__PURE__ */ recurrent({
  name: "lstm",
  gates: 4,
  states: 2,
  kept: 4,
  shader,
  flops: [60, 40],
  step: (x, a, [, c]) => {
    const [i, f, g, o] = x.map((v, gate) => (gate === 2 ? Math.tanh : sigmoid)(v + a[gate]));
    const after = f * c + i * g;
    return { states: [o * Math.tanh(after), after], kept: [i, f, g, o] };
  },
  grad: ([dh, dc], [, c], [i, f, g, o]) => {
    const a = Math.tanh(f * c + i * g);
    const d = dc + dh * o * (1 - a * a);
    return {
      x: [d * g * i * (1 - i), d * c * f * (1 - f), d * i * (1 - g * g), dh * a * o * (1 - o)],
      states: [0, d * f],
    };
  },
});

const lstmOptions = {
  ...recurrentOptions,
  /** Cell state before the first step, [batch, units]; default zeros. */
  c0: tensorKind,
};

export interface LstmStates extends OptionsOf<typeof lstmOptions> {}

export interface LstmResult extends RecurrentResult {
  /** Cell state after the last step that was run, [batch, units]. */
  readonly c: Tensor;
}

/**
 * An LSTM over whole sequences, as one op: of its inputs' projection, so that one product serves all steps.
 * @param xz inputs times the input kernel plus bias, for all steps at once: [batch, time, 4 * units], gates i, f, g, o
 * @param kernel recurrent kernel [units, 4 * units]
 * @throws E_SHAPE, E_DTYPE
 */
export function lstm(xz: Tensor, kernel: Tensor, options: LstmStates = {}): LstmResult {
  checkTensors("lstm", xz, kernel);
  const { h0, c0, ...run } = checkOptions("lstm", options, lstmOptions);
  const { y, states } = lstmCell.run(xz, kernel, { ...run, states: [h0, c0] });
  return { y, h: states[0], c: states[1] };
}
