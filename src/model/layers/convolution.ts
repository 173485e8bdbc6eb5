/** Convolutions over images and sequences, Keras's options in camelCase. */
import { TilegradError } from "../../errors.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import {
  conv1d as conv1dOp,
  conv2d as conv2dOp,
  conv2dTranspose as conv2dTransposeOp,
} from "../../ops/conv/convolution.ts";
import type { Padding, Pair } from "../../ops/conv/window.ts";
import { pairOf } from "../../ops/conv/window.ts";
import { reshape } from "../../ops/core/view.ts";
import type { OptionsOf } from "../../options.ts";
import { activated, biasOf, kernelOf, kernelOptions } from "../kernel.ts";
import type { LayerOptions } from "../layer.ts";
import { defineLayer } from "../layer.ts";
import { expectRank } from "../rank.ts";

const filters = () => ({
  /** Channels of the output. */
  filters: is.required(is.positiveInteger),
});
const groups = () => ({
  /** Groups of channels that do not mix; they divide channels and filters. Default 1. */
  groups: is.positiveInteger,
});
const depthMultiplier = () => ({
  /** Filters of each channel; default 1. */
  depthMultiplier: is.positiveInteger,
});
const window2d = () => ({
  /** Height and width of the kernel in pixels. */
  kernelSize: is.required(is.numbers as Kind<Pair>),
  /** Default 1. */
  strides: is.numbers as Kind<Pair>,
  /** Default `valid`. */
  padding: is.anything as Kind<Padding>,
  /** Default 1. */
  dilationRate: is.numbers as Kind<Pair>,
});
const window1d = () => ({
  /** Time steps. */
  kernelSize: is.required(is.positiveInteger),
  /** Default 1. */
  strides: is.positiveInteger,
  /** Default 1. */
  dilationRate: is.positiveInteger,
});
const causalPadding = () => ({
  /** Default `valid`; `causal` pads the past alone. */
  padding: is.anything as Kind<"valid" | "same" | "causal" | readonly [number, number]>,
});

const conv2dOptions = () => ({ ...filters(), ...window2d(), ...groups(), ...kernelOptions() });

export interface Conv2dLayerOptions extends OptionsOf<typeof conv2dOptions>, LayerOptions {}

/**
 * x [batch, height, width, channels] -> activation(x * kernel [kernelSize, channels / groups, filters] + bias
 * [filters]), [batch, outHeight, outWidth, filters].
 */
export const conv2d = /* @__PURE__ */ defineLayer(
  "conv2d",
  conv2dOptions,
  (filters: number, kernelSize: Pair) => ({ filters, kernelSize }),
  (options: Conv2dLayerOptions) => {
    const { filters, strides, padding, dilationRate, groups = 1 } = options;
    const taps = pairOf("conv2d", "kernelSize", options.kernelSize);
    return (x, context) => {
      const [, , , channels] = expectRank("conv2d", x, 4);
      checkGroups("conv2d", groups, channels, filters);
      const kernel = kernelOf(context, [...taps, channels / groups, filters], options);
      const bias = biasOf(context, filters, options);
      return activated(conv2dOp(x, kernel, { strides, padding, dilation: dilationRate, groups, bias }), options);
    };
  },
);

const conv1dOptions = () => ({ ...filters(), ...window1d(), ...causalPadding(), ...groups(), ...kernelOptions() });

export interface Conv1dLayerOptions extends OptionsOf<typeof conv1dOptions>, LayerOptions {}

/**
 * x [batch, time, channels] -> activation(x * kernel [kernelSize, channels / groups, filters] + bias), [batch, outTime,
 * filters].
 */
export const conv1d = /* @__PURE__ */ defineLayer(
  "conv1d",
  conv1dOptions,
  (filters: number, kernelSize: number) => ({ filters, kernelSize }),
  (options: Conv1dLayerOptions) => (x, context) => {
    const { filters, kernelSize, strides, padding, dilationRate, groups = 1 } = options;
    const [, , channels] = expectRank("conv1d", x, 3);
    checkGroups("conv1d", groups, channels, filters);
    const kernel = kernelOf(context, [kernelSize, channels / groups, filters], options);
    const bias = biasOf(context, filters, options);
    return activated(conv1dOp(x, kernel, { strides, padding, dilation: dilationRate, groups, bias }), options);
  },
);

const depthwise2dOptions = () => ({ ...window2d(), ...depthMultiplier(), ...kernelOptions() });

export interface DepthwiseConv2dLayerOptions extends OptionsOf<typeof depthwise2dOptions>, LayerOptions {}

/**
 * Each channel by kernels of its own, [kernelSize, channels, depthMultiplier]: x [batch, height, width, channels] ->
 * [batch, outHeight, outWidth, channels * depthMultiplier], output channel = channel * depthMultiplier + filter.
 */
