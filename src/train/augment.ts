/** Augmentation of a batch together with its labels, inside the training step. */

import type { Tensor } from "../graph/types.ts";
import * as is from "../kinds.ts";
import { add, mul, sub } from "../ops/core/elementwise.ts";
import { takeRows } from "../ops/core/take.ts";
import { reshape } from "../ops/core/view.ts";
import { randomBeta } from "../ops/random/beta.ts";
import { randomPermutation } from "../ops/random/random.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions } from "../options.ts";

/** One batch, as graph. */
export interface AugmentBatch {
  /** [batch, ...inputShape] */
  readonly x: Tensor;
  /** [batch] or [batch, outputs] */
  readonly y: Tensor;
  /** Sample weights [batch], or null. */
  readonly weight: Tensor | null;
}

/**
 * What a batch becomes before the model sees it; all shapes stay. Written once, as graph, and run on the device: random
 * draws come from ops, each with a `stream()` of its own.
 */
export type Augment = (batch: AugmentBatch, context: { stream(): number }) => AugmentBatch;

/** Streams of random draws from here on, and below those of the initial weights, belong to `augment`. */
export const AUGMENT_STREAMS = 1 << 19;

const mixupOptions = {
  /** Both parameters of the beta distribution. Small ones mix little. Default 0.2. */
  alpha: is.positiveFinite,
};

export interface MixupOptions extends OptionsOf<typeof mixupOptions> {}

/**
 * Mixes each row with another of its batch: l x + (1 - l) x', labels and sample weights likewise, l from Beta(alpha, alpha)
 * (Zhang et al., "mixup", 2018). Labels must be numbers that can be mixed: yes/no, or one column per class.
 * @throws E_ARGUMENT
 */
export function mixup(options: MixupOptions = {}): Augment {
  const { alpha = 0.2 } = checkOptions("mixup", options, mixupOptions);
  return ({ x, y, weight }, { stream }) => {
    const [batch] = x.shape;
    const others = randomPermutation(batch, { stream: stream() });
    const share = randomBeta([batch], alpha, stream);
    const mix = (t: Tensor): Tensor => {
      const kept = reshape(
        share,
        t.shape.map((n, d) => (d === 0 ? n : 1)),
      );
      return add(mul(t, kept), mul(takeRows(t, others), sub(1, kept)));
    };
    return { x: mix(x), y: mix(y), weight: weight && mix(weight) };
  };
}
