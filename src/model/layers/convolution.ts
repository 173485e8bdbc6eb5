/** Convolutions over images and sequences, Keras's options in camelCase. */
import { TilegradError } from "../../errors.ts";
import type { Tensor } from "../../graph/types.ts";
import {
  conv1d as conv1dOp,
  conv2d as conv2dOp,
  conv2dTranspose as conv2dTransposeOp,
} from "../../ops/conv/convolution.ts";
import type { Padding, Pair } from "../../ops/conv/window.ts";
import { pairOf } from "../../ops/conv/window.ts";
import { reshape } from "../../ops/core/view.ts";
import { showType } from "../../ops/op.ts";
import type { ActivationName } from "../activations.ts";
import { activate } from "../activations.ts";
import type { Initializer } from "../initializers.ts";
import type { Layer, LayerContext, LayerOptions, Regularizer } from "../layer.ts";
import { layer, layerOptions } from "../layer.ts";

/** What all convolutions share. */
interface KernelOptions extends LayerOptions {
  readonly activation?: ActivationName;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default glorotUniform. */
  readonly kernelInitializer?: Initializer;
  /** Default zeros. */
  readonly biasInitializer?: Initializer;
  readonly kernelRegularizer?: Regularizer;
  readonly biasRegularizer?: Regularizer;
}

export interface Conv2dLayerOptions extends KernelOptions {
  /** Channels of the output. */
  readonly filters: number;
  /** Height and width of the kernel in pixels. */
  readonly kernelSize: Pair;
  /** Default 1. */
  readonly strides?: Pair;
  /** Default `valid`. */
  readonly padding?: Padding;
  /** Default 1. */
  readonly dilationRate?: Pair;
  /** Default 1. */
  readonly groups?: number;
}

/**
 * x [batch, height, width, channels] -> activation(x * kernel [kernelSize, channels / groups, filters] + bias
 * [filters]), [batch, outHeight, outWidth, filters].
 */
export function conv2d(
  filters: number,
  kernelSize: Pair,
  options?: Omit<Conv2dLayerOptions, "filters" | "kernelSize">,
): Layer;
export function conv2d(options: Conv2dLayerOptions): Layer;
export function conv2d(first: number | Conv2dLayerOptions, kernelSize?: Pair, rest?: object): Layer {
  const options = layerOptions<Conv2dLayerOptions>("conv2d", ["filters", "kernelSize"], first, kernelSize, rest);
  const { filters, strides, padding, dilationRate, groups = 1 } = options;
  const taps = pairOf("conv2d", "kernelSize", options.kernelSize);
  return layer("conv2d", options, (x, context) => {
    const channels = lastOf("conv2d", x, 4, "an image [batch, height, width, channels]");
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new TilegradError(
        "E_SHAPE",
        `conv2d: got ${channels} channels and ${filters} filters; ${groups} groups must divide both.`,
      );
    }
    const kernel = kernelOf(context, [...taps, channels / groups, filters], options);
    const bias = biasOf(context, filters, options);
    return activated(conv2dOp(x, kernel, { strides, padding, dilation: dilationRate, groups, bias }), options);
  });
}

export interface Conv1dLayerOptions extends KernelOptions {
  readonly filters: number;
  /** Time steps. */
  readonly kernelSize: number;
  readonly strides?: number;
  /** Default `valid`; `causal` pads the past alone. */
  readonly padding?: "valid" | "same" | "causal" | readonly [number, number];
  readonly dilationRate?: number;
  readonly groups?: number;
}

/**
 * x [batch, time, channels] -> activation(x * kernel [kernelSize, channels / groups, filters] + bias), [batch, outTime,
 * filters].
 */
