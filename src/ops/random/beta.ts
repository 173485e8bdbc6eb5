/** Beta-distributed draws as a composition of uniform and normal ones. */

import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { checkValue } from "../../options.ts";
import { constant } from "../core/constant.ts";
import { add, div, less, log, maximum, mul, neg, sigmoid, square, sub, where } from "../core/elementwise.ts";
import { randomNormal, randomUniform } from "./random.ts";

/** Proposals of which the first that is accepted counts. All are refused less often than once in 10^5 draws. */
const ATTEMPTS = 4;

/**
 * Draws from Beta(alpha, alpha), in (0, 1), alpha > 0. G / (G + G') of two gamma draws, as the sigmoid of the difference of
 * their logarithms, so that a small alpha does not underflow.
 * @param stream numbers each random draw that is used
 */
export function randomBeta(shape: readonly number[], alpha: number, stream: () => number): Tensor {
  checkValue("randomBeta", "alpha", alpha, is.positive);
  checkValue("randomBeta", "stream", stream, is.callable);
  return sigmoid(sub(logGamma(shape, alpha, stream), logGamma(shape, alpha, stream)));
}

/**
 * The logarithm of a draw from Gamma(alpha): of Gamma(alpha + 1), times u^(1 / alpha). Marsaglia and Tsang, "A simple
 * method for generating gamma variables" (2000).
 */
function logGamma(shape: readonly number[], alpha: number, stream: () => number): Tensor {
  // In (0, 1].
  const uniform = (): Tensor => sub(1, randomUniform(shape, { stream: stream() }));
  const d = alpha + 1 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  let found: Tensor = constant(Math.log(d), shape);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const z = randomNormal(shape, { stream: stream() });
    const root = maximum(add(mul(z, c), 1), 1e-6);
    const logV = mul(log(root), 3);
    const v = mul(mul(root, root), root);
    // log u < z^2 / 2 + d (1 - v + log v)
    const bound = add(mul(square(z), 0.5), mul(add(sub(1, v), logV), d));
    found = where(less(log(uniform()), bound), add(logV, Math.log(d)), found);
  }
  return sub(found, div(neg(log(uniform())), alpha));
}
