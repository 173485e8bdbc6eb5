/**
 * Sequences changed at random in training, each of a batch in its own way, and left alone otherwise; for additive noise
 * see gaussianNoise. All is part of the compiled step and the same on every device and after a resume.
 */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import { constant } from "../../ops/core/constant.ts";
import { add, mul, sin, sub } from "../../ops/core/elementwise.ts";
import { reshape } from "../../ops/core/view.ts";
import { coordinates } from "../../ops/image/coordinates.ts";
import type { FillMode } from "../../ops/image/gridSample.ts";
import { fillModeKind, gridSample } from "../../ops/image/gridSample.ts";
import type { OptionsOf } from "../../options.ts";
import type { Layer, LayerContext, LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import { maskOf } from "../mask.ts";
import type { Range } from "../random.ts";
import { between, inTraining, rangeKind, rangeOf } from "../random.ts";

/** A layer that changes sequences in training. */
const augmenting = (type: string, change: Layer["call"]): Layer["call"] => inTraining(type, 3, change);

/** One that moves steps, which a mask of padded steps would not follow. */
const moving = (type: string, change: Layer["call"]): Layer["call"] =>
  augmenting(type, (x, context) => {
    if (!maskOf(x)) return change(x, context);
    throw new TilegradError("E_ARGUMENT", `${type}: got a masked sequence; expected one whose steps all count.`, {
      hint: "Augment before masking(), and only sequences of one length.",
    });
  });

/** A number for each sequence, as [batch, 1]. */
const perSequence = (x: Tensor, range: Range, { stream }: LayerContext): Tensor =>
  between([x.shape[0], 1], range, { stream: stream() });

/** 0, 1, 2 ... for each sequence, [batch, time]. */
const stepsOf = (x: Tensor): Tensor => coordinates([x.shape[0], x.shape[1]], 1);

/** x at times [batch, time], linear between its steps. */
function at(x: Tensor, times: Tensor, fillMode: FillMode): Tensor {
  const [batch, time, features] = x.shape;
  const rows = reshape(times, [batch, time, 1]);
  const image = reshape(x, [batch, time, 1, features]);
  return reshape(gridSample(image, rows, constant(0, [batch, time, 1]), { fillMode }), x.shape);
}

const randomShiftOptions = () => ({
  /** Share of the time to move by, later; a number f is [-f, f]. */
  factor: is.required(rangeKind),
  /** What comes in at the end; default `nearest`, the last step again. */
  fillMode: fillModeKind(),
});

export interface RandomShiftOptions extends OptionsOf<typeof randomShiftOptions>, LayerOptions {}

/** Moves each sequence in time. */
export const randomShift = /* @__PURE__ */ defineLayer(
  "randomShift",
  randomShiftOptions,
  (factor: number | Range) => ({ factor }),
  (options: RandomShiftOptions) => {
    const range = rangeOf("randomShift", "factor", options.factor);
    return moving("randomShift", (x, context) => {
      const later = mul(perSequence(x, range, context), x.shape[1]);
      return at(x, sub(stepsOf(x), later), options.fillMode ?? "nearest");
    });
  },
);

const randomScaleOptions = () => ({
  /** Values are multiplied by 1 plus this; a number f is [-f, f]. */
  factor: is.required(rangeKind),
});

export interface RandomScaleOptions extends OptionsOf<typeof randomScaleOptions>, LayerOptions {}

/** Multiplies all values of each sequence. */
export const randomScale = /* @__PURE__ */ defineLayer(
  "randomScale",
  randomScaleOptions,
  (factor: number | Range) => ({ factor }),
  (options: RandomScaleOptions) => {
    const range = rangeOf("randomScale", "factor", options.factor);
    return augmenting("randomScale", (x, context) =>
      mul(x, reshape(add(perSequence(x, range, context), 1), [x.shape[0], 1, 1])),
    );
  },
);

const timeWarpOptions = () => ({
  /** Time runs between 1 - factor and 1 + factor times as fast; in [0, 1). */
  factor: is.required(is.fraction),
  /** Half waves that the speed is made of: more change it more often; default 4. */
  waves: is.positiveInteger,
});

export interface TimeWarpOptions extends OptionsOf<typeof timeWarpOptions>, LayerOptions {}

/**
 * Lets time run smoothly faster and slower; the first and the last step stay where they are. With s in [0, 1], time s
 * shows s + sum_k a_k sin(pi k s) / (pi k), |a_k| <= factor / waves, whose slope is never below 1 - factor.
 */
export const timeWarp = /* @__PURE__ */ defineLayer(
  "timeWarp",
  timeWarpOptions,
  (factor: number) => ({ factor }),
  (options: TimeWarpOptions) => {
    const { factor, waves = 4 } = options;
    return moving("timeWarp", (x, context) => {
      const last = Math.max(1, x.shape[1] - 1);
      const steps = stepsOf(x);
      const warps = Array.from({ length: waves }, (_, k) => {
        const angle = mul(steps, (Math.PI * (k + 1)) / last);
        const most = (factor / waves / (Math.PI * (k + 1))) * last;
        return mul(sin(angle), perSequence(x, [-most, most], context));
      });
      return at(x, warps.reduce(add, steps), "nearest");
    });
  },
);

const windowSliceOptions = () => ({
  /** Share of the time that is kept; in (0, 1]. Default 0.9. */
  size: is.positiveShare,
});

export interface WindowSliceOptions extends OptionsOf<typeof windowSliceOptions>, LayerOptions {}

/** Cuts a window out of each sequence and stretches it to the full time (Le Guennec et al. 2016). */
export const windowSlice = /* @__PURE__ */ defineLayer(
  "windowSlice",
  windowSliceOptions,
  (size?: number) => ({ size }),
  (options: WindowSliceOptions) => {
    const { size = 0.9 } = options;
    return moving("windowSlice", (x, context) => {
      const last = x.shape[1] - 1;
      return at(x, add(mul(stepsOf(x), size), perSequence(x, [0, (1 - size) * last], context)), "nearest");
    });
  },
);
