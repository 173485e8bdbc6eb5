import { sigmoid } from "../../../src/numeric.ts";
import { recurrent } from "../../../src/ops/recurrent/recurrent.ts";
import shader from "./minimal_gated_unit.wgsl";

/**
 * Gates f, n, the forget gate after the product: a = h U + b;  f = sigmoid(x_f + a_f);  n = tanh(x_n + f a_n);
 * h' = (1 - f) h + f n (Zhou et al. 2016). Kept: f, n and a_n.
 */
export const minimalGatedUnitCell = /* @__PURE__ */ recurrent({
  name: "minimalGatedUnit",
  gates: 2,
  states: 1,
  kept: 3,
  apart: true,
  shader,
  flops: [30, 18],
  step: (x, a, [h]) => {
    const f = sigmoid(x[0] + a[0]);
    const n = Math.tanh(x[1] + f * a[1]);
    return { states: [(1 - f) * h + f * n], kept: [f, n, a[1]] };
  },
  grad: ([d], [h], [f, n, product]) => {
    const dn = d * f * (1 - n * n);
    const df = (d * (n - h) + dn * product) * f * (1 - f);
    return { x: [df, dn], a: [df, dn * f], states: [d * (1 - f)] };
  },
});
