/** Gated recurrent unit. */
import shader from "../../../shaders/recurrent/gru.wgsl";
import { checkTensors } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import { sigmoid } from "../../numeric.ts";
import { checkOptions } from "../../options.ts";
import type { RecurrentOptions, RecurrentResult } from "./recurrent.ts";
import { recurrent, recurrentOptions } from "./recurrent.ts";

/**
 * Gates z, r, n, the reset after the product: a = h U + b;  z, r = sigmoid(xz + a);  n = tanh(xz_n + r a_n);
 * h' = (1 - z) n + z h (Cho et al. 2014, cuDNN's form). Kept: z, r, n and a_n.
 */
export const gruCell = /* @__PURE__ */ recurrent({
  name: "gru",
  gates: 3,
  states: 1,
  kept: 4,
  apart: true,
  shader,
  flops: [40, 20],
  step: (x, a, [h]) => {
    const z = sigmoid(x[0] + a[0]);
    const r = sigmoid(x[1] + a[1]);
    const n = Math.tanh(x[2] + r * a[2]);
    return { states: [(1 - z) * n + z * h], kept: [z, r, n, a[2]] };
  },
  grad: ([d], [h], [z, r, n, product]) => {
    const dn = d * (1 - z) * (1 - n * n);
    const dz = d * (h - n) * z * (1 - z);
    const dr = dn * product * r * (1 - r);
    return { x: [dz, dr, dn], a: [dz, dr, dn * r], states: [d * z] };
  },
});

/**
 * A GRU over whole sequences, as one op, with the reset gate after the recurrent product (Keras's `reset_after`, PyTorch,
 * cuDNN).
 * @param xz inputs times the input kernel plus the input bias, for all steps: [batch, time, 3 * units], gates z, r, h
 * @param kernel recurrent kernel [units, 3 * units]
 * @param bias recurrent bias [3 * units]
 * @throws E_SHAPE, E_DTYPE
 */
export function gru(xz: Tensor, kernel: Tensor, bias: Tensor, options: RecurrentOptions = {}): RecurrentResult {
  checkTensors("gru", xz, kernel, bias);
  const { h0, ...run } = checkOptions("gru", options, recurrentOptions);
  const { y, states } = gruCell.run(xz, kernel, { ...run, bias, states: [h0] });
  return { y, h: states[0] };
}
