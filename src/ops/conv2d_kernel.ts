/** Which kernels convolve, and with which numbers. */
import conv2dDirect from "../../shaders/conv2d_direct.wgsl";
import conv2dKernelGrad from "../../shaders/conv2d_kernel_grad.wgsl";
import conv2dKernelGradDirect from "../../shaders/conv2d_kernel_grad_direct.wgsl";
import conv2dTiled from "../../shaders/conv2d_tiled.wgsl";
import type { KernelChoice, KernelLimits } from "./op.ts";
import { CONV2D_VARIANTS } from "./op.ts";
import type { Geometry, WindowAttrs } from "./window.ts";

export interface ConvGeometry extends Geometry {
  readonly groups: number;
  /** Channels of x per group. */
  readonly depth: number;
  readonly filters: number;
  /** Filters per group. */
  readonly units: number;
}

/** Pixels and channels of one thread's tile in conv2d_tiled.wgsl, rows and columns in conv2d_kernel_grad.wgsl. */
const TILE = 4;
/** What an operation of a direct kernel costs: with loads and indices, four to five of a matrix product's. */
const DIRECT_EFFORT = 4;
/** Threads that keep a hardware GPU busy. */
const BUSY = 16384;

export const conv2dVariants = (): Partial<KernelLimits>[] => CONV2D_VARIANTS.map((conv2d) => ({ conv2d }));

const load = (hook: string, input: number, wide: boolean): KernelChoice["loads"][number] =>
  wide ? { hook: `${hook}4`, input, width: 4 } : { hook, input };

const store = (hook: string, output: number, wide: boolean): KernelChoice["stores"][number] =>
  wide ? { hook: `${hook}4`, output, width: 4 } : { hook, output };

/**
 * Forward, an output pixel o meets the image at o * stride - padding + tap * dilation. Backward, a pixel i of the image
 * meets the output at (i + padding - tap * dilation) / stride, where that is whole. The shaders know only the common
 * form.
 */
export function conv2dKernel(
  g: ConvGeometry,
  { strides, dilation, padding: [[top], [left]] }: WindowAttrs,
  direction: "forward" | "inputGrad",
  limits: KernelLimits,
): KernelChoice {
  const forward = direction === "forward";
  const units = forward ? g.units : g.depth;
  const [outHeight, outWidth] = forward ? [g.outHeight, g.outWidth] : [g.height, g.width];
  const pixels = g.batch * outHeight * outWidth;
  const tiles = Math.ceil(pixels / TILE) * g.groups * Math.ceil(units / TILE);
  // Tiles read each pixel and weight a quarter as often; below three channels most of a tile would be idle.
  const better = units >= 3 && pixels >= TILE && (limits.software || tiles >= BUSY) ? "tiled" : "direct";
  // A resident plan compiles all of its kernels as one, in which tiles would take seconds.
  const tiled = !limits.resident && (limits.conv2d ?? better) === "tiled";
  const threads = tiled ? tiles : pixels * units * g.groups;
  const depth = forward ? g.depth : g.units;
  const [wideX, wideY] = [tiled && depth % TILE === 0, tiled && units % TILE === 0];
  const wideKernel = forward ? wideY : wideX;
  const wide = { WIDE_X: wideX, WIDE_Y: wideY, WIDE_KERNEL: wideKernel, TRANSPOSED: !forward };
  return {
    shader: tiled ? conv2dTiled : conv2dDirect,
    effort: tiled ? 1 : DIRECT_EFFORT,
    constants: { DIVIDE: !forward && (strides[0] > 1 || strides[1] > 1), ...(tiled ? wide : {}) },
    params: {
      count: threads,
      pixels,
      out_height: outHeight,
      out_width: outWidth,
      out_channels: units * g.groups,
      units,
      height: forward ? g.height : g.outHeight,
      width: forward ? g.width : g.outWidth,
      channels: forward ? g.channels : g.filters,
      depth,
      taps_y: g.tapsY,
      taps_x: g.tapsX,
      scale_y: forward ? strides[0] : 1,
      scale_x: forward ? strides[1] : 1,
      offset_y: forward ? -top : top,
      offset_x: forward ? -left : left,
      step_y: forward ? dilation[0] : -dilation[0],
      step_x: forward ? dilation[1] : -dilation[1],
      divide_y: forward ? 1 : strides[0],
      divide_x: forward ? 1 : strides[1],
      weight_tap: g.depth * g.filters,
      weight_unit: forward ? 1 : g.filters,
      weight_depth: forward ? g.filters : 1,
      weight_group: g.units,
    },
    grid: { threads },
    loads: [load("load_x", 0, wideX), load("load_kernel", 1, wideKernel)],
    stores: [store("store_y", 0, wideY)],
  };
}

