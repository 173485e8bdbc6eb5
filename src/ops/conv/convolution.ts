/** Convolution of images and sequences, and its transpose, as functions. */

import { apply1, checkTensors, tensorKind } from "../../graph/apply.ts";
import type { Tensor } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import { add } from "../core/elementwise.ts";
import { reshape } from "../core/view.ts";
import { linear } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { conv2dBiasOp, conv2dOp, inputGrad } from "./conv2d.ts";
import type { Padding } from "./window.ts";
import { resolveWindow, WINDOW_OPTIONS } from "./window.ts";

const FILTER_OPTIONS = {
  /** Channels and filters fall into so many groups that do not meet; `groups` = channels is a depthwise convolution. */
  groups: is.positiveInteger,
  /** [filters], added to each output. */
  bias: tensorKind,
};

const CONV_2D_OPTIONS = { ...WINDOW_OPTIONS, ...FILTER_OPTIONS };

export interface Conv2dOptions extends OptionsOf<typeof CONV_2D_OPTIONS> {}

/**
 * x [batch, height, width, channels] * kernel [height, width, channels / groups, filters] + bias ->
 * [batch, outHeight, outWidth, filters]; no kernel flip. Throws `E_SHAPE`, `E_ARGUMENT`.
 */
export function conv2d(x: Tensor, kernel: Tensor, options: Conv2dOptions = {}): Tensor {
  checkTensors("conv2d", x, kernel);
  const { groups = 1, bias, ...window } = checkOptions("conv2d", options, CONV_2D_OPTIONS);
  const attrs = { ...resolveWindow("conv2d", x.shape.slice(1, 3), kernel.shape, window), groups };
  // A kernel of one pixel is a matrix, and there are better kernels for those.
  const pointwise = kernel.shape[0] === 1 && kernel.shape[1] === 1 && groups === 1 && x.shape[3] === kernel.shape[2];
  if (pointwise && [...attrs.strides, ...attrs.padding.flat().map((n) => n + 1)].every((n) => n === 1)) {
    const matrix = reshape(kernel, kernel.shape.slice(2));
    return bias ? linear(x, matrix, bias) : matmul(x, matrix);
  }
  return bias ? apply1(conv2dBiasOp, [x, kernel, bias], attrs) : apply1(conv2dOp, [x, kernel], attrs);
}

/**
 * The adjoint of `conv2d` as a layer: x [batch, height, width, channels], kernel [height, width, filters / groups,
 * channels] -> [batch, outHeight, outWidth, filters], where out = size * stride with `same` padding and (size - 1) *
 * stride + extent of the kernel - explicit padding otherwise (Keras: at least size * stride with `valid`).
 */
export function conv2dTranspose(x: Tensor, kernel: Tensor, options: Conv2dOptions = {}): Tensor {
  checkTensors("conv2dTranspose", x, kernel);
  const { groups = 1, bias, ...window } = checkOptions("conv2dTranspose", options, CONV_2D_OPTIONS);
  const { strides, dilation, padding } = resolveWindow("conv2dTranspose", x.shape.slice(1, 3), kernel.shape, window);
  const size = ([0, 1] as const).map((axis) => {
    const spread = (kernel.shape[axis] - 1) * dilation[axis] + 1;
    if (window.padding === "same") return x.shape[axis + 1] * strides[axis];
    if (!Array.isArray(window.padding)) return x.shape[axis + 1] * strides[axis] + Math.max(spread - strides[axis], 0);
    return (x.shape[axis + 1] - 1) * strides[axis] + spread - padding[axis][0] - padding[axis][1];
  });
  const attrs = resolveWindow("conv2dTranspose", size, kernel.shape, window);
  const y = inputGrad(x, kernel, size, { ...attrs, groups });
  return bias ? add(y, bias) : y;
}

const CONV_1D_OPTIONS = {
  /** Default 1. */
  strides: is.number,
  /** Default `valid`; [before, after]. */
  padding: is.anything as Kind<"valid" | "same" | "causal" | readonly [number, number]>,
  /** Distance between neighbouring taps; 1, the default, is dense. */
  dilation: is.number,
  ...FILTER_OPTIONS,
};

export interface Conv1dOptions extends OptionsOf<typeof CONV_1D_OPTIONS> {}

/**
 * x [batch, time, channels] * kernel [taps, channels / groups, filters] -> [batch, outTime, filters]. `causal` pads the
 * past alone, so that no output sees a later input.
 */
export function conv1d(x: Tensor, kernel: Tensor, options: Conv1dOptions = {}): Tensor {
  checkTensors("conv1d", x, kernel);
  const {
    strides = 1,
    padding = "valid",
    dilation = 1,
    groups = 1,
    bias,
  } = checkOptions("conv1d", options, CONV_1D_OPTIONS);
  const past = (kernel.shape[0] - 1) * dilation;
  const sides = padding === "causal" ? ([past, 0] as const) : padding;
  const around: Padding = typeof sides === "string" ? sides : [[0, 0], sides];
  const y = conv2d(reshape(x, [x.shape[0], 1, ...x.shape.slice(1)]), reshape(kernel, [1, ...kernel.shape]), {
    strides: [1, strides],
    padding: around,
    dilation: [1, dilation],
    groups,
    bias,
  });
  return reshape(y, [y.shape[0], ...y.shape.slice(2)]);
}
