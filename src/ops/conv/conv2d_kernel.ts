/** Which kernels convolve forward and back to the image, and with which numbers. */
import conv2dDirect from "../../../shaders/conv/conv2d_direct.wgsl";
import conv2dSubgroup from "../../../shaders/conv/conv2d_subgroup.wgsl";
import conv2dTiled from "../../../shaders/conv/conv2d_tiled.wgsl";
import type { KernelChoice } from "../../graph/types.ts";
import type { KernelLimits, KernelVariant } from "../../policy/limits.ts";
import { forced } from "../../policy/limits.ts";
import type { Geometry, WindowAttrs } from "./window.ts";

export interface ConvGeometry extends Geometry {
  readonly groups: number;
  /** Channels of x per group. */
  readonly depth: number;
  readonly filters: number;
  /** Filters per group. */
  readonly units: number;
}

/** Pixels, and channels, of one thread's tile: of four numbers that are loaded and stored at once. */
export const TILE = 4;
/** Channels of a tile in conv2d_subgroup.wgsl, and threads of its workgroup. */
const SUBGROUP_UNITS = 8;
const SUBGROUP_WG = 32;
/** What an operation of a direct kernel costs: with loads and indices, six of a matrix product's. */
export const DIRECT_EFFORT = 6;
/** Threads that keep a hardware GPU busy. */
const BUSY = 16384;

export const load = (hook: string, input: number, wide: boolean): KernelChoice["loads"][number] =>
  wide ? { hook: `${hook}4`, input, width: 4 } : { hook, input };

export const store = (hook: string, output: number, wide: boolean): KernelChoice["stores"][number] =>
  wide ? { hook: `${hook}4`, output, width: 4 } : { hook, output };

/** Can the device run it? */
export const CONV2D_VARIANTS = ["direct", "tiled", "subgroup"] as const;
type Conv2dVariant = (typeof CONV2D_VARIANTS)[number];

const supports = (variant: Conv2dVariant, { minSubgroupSize }: KernelLimits): boolean =>
  variant !== "subgroup" || minSubgroupSize >= 4;

export const conv2dVariants = (limits: KernelLimits): KernelVariant[] =>
  CONV2D_VARIANTS.filter((conv2d) => supports(conv2d, limits)).map((conv2d) => ({ force: { conv2d }, reorders: true }));

/** A convolution as conv2d_direct.wgsl sees it, whichever its direction. */
interface Direction {
  readonly pixels: number;
  /** Tiles of pixels in conv2d_subgroup.wgsl, which do not reach over the end of a row. */
  readonly rowTiles: number;
  readonly groups: number;
  /** Output channels of a group. */
  readonly units: number;
  /** Coordinates in x are divided: the strides of a gradient. */
  readonly divide: boolean;
  /** The pixels that neighbouring outputs and taps meet are neighbours. */
  readonly slide: boolean;
}

/** Is there such a kernel for it? The subgroup kernel divides no coordinates. */
const fits = (variant: Conv2dVariant, { divide }: Direction, limits: KernelLimits): boolean =>
  supports(variant, limits) && (variant !== "subgroup" || !divide);