/** A tile of weights stays within one tap where that leaves few of its places idle. */
const oneTap = (g: ConvGeometry): boolean => g.depth >= TILE - 1;

function gradTiles(g: ConvGeometry): number {
  const taps = g.tapsY * g.tapsX;
  const weightTiles = oneTap(g) ? taps * Math.ceil(g.depth / TILE) : Math.ceil((taps * g.depth) / TILE);
  return weightTiles * Math.ceil(g.units / TILE) * g.groups;
}

/** How many shares the kernel gradient's sum is cut into: enough threads, each with enough pixels; by shape alone. */
export function kernelGradSplits(g: ConvGeometry): number {
  const rows = g.batch * g.outHeight;
  const tiles = gradTiles(g);
  // Up to 32 shares are added by a serial sum, which many weights want on every device.
  const wanted = Math.min(Math.ceil(4096 / tiles), tiles >= 32 ? 32 : 4096);
  const most = Math.floor((rows * g.outWidth) / 64);
  const splits = Math.max(1, Math.min(wanted, most, rows));
  // Shares are whole rows: no more of them than hold any.
  return Math.ceil(rows / Math.ceil(rows / splits));
}

export function kernelGradKernel(
  g: ConvGeometry,
  { strides, dilation, padding: [[top], [left]] }: WindowAttrs,
  { splits, bias }: { readonly splits: number; readonly bias: boolean },
  limits: KernelLimits,
): KernelChoice {
  const tiled = !limits.resident;
  const weights = g.tapsY * g.tapsX * g.depth;
  const biasTiles = bias ? Math.ceil(g.units / TILE) * g.groups : 0;
  const threads = (tiled ? gradTiles(g) + biasTiles : (weights + Number(bias)) * g.filters) * splits;
  const rows = g.batch * g.outHeight;
  const [wideX, wideFilters] = [tiled && g.depth % TILE === 0, tiled && g.units % TILE === 0];
  const tiles = { ONE_TAP: oneTap(g), WIDE_CHANNELS: wideX, WIDE_FILTERS: wideFilters };
  return {
    shader: tiled ? conv2dKernelGrad : conv2dKernelGradDirect,
    effort: tiled ? 1 : DIRECT_EFFORT,
    constants: { BIAS: bias, ...(tiled ? tiles : {}) },
    params: {
      count: threads,
      rows,
      share: Math.ceil(rows / splits),
      out_height: g.outHeight,
      out_width: g.outWidth,
      height: g.height,
      width: g.width,
      channels: g.channels,
      depth: g.depth,
      filters: g.filters,
      units: g.units,
      groups: g.groups,
      taps_x: g.tapsX,
      weights,
      stride_y: strides[0],
      stride_x: strides[1],
      dilation_y: dilation[0],
      dilation_x: dilation[1],
      top,
      left,
    },
    grid: { threads },
    loads: [load("load_x", 0, wideX), load("load_dy", 1, wideFilters)],
    stores: [store("store_y", 0, wideFilters), ...(bias ? [{ hook: "store_bias", output: 1 }] : [])],
  };
}
