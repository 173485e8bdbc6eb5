/** A simple (Elman) recurrent network. */
import shader from "../../../shaders/recurrent/simple_rnn.wgsl";
import { checkTensors } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import { checkOptions } from "../../options.ts";
import type { RecurrentOptions, RecurrentResult } from "./recurrent.ts";
import { recurrent, recurrentOptions } from "./recurrent.ts";

/** h' = tanh(xz + h U), which is kept. */
export const simpleRnnCell = /* @__PURE__ */ recurrent({
  name: "simpleRnn",
  gates: 1,
  states: 1,
  kept: 1,
  shader,
  flops: [13, 5],
  step: ([x], [a]) => {
    const h = Math.tanh(x + a);
    return { states: [h], kept: [h] };
  },
  grad: ([d], _, [h]) => ({ x: [d * (1 - h * h)], states: [0] }),
});

/**
 * A simple RNN over whole sequences, as one op: h' = tanh(xz + h U).
 * @param xz inputs times the input kernel plus bias, for all steps: [batch, time, units]
 * @param kernel recurrent kernel [units, units]
 * @throws E_SHAPE, E_DTYPE
 */
export function simpleRnn(xz: Tensor, kernel: Tensor, options: RecurrentOptions = {}): RecurrentResult {
  checkTensors("simpleRnn", xz, kernel);
  const { h0, ...run } = checkOptions("simpleRnn", options, recurrentOptions);
  const { y, states } = simpleRnnCell.run(xz, kernel, { ...run, states: [h0] });
  return { y, h: states[0] };
}