export function conv1d(
  filters: number,
  kernelSize: number,
  options?: Omit<Conv1dLayerOptions, "filters" | "kernelSize">,
): Layer;
export function conv1d(options: Conv1dLayerOptions): Layer;
export function conv1d(first: number | Conv1dLayerOptions, kernelSize?: number, rest?: object): Layer {
  const options = layerOptions<Conv1dLayerOptions>("conv1d", ["filters", "kernelSize"], first, kernelSize, rest);
  const { filters, strides, padding, dilationRate, groups = 1 } = options;
  return layer("conv1d", options, (x, context) => {
    const channels = lastOf("conv1d", x, 3, "a sequence [batch, time, channels]");
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new TilegradError(
        "E_SHAPE",
        `conv1d: got ${channels} channels and ${filters} filters; ${groups} groups must divide both.`,
      );
    }
    const kernel = kernelOf(context, [options.kernelSize, channels / groups, filters], options);
    const bias = biasOf(context, filters, options);
    return activated(conv1dOp(x, kernel, { strides, padding, dilation: dilationRate, groups, bias }), options);
  });
}

export interface DepthwiseConv2dLayerOptions extends KernelOptions {
  readonly kernelSize: Pair;
  readonly strides?: Pair;
  readonly padding?: Padding;
  readonly dilationRate?: Pair;
  /** Filters of each channel; default 1. */
  readonly depthMultiplier?: number;
}

/**
 * Each channel by kernels of its own, [kernelSize, channels, depthMultiplier]: x [batch, height, width, channels] ->
 * [batch, outHeight, outWidth, channels * depthMultiplier], output channel = channel * depthMultiplier + filter.
 */
export function depthwiseConv2d(kernelSize: Pair, options?: Omit<DepthwiseConv2dLayerOptions, "kernelSize">): Layer;
export function depthwiseConv2d(options: DepthwiseConv2dLayerOptions): Layer;
export function depthwiseConv2d(first: Pair | DepthwiseConv2dLayerOptions, rest?: object): Layer {
  const options = layerOptions<DepthwiseConv2dLayerOptions>("depthwiseConv2d", ["kernelSize"], first, rest);
  const { strides, padding, dilationRate, depthMultiplier = 1 } = options;
  const taps = pairOf("depthwiseConv2d", "kernelSize", options.kernelSize);
  return layer("depthwiseConv2d", options, (x, context) => {
    const channels = lastOf("depthwiseConv2d", x, 4, "an image [batch, height, width, channels]");
    const kernel = kernelOf(context, [...taps, channels, depthMultiplier], options);
    const grouped = reshape(kernel, [...taps, 1, channels * depthMultiplier]);
    const bias = biasOf(context, channels * depthMultiplier, options);
    return activated(
      conv2dOp(x, grouped, { strides, padding, dilation: dilationRate, groups: channels, bias }),
      options,
    );
  });
}

export interface Conv2dTransposeLayerOptions extends KernelOptions {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides?: Pair;
  readonly padding?: Padding;
  readonly dilationRate?: Pair;
}

/**
 * The adjoint of a convolution, which enlarges by its strides: x [batch, height, width, channels], kernel
 * [kernelSize, filters, channels] -> [batch, height * stride ..., filters].
 */
export function conv2dTranspose(
  filters: number,
  kernelSize: Pair,
  options?: Omit<Conv2dTransposeLayerOptions, "filters" | "kernelSize">,
): Layer;
export function conv2dTranspose(options: Conv2dTransposeLayerOptions): Layer;
export function conv2dTranspose(first: number | Conv2dTransposeLayerOptions, kernelSize?: Pair, rest?: object): Layer {
  const places = ["filters", "kernelSize"] as const;
  const options = layerOptions<Conv2dTransposeLayerOptions>("conv2dTranspose", places, first, kernelSize, rest);
  const { filters, strides, padding, dilationRate } = options;
  const taps = pairOf("conv2dTranspose", "kernelSize", options.kernelSize);
  return layer("conv2dTranspose", options, (x, context) => {
    const channels = lastOf("conv2dTranspose", x, 4, "an image [batch, height, width, channels]");
    const kernel = kernelOf(context, [...taps, filters, channels], options);
    const bias = biasOf(context, filters, options);
    return activated(conv2dTransposeOp(x, kernel, { strides, padding, dilation: dilationRate, bias }), options);
  });
}