export const depthwiseConv2d = /* @__PURE__ */ defineLayer(
  "depthwiseConv2d",
  depthwise2dOptions,
  (kernelSize: Pair) => ({ kernelSize }),
  (options: DepthwiseConv2dLayerOptions) => {
    const { strides, padding, dilationRate, depthMultiplier = 1 } = options;
    const taps = pairOf("depthwiseConv2d", "kernelSize", options.kernelSize);
    return (x, context) => {
      const [, , , channels] = expectRank("depthwiseConv2d", x, 4);
      const kernel = kernelOf(context, [...taps, channels, depthMultiplier], options);
      const grouped = reshape(kernel, [...taps, 1, channels * depthMultiplier]);
      const bias = biasOf(context, channels * depthMultiplier, options);
      return activated(
        conv2dOp(x, grouped, { strides, padding, dilation: dilationRate, groups: channels, bias }),
        options,
      );
    };
  },
);

const transpose2dOptions = () => ({ ...filters(), ...window2d(), ...kernelOptions() });

export interface Conv2dTransposeLayerOptions extends OptionsOf<typeof transpose2dOptions>, LayerOptions {}

/**
 * The adjoint of a convolution, which enlarges by its strides: x [batch, height, width, channels], kernel
 * [kernelSize, filters, channels] -> [batch, height * stride ..., filters].
 */
export const conv2dTranspose = /* @__PURE__ */ defineLayer(
  "conv2dTranspose",
  transpose2dOptions,
  (filters: number, kernelSize: Pair) => ({ filters, kernelSize }),
  (options: Conv2dTransposeLayerOptions) => {
    const { filters, strides, padding, dilationRate } = options;
    const taps = pairOf("conv2dTranspose", "kernelSize", options.kernelSize);
    return (x, context) => {
      const [, , , channels] = expectRank("conv2dTranspose", x, 4);
      const kernel = kernelOf(context, [...taps, filters, channels], options);
      const bias = biasOf(context, filters, options);
      return activated(conv2dTransposeOp(x, kernel, { strides, padding, dilation: dilationRate, bias }), options);
    };
  },
);

const depthwise1dOptions = () => ({ ...window1d(), ...causalPadding(), ...depthMultiplier(), ...kernelOptions() });

export interface DepthwiseConv1dLayerOptions extends OptionsOf<typeof depthwise1dOptions>, LayerOptions {}

/**
 * Each channel by kernels of its own, [kernelSize, channels, depthMultiplier]: x [batch, time, channels] ->
 * [batch, outTime, channels * depthMultiplier], output channel = channel * depthMultiplier + filter.
 */
export const depthwiseConv1d = /* @__PURE__ */ defineLayer(
  "depthwiseConv1d",
  depthwise1dOptions,
  (kernelSize: number) => ({ kernelSize }),
  (options: DepthwiseConv1dLayerOptions) => (x, context) => {
    const { kernelSize, strides, padding, dilationRate, depthMultiplier = 1 } = options;
    const [, , channels] = expectRank("depthwiseConv1d", x, 3);
    const kernel = kernelOf(context, [kernelSize, channels, depthMultiplier], options);
    const grouped = reshape(kernel, [kernelSize, 1, channels * depthMultiplier]);
    const bias = biasOf(context, channels * depthMultiplier, options);
    return activated(
      conv1dOp(x, grouped, { strides, padding, dilation: dilationRate, groups: channels, bias }),
      options,
    );
  },
);

const transpose1dOptions = () => ({
  ...filters(),
  ...window1d(),
  /** Default `valid`. */
  padding: is.anything as Kind<"valid" | "same">,
  ...kernelOptions(),
});

export interface Conv1dTransposeLayerOptions extends OptionsOf<typeof transpose1dOptions>, LayerOptions {}

/**
 * The adjoint of `conv1d`, which lengthens by its stride: x [batch, time, channels], kernel [kernelSize, filters, channels] ->
 * [batch, time * stride ..., filters].
 */
export const conv1dTranspose = /* @__PURE__ */ defineLayer(
  "conv1dTranspose",
  transpose1dOptions,
  (filters: number, kernelSize: number) => ({ filters, kernelSize }),
  (options: Conv1dTransposeLayerOptions) => (x, context) => {
    const { filters, kernelSize, strides = 1, padding = "valid", dilationRate = 1 } = options;
    const [, , channels] = expectRank("conv1dTranspose", x, 3);
    const kernel = kernelOf(context, [kernelSize, filters, channels], options);
    const bias = biasOf(context, filters, options);
    const [batch, time] = x.shape;
    const y = conv2dTransposeOp(reshape(x, [batch, 1, time, channels]), reshape(kernel, [1, ...kernel.shape]), {
      strides: [1, strides],
      padding,
      dilation: [1, dilationRate],
      bias,
    });
    return activated(reshape(y, [batch, y.shape[2], filters]), options);
  },
);

function checkGroups(name: string, groups: number, channels: number, filters: number): void {
  if (channels % groups === 0 && filters % groups === 0) return;
  throw new TilegradError(
    "E_SHAPE",
    `${name}: got ${channels} channels and ${filters} filters; ${groups} groups must divide both.`,
  );
}