/** They add up in different orders, so shape and device alone choose between them, unless determinism is not asked for. */
function chooseVariant(shape: Direction, limits: KernelLimits): Conv2dVariant {
  // A resident plan compiles all of its kernels as one, in which tiles would take seconds.
  if (limits.resident) return "direct";
  const asked = forced(limits, "conv2d", CONV2D_VARIANTS);
  if (asked && fits(asked, shape, limits)) return asked;
  const { pixels, rowTiles, groups, units, slide } = shape;
  // Fewest loads, but its tiles end with rows. Measured: worth it where at most a fifth of them is idle; with four lanes to
  // a subgroup, where weights take twice the loads, a tenth.
  const used = (pixels * units) / (rowTiles * TILE * Math.ceil(units / SUBGROUP_UNITS) * SUBGROUP_UNITS);
  const worth = limits.minSubgroupSize >= 8 ? used >= 0.8 : slide && used >= 0.9;
  if (limits.software && worth && fits("subgroup", shape, limits)) return "subgroup";
  // Tiles read each pixel and weight a quarter as often; below three channels most of a tile would be idle.
  const tiles = Math.ceil(pixels / TILE) * groups * Math.ceil(units / TILE);
  return units >= 3 && pixels >= TILE && (limits.software || tiles >= BUSY) ? "tiled" : "direct";
}

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
  const depth = forward ? g.depth : g.units;
  const [outHeight, outWidth] = forward ? [g.outHeight, g.outWidth] : [g.height, g.width];
  const shape: Direction = {
    pixels: g.batch * outHeight * outWidth,
    rowTiles: g.batch * outHeight * Math.ceil(outWidth / TILE),
    groups: g.groups,
    units,
    divide: !forward && (strides[0] > 1 || strides[1] > 1),
    slide: (!forward || strides[1] === 1) && dilation[1] === 1,
  };
  const variant = chooseVariant(shape, limits);
  const narrow = variant === "direct";
  const [wideX, wideY] = [!narrow && depth % TILE === 0, !narrow && units % TILE === 0];
  // The subgroup kernel takes four weights of four channels at once, or one of one.
  const wideKernel = variant === "subgroup" ? wideX && (wideY || !forward) : forward ? wideY : wideX;
  const tap = g.depth * g.filters;
  const wide = { WIDE_X: wideX, WIDE_Y: wideY, WIDE_KERNEL: wideKernel, TRANSPOSED: !forward };
  const special = specialise(variant, shape, limits, wide);
  return {
    ...special,
    params: {
      ...special.params,
      pixels: shape.pixels,
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
      // Backward, the last tap is the first one met.
      offset_y: forward ? -top : top - (g.tapsY - 1) * dilation[0],
      offset_x: forward ? -left : left - (g.tapsX - 1) * dilation[1],
      step_y: dilation[0],
      step_x: dilation[1],
      divide_y: forward ? 1 : strides[0],
      divide_x: forward ? 1 : strides[1],
      weight_start: forward ? 0 : (g.tapsY * g.tapsX - 1) * tap,
      weight_tap: forward ? tap : -tap,
      weight_unit: forward ? 1 : g.filters,
      weight_depth: forward ? g.filters : 1,
      weight_group: g.units,
    },
    loads: [load("load_x", 0, wideX), load("load_kernel", 1, wideKernel)],
    stores: [store("store_y", 0, wideY)],
  };
}

function specialise(
  variant: Conv2dVariant,
  { pixels, rowTiles, groups, units, divide, slide }: Direction,
  limits: KernelLimits,
  wide: NonNullable<KernelChoice["constants"]>,
): Omit<KernelChoice, "loads" | "stores"> {
  switch (variant) {
    case "direct": {
      const threads = pixels * units * groups;
      const constants = { DIVIDE: divide };
      return { shader: conv2dDirect, effort: DIRECT_EFFORT, constants, params: { count: threads }, grid: { threads } };
    }
    case "tiled": {
      const threads = Math.ceil(pixels / TILE) * groups * Math.ceil(units / TILE);
      return {
        shader: conv2dTiled,
        constants: { ...wide, DIVIDE: divide },
        params: { count: threads },
        grid: { threads },
      };
    }
    case "subgroup": {
      const constants = { ...wide, SLIDE: slide, LANES: limits.minSubgroupSize >= 8 ? 8 : 4 };
      const blocks = Math.ceil(rowTiles / SUBGROUP_WG) * groups * Math.ceil(units / SUBGROUP_UNITS);
      return { shader: conv2dSubgroup, constants, params: { count: rowTiles }, grid: { workgroups: [blocks, 1, 1] } };
    }
    default:
      return variant satisfies never;
  }
}