export interface DepthwiseConv1dLayerOptions extends KernelOptions {
  /** Time steps. */
  readonly kernelSize: number;
  readonly strides?: number;
  readonly padding?: Conv1dLayerOptions["padding"];
  readonly dilationRate?: number;
  /** Filters of each channel; default 1. */
  readonly depthMultiplier?: number;
}

/**
 * Each channel by kernels of its own, [kernelSize, channels, depthMultiplier]: x [batch, time, channels] ->
 * [batch, outTime, channels * depthMultiplier], output channel = channel * depthMultiplier + filter.
 */
export function depthwiseConv1d(
  first: number | DepthwiseConv1dLayerOptions,
  rest?: Omit<DepthwiseConv1dLayerOptions, "kernelSize">,
): Layer {
  const options = layerOptions<DepthwiseConv1dLayerOptions>("depthwiseConv1d", ["kernelSize"], first, rest);
  const { kernelSize, strides, padding, dilationRate, depthMultiplier = 1 } = options;
  return layer("depthwiseConv1d", options, (x, context) => {
    const channels = lastOf("depthwiseConv1d", x, 3, "a sequence [batch, time, channels]");
    const kernel = kernelOf(context, [kernelSize, channels, depthMultiplier], options);
    const grouped = reshape(kernel, [kernelSize, 1, channels * depthMultiplier]);
    const bias = biasOf(context, channels * depthMultiplier, options);
    return activated(
      conv1dOp(x, grouped, { strides, padding, dilation: dilationRate, groups: channels, bias }),
      options,
    );
  });
}

export interface Conv1dTransposeLayerOptions extends KernelOptions {
  readonly filters: number;
  /** Time steps. */
  readonly kernelSize: number;
  readonly strides?: number;
  /** Default `valid`. */
  readonly padding?: "valid" | "same";
  readonly dilationRate?: number;
}

/**
 * The adjoint of `conv1d`, which lengthens by its stride: x [batch, time, channels], kernel [kernelSize, filters, channels] ->
 * [batch, time * stride ..., filters].
 */
export function conv1dTranspose(
  first: number | Conv1dTransposeLayerOptions,
  kernelSize?: number,
  rest?: Omit<Conv1dTransposeLayerOptions, "filters" | "kernelSize">,
): Layer {
  const places = ["filters", "kernelSize"] as const;
  const options = layerOptions<Conv1dTransposeLayerOptions>("conv1dTranspose", places, first, kernelSize, rest);
  const { filters, strides = 1, padding = "valid", dilationRate = 1 } = options;
  return layer("conv1dTranspose", options, (x, context) => {
    const channels = lastOf("conv1dTranspose", x, 3, "a sequence [batch, time, channels]");
    const kernel = kernelOf(context, [options.kernelSize, filters, channels], options);
    const bias = biasOf(context, filters, options);
    const [batch, time] = x.shape;
    const y = conv2dTransposeOp(reshape(x, [batch, 1, time, channels]), reshape(kernel, [1, ...kernel.shape]), {
      strides: [1, strides],
      padding,
      dilation: [1, dilationRate],
      bias,
    });
    return activated(reshape(y, [batch, y.shape[2], filters]), options);
  });
}

/** The channels of an input of the right rank. */
function lastOf(name: string, x: Tensor, rank: number, expected: string): number {
  if (x.shape.length !== rank) throw new TilegradError("E_SHAPE", `${name}: got ${showType(x)}; expected ${expected}.`);
  return x.shape[rank - 1];
}

const kernelOf = (context: LayerContext, shape: readonly number[], options: KernelOptions): Tensor =>
  context.parameter("kernel", shape, {
    initializer: options.kernelInitializer ?? "glorotUniform",
    regularizer: options.kernelRegularizer,
  });

function biasOf(
  context: LayerContext,
  filters: number,
  { useBias = true, ...options }: KernelOptions,
): Tensor | undefined {
  if (!useBias) return undefined;
  return context.parameter("bias", [filters], {
    initializer: options.biasInitializer ?? "zeros",
    regularizer: options.biasRegularizer,
  });
}

const activated = (y: Tensor, { activation = "linear" }: KernelOptions): Tensor => activate(activation, y);
