/** Which kernels give the gradient of a convolution's kernel, and with which numbers. */
import conv2dKernelGrad from "../../../shaders/conv/conv2d_kernel_grad.wgsl";
import conv2dKernelGradDirect from "../../../shaders/conv/conv2d_kernel_grad_direct.wgsl";
import conv2dKernelGradTaps from "../../../shaders/conv/conv2d_kernel_grad_taps.wgsl";
import type { KernelChoice } from "../../graph/types.ts";
import type { KernelLimits, KernelVariant } from "../../policy/limits.ts";
import { forced } from "../../policy/limits.ts";
import type { ConvGeometry } from "./conv2d_kernel.ts";
import { DIRECT_EFFORT, load, store, TILE } from "./conv2d_kernel.ts";
import type { WindowAttrs } from "./window.ts";

/** A tile of weights stays within one tap where that leaves few of its places idle. */
const oneTap = (g: ConvGeometry): boolean => g.depth >= TILE - 1;

function gradTiles(g: ConvGeometry): number {
  const taps = g.tapsY * g.tapsX;
  const weightTiles = oneTap(g) ? taps * Math.ceil(g.depth / TILE) : Math.ceil((taps * g.depth) / TILE);
  return weightTiles * Math.ceil(g.units / TILE) * g.groups;
}

/** How many of `taps` along an axis, at most `most`, a thread of conv2d_kernel_grad_taps.wgsl has: equally many for all. */
const shareOf = (taps: number, most: number): number => Math.ceil(taps / Math.ceil(taps / most));
const tapRows = (g: ConvGeometry): number => shareOf(g.tapsY, 3);
const tapColumns = (g: ConvGeometry): number => shareOf(g.tapsX, 4);
const tapTiles = (g: ConvGeometry): number => Math.ceil(g.tapsY / tapRows(g)) * Math.ceil(g.tapsX / tapColumns(g));
const tapThreads = (g: ConvGeometry): number => tapTiles(g) * g.channels * Math.ceil(g.units / TILE);

export const KERNEL_GRAD_VARIANTS = ["direct", "tiled", "taps"] as const;
type KernelGradVariant = (typeof KERNEL_GRAD_VARIANTS)[number];

export const kernelGradVariants = (): KernelVariant[] =>
  KERNEL_GRAD_VARIANTS.map((conv2dKernelGrad) => ({ force: { conv2dKernelGrad } }));

/** On a software GPU, what a load of four numbers costs, in loads of one. */
const WIDE_LOAD = 2.5;

/** All add in the order of the rows. */
function chooseVariant(g: ConvGeometry, { strides, dilation }: WindowAttrs, limits: KernelLimits): KernelGradVariant {
  const { resident, software } = limits;
  if (resident) return "direct";
  // A pixel of x serves the taps of a row one after the other.
  const slide = strides[1] === 1 && dilation[1] === 1;
  const asked = forced(limits, "conv2dKernelGrad", KERNEL_GRAD_VARIANTS);
  if (asked && (asked !== "taps" || slide)) return asked;
  // What a channel's taps cost in loads: a pixel for each row of taps and one of dy for all, or both for each tap and four
  // channels.
  const fewer = tapTiles(g) * (tapRows(g) + WIDE_LOAD) < (g.tapsY * g.tapsX * 2 * WIDE_LOAD) / TILE;
  return software && slide && (fewer || g.depth % TILE > 0) ? "taps" : "tiled";
}

/**
 * How many shares the kernel gradient's sum is cut into: enough threads, each with enough pixels; by shape and device
 * alone.
 */
export function kernelGradSplits(g: ConvGeometry, attrs: WindowAttrs, limits: KernelLimits): number {
  const rows = g.batch * g.outHeight;
  const tiles = chooseVariant(g, attrs, limits) === "taps" ? tapThreads(g) : gradTiles(g);
  // Up to 32 shares are added by a serial sum, which many weights want on every device, and software GPUs where their few
  // cores have enough to do.
  const serial = limits.software ? Math.max(32, Math.ceil(512 / tiles)) : tiles >= 32 ? 32 : 4096;
  const wanted = Math.min(Math.ceil(4096 / tiles), serial);
  const most = Math.floor((rows * g.outWidth) / 64);
  const splits = Math.max(1, Math.min(wanted, most, rows));
  // Shares are whole rows: no more of them than hold any.
  return Math.ceil(rows / Math.ceil(rows / splits));
}

export function kernelGradKernel(
  g: ConvGeometry,
  attrs: WindowAttrs,
  { splits, bias }: { readonly splits: number; readonly bias: boolean },
  limits: KernelLimits,
): KernelChoice {
  const { strides, dilation } = attrs;
  const [[top], [left]] = attrs.padding;
  const rows = g.batch * g.outHeight;
  const weights = g.tapsY * g.tapsX * g.depth;
  const params = {
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
    taps_x: g.tapsX,
    weights,
    stride_y: strides[0],
    dilation_y: dilation[0],
    top,
    left,
  };
  const alongX = { groups: g.groups, stride_x: strides[1], dilation_x: dilation[1] };
  const variant = chooseVariant(g, attrs, limits);
  const wideX = variant === "tiled" && g.depth % TILE === 0;
  const wideFilters = variant !== "direct" && g.units % TILE === 0;
  const common = {
    loads: [load("load_x", 0, wideX), load("load_dy", 1, wideFilters)],
    stores: [store("store_y", 0, wideFilters), ...(bias ? [{ hook: "store_bias", output: 1 }] : [])],
  };
  switch (variant) {
    case "direct": {
      const threads = (weights + Number(bias)) * g.filters * splits;
      return {
        ...common,
        shader: conv2dKernelGradDirect,
        effort: DIRECT_EFFORT,
        constants: { BIAS: bias },
        params: { count: threads, ...params, ...alongX },
        grid: { threads },
      };
    }
    case "tiled": {
      const threads = (gradTiles(g) + (bias ? Math.ceil(g.units / TILE) * g.groups : 0)) * splits;
      return {
        ...common,
        shader: conv2dKernelGrad,
        constants: { BIAS: bias, ONE_TAP: oneTap(g), WIDE_CHANNELS: wideX, WIDE_FILTERS: wideFilters },
        params: { count: threads, ...params, ...alongX },
        grid: { threads },
      };
    }
    case "taps": {
      const threads = tapThreads(g) * splits;
      return {
        ...common,
        shader: conv2dKernelGradTaps,
        constants: { BIAS: bias, ROWS: tapRows(g), COLUMNS: tapColumns(g), WIDE_FILTERS: wideFilters },
        params: { count: threads, ...params, taps_y: g.tapsY },
        grid: { threads },
      };
    }
    default:
      return variant satisfies never;
  }
}
