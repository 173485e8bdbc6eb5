/**
 * Dynamic loss scaling (Micikevicius et al. 2018, with the numbers of PyTorch's GradScaler): gradients are those of the loss
 * times a scale, so that small ones survive f16. Where one of them is not finite, the step changes no weight and no optimizer
 * slot, and the scale is halved; after 2,000 good steps in a row it is doubled. Running statistics come from the forward pass
 * and are updated all the same. All of it is part of the step's graph.
 */
import type { DeviceTensor } from "../device.ts";
import type { Tensor, Update } from "../graph/types.ts";
import { sum } from "../ops/core/broadcast.ts";
import { state } from "../ops/core/constant.ts";
import { add, div, equal, finite, greaterEqual, maximum, minimum, mul, sub, where } from "../ops/core/elementwise.ts";
import { f32 } from "../ops/op.ts";
import type { MakeTensor } from "./tensors.ts";

/** Powers of 2, so that scaling rounds nothing. */
const FIRST_SCALE = 2 ** 16;
const LEAST_SCALE = 1;
const LARGEST_SCALE = 2 ** 24;
const GROWTH_INTERVAL = 2000;

/** The states' names. */
const LOSS_SCALE = "loss scale";
const GOOD_STEPS = "good steps";

/** What is kept of it between steps, by name. */
export const scalingTensors = (make: MakeTensor): Readonly<Record<string, DeviceTensor>> => ({
  [LOSS_SCALE]: make(f32(), LOSS_SCALE, [FIRST_SCALE]),
  [GOOD_STEPS]: make(f32(), GOOD_STEPS),
});

export interface LossScaling {
  /** What is to be differentiated instead of the loss. */
  scaled(loss: Tensor): Tensor;
  /** The gradients of the loss itself, whether all are finite (1; else 0, and they are worthless), and the states' next. */
  unscaled(gradients: Tensor): { readonly g: Tensor; readonly good: Tensor; readonly updates: readonly Update[] };
}

export function lossScaling(): LossScaling {
  const scale = state(LOSS_SCALE, []);
  const goodSteps = state(GOOD_STEPS, []);
  return {
    scaled: (loss) => mul(loss, scale),
    unscaled(gradients) {
      const good = equal(sum(sub(1, finite(gradients))), 0);
      const steps = add(goodSteps, 1);
      const full = greaterEqual(steps, GROWTH_INTERVAL);
      const larger = where(full, minimum(mul(scale, 2), LARGEST_SCALE), scale);
      const smaller = maximum(div(scale, 2), LEAST_SCALE);
      return {
        // Of `good`, so that the scale is read where it is updated and nowhere later.
        g: mul(gradients, div(good, scale)),
        good,
        updates: [
          { state: scale, value: where(good, larger, smaller) },
          { state: goodSteps, value: mul(good, where(full, 0, steps)) },
        ],
      };
    },
  };
}
