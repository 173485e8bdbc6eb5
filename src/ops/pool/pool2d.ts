/** Maximum and average over windows of images (NHWC), and their gradients. */

import avgPool2dGrad from "../../../shaders/pool/avg_pool2d_grad.wgsl";
import maxPool2dGrad from "../../../shaders/pool/max_pool2d_grad.wgsl";
import maxPool2dGradDisjoint from "../../../shaders/pool/max_pool2d_grad_disjoint.wgsl";
import pool2d from "../../../shaders/pool/pool2d.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { Attrs, KernelChoice, Node, OpDef, Sample, Tensor, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import type { KernelLimits } from "../../policy/limits.ts";
import type { Geometry, Padding, Pair, WindowAttrs } from "../conv/window.ts";
import { eachTap, geometryOf, pairOf, resolveWindow } from "../conv/window.ts";
import { max, mean } from "../core/reduce.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";

function poolGeometry(op: string, x: TensorType, attrs: Attrs): Geometry {
  expectDType(op, x, "f32");
  const g = x.shape.length === 4 ? geometryOf(x, attrs.size, attrs as WindowAttrs) : null;
  if (!g || g.outHeight < 1 || g.outWidth < 1) {
    throw shapeError(
      op,
      [x],
      `an image [batch, height, width, channels] of at least ${attrs.size.join(" x ")} with its padding`,
    );
  }
  return g;
}

const pooled = (g: Geometry): TensorType => f32(g.batch, g.outHeight, g.outWidth, g.channels);

/** Four channels a thread, where they are neighbours and enough threads remain; a resident plan would compile longer. */
const isWide = (channels: number, elements: number, { software, resident }: KernelLimits): boolean =>
  !resident && channels % 4 === 0 && (software || elements >= BUSY);

/** Elements of which a quarter as many threads keep a hardware GPU busy. */
const BUSY = 65_536;

const WIDE = { WIDTH: 4, Value: "vec4<f32>" };

function poolParams(g: Geometry, { strides, padding: [[top], [left]] }: WindowAttrs) {
  return {
    height: g.height,
    width: g.width,
    channels: g.channels,
    out_height: g.outHeight,
    out_width: g.outWidth,
    taps_y: g.tapsY,
    taps_x: g.tapsX,
    stride_y: strides[0],
    stride_x: strides[1],
    top,
    left,
  };
}

function poolKernel(name: string, average: boolean) {
  return ({ inputs: [x], attrs, outputs: [y] }: Node, limits: KernelLimits): KernelChoice => {
    const wide = isWide(x.shape[3], sizeOf(y.shape), limits);
    const width = wide ? 4 : undefined;
    const threads = sizeOf(y.shape) / (width ?? 1);
    return {
      shader: pool2d,
      constants: {
        AVERAGE: average,
        INCLUDE_PAD: attrs.countIncludePad === true,
        ...(wide ? { ...WIDE, Bits: "vec4<u32>" } : {}),
      },
      params: { count: threads, ...poolParams(poolGeometry(name, x, attrs), attrs as WindowAttrs) },
      grid: { threads },
      loads: [{ hook: "load_x", input: 0, width }],
      stores: [{ hook: "store_y", output: 0, width }],
    };
  };
}

const poolFlops = ({ attrs, outputs: [y] }: Node): number => sizeOf(y.shape) * sizeOf(attrs.size);

const maxPool2dOp: OpDef = {
  name: "maxPool2d",
  shape: ([x], attrs) => [pooled(poolGeometry("maxPool2d", x, attrs))],
  grad: ({ inputs: [x], attrs, outputs: [y], upstream: [dy] }) => [
    apply1(maxPool2dGradOp, [x, y, dy as Tensor], attrs),
  ],
  reference: ({ inputs: [x], inputTypes: [type], attrs, outputs: [y] }) => {
    const g = poolGeometry("maxPool2d", type, attrs);
    const { channels } = g;
    y.fill(Number.NEGATIVE_INFINITY);
    eachTap(g, attrs as WindowAttrs, (at, _, out) => {
      for (let c = 0; c < channels; c++) y[out * channels + c] = Math.max(y[out * channels + c], x[at * channels + c]);
    });
  },
  kernel: poolKernel("maxPool2d", false),
  flops: poolFlops,
  samples: () => [
    ...cases({}),
    ...cases({}).map(({ inputs: [x], attrs }) => ({ inputs: [ties(x)], attrs, gradcheck: false })),
  ],
};

/** Values of which many are equal. */
const ties = (x: TensorType) => ({ ...x, values: Array.from({ length: sizeOf(x.shape) }, (_, i) => (i * i) % 3) });

/** x, y = maxPool2d(x), dy -> dx: each window's gradient goes to its first maximum, row by row. */
const maxPool2dGradOp: OpDef = {
  name: "maxPool2dGrad",
  shape: ([x, y, dy], attrs) => {
    const expected = pooled(poolGeometry("maxPool2dGrad", x, attrs)).shape.join();
    if (y.shape.join() !== expected || dy.shape.join() !== expected) {
      throw shapeError("maxPool2dGrad", [x, y, dy], `y and dy of [${expected}]`);
    }
    return [f32(...x.shape)];
  },
  reference: ({ inputs: [x, y, dy], inputTypes: [type], attrs, outputs: [dx] }) => {
    const g = poolGeometry("maxPool2dGrad", type, attrs);
    const { channels } = g;
    const given = new Uint8Array(y.length);
    eachTap(g, attrs as WindowAttrs, (at, _, out) => {
      for (let c = 0; c < channels; c++) {
        const window = out * channels + c;
        if (given[window] || x[at * channels + c] !== y[window]) continue;
        given[window] = 1;
        dx[at * channels + c] += dy[window];
      }
    });
  },
  kernel: ({ inputs: [x, y], attrs }, limits) => {
    const disjoint = [0, 1].every((axis) => attrs.strides[axis] >= attrs.size[axis]);
    const wide = disjoint && isWide(x.shape[3], sizeOf(y.shape), limits);
    const width = wide ? 4 : undefined;
    const threads = sizeOf(disjoint ? y.shape : x.shape) / (width ?? 1);
    return {
      shader: disjoint ? maxPool2dGradDisjoint : maxPool2dGrad,
      constants: wide ? { ...WIDE, Places: "vec4<u32>" } : {},
      params: { count: threads, ...poolParams(poolGeometry("maxPool2dGrad", x, attrs), attrs as WindowAttrs) },
      grid: { threads },
      loads: [
        { hook: "load_x", input: 0, width },
        ...(disjoint ? [] : [{ hook: "load_y", input: 1 }]),
        { hook: "load_dy", input: 2, width },
      ],
      stores: [{ hook: "store_dx", output: 0, width }],
    };
  },
  flops: ({ inputs: [, y], attrs }) => sizeOf(y.shape) * sizeOf(attrs.size),
};

const avgPool2dOp: OpDef = {
  name: "avgPool2d",
  shape: ([x], attrs) => [pooled(poolGeometry("avgPool2d", x, attrs))],
  grad: ({ inputs: [x], attrs, upstream: [dy] }) => [
    apply1(avgPool2dGradOp, [dy as Tensor], { ...attrs, image: x.shape.slice(1, 3) }),
  ],
  reference: ({ inputs: [x], inputTypes: [type], attrs, outputs: [y] }) => {
    const g = poolGeometry("avgPool2d", type, attrs);
    const { channels } = g;
    const counts = windowCounts(g, attrs);
    eachTap(g, attrs as WindowAttrs, (at, _, out) => {
      for (let c = 0; c < channels; c++) y[out * channels + c] += x[at * channels + c] / counts[out];
    });
  },
  kernel: poolKernel("avgPool2d", true),
  flops: poolFlops,
  samples: () => [...cases({ countIncludePad: false }), ...cases({ countIncludePad: true })],
};

/** dy -> dx of avgPool2d for an image of [height, width] `image`. */
const avgPool2dGradOp: OpDef = {
  name: "avgPool2dGrad",
  shape: ([dy], attrs) => {
    const x = f32(dy.shape[0], attrs.image[0], attrs.image[1], dy.shape[3]);
    const expected = pooled(poolGeometry("avgPool2dGrad", x, attrs));
    if (expected.shape.join() !== dy.shape.join())
      throw shapeError("avgPool2dGrad", [dy], `[${expected.shape.join(", ")}]`);
    return [x];
  },
  grad: ({ attrs, upstream: [upstream] }) => [apply1(avgPool2dOp, [upstream as Tensor], attrs)],
  reference: ({ inputs: [dy], attrs, outputs: [dx], outputTypes: [type] }) => {
    const g = poolGeometry("avgPool2dGrad", type, attrs);
    const { channels } = g;
    const counts = windowCounts(g, attrs);
    eachTap(g, attrs as WindowAttrs, (at, _, out) => {
      for (let c = 0; c < channels; c++) dx[at * channels + c] += dy[out * channels + c] / counts[out];
    });
  },
  kernel: ({ attrs, outputs: [x] }, limits) => {
    const wide = isWide(x.shape[3], sizeOf(x.shape), limits);
    const width = wide ? 4 : undefined;
    const threads = sizeOf(x.shape) / (width ?? 1);
    return {
      shader: avgPool2dGrad,
      constants: { INCLUDE_PAD: attrs.countIncludePad === true, ...(wide ? WIDE : {}) },
      params: { count: threads, ...poolParams(poolGeometry("avgPool2dGrad", x, attrs), attrs as WindowAttrs) },
      grid: { threads },
      loads: [{ hook: "load_dy", input: 0, width }],
      stores: [{ hook: "store_dx", output: 0, width }],
    };
  },
  flops: ({ inputs: [dy], attrs }) => sizeOf(dy.shape) * sizeOf(attrs.size),
  samples: () =>
    [...cases({ countIncludePad: false }), ...cases({ countIncludePad: true })].map(({ inputs: [x], attrs = {} }) => ({
      inputs: [pooled(poolGeometry("avgPool2dGrad", x, attrs))],
      attrs: { ...attrs, image: x.shape.slice(1, 3) },
    })),
};

/** What each window divides by. */
function windowCounts(g: Geometry, attrs: Attrs): Uint32Array {
  const counts = new Uint32Array(g.batch * g.outHeight * g.outWidth);
  if (attrs.countIncludePad) return counts.fill(sizeOf(attrs.size));
  eachTap(g, attrs as WindowAttrs, (_, __, out) => {
    counts[out]++;
  });
  return counts;
}

const POOL_OPTIONS = {
  /** Height and width of the window. */
  poolSize: is.required(is.numbers as Kind<Pair>),
  /** Default: the window's size. */
  strides: is.numbers as Kind<Pair>,
  /** Must be smaller than the window, so that every window holds a real pixel. Default `valid`. */
  padding: is.anything as Kind<Padding>,
};

export interface Pool2dOptions extends OptionsOf<typeof POOL_OPTIONS> {}

const AVG_POOL_OPTIONS = {
  ...POOL_OPTIONS,
  /**
   * Divide by the window's size even where it covers padding (PyTorch's default). Default: by the real pixels (Keras).
   */
  countIncludePad: is.boolean,
};

export interface AvgPool2dOptions extends OptionsOf<typeof AVG_POOL_OPTIONS> {}

function poolAttrs(op: string, x: Tensor, options: Pool2dOptions): Attrs {
  checkTensors(op, x);
  const { poolSize, strides, padding } = checkOptions(op, options, POOL_OPTIONS);
  const size = pairOf(op, "poolSize", poolSize);
  const attrs = resolveWindow(op, x.shape.slice(1, 3), size, { strides: strides ?? size, padding });
  if (attrs.padding.some((sides, axis) => sides.some((n) => n >= size[axis]))) {
    throw new TilegradError(
      "E_ARGUMENT",
      `${op}: got padding ${JSON.stringify(padding)} for a window of ${size.join(" x ")}.`,
      {
        hint: "Use less padding than the window is wide.",
      },
    );
  }
  return { ...attrs, size };
}

/**
 * Maxima of the windows: x [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]; padding never
 * wins.
 */
export const maxPool2d = (x: Tensor, options: Pool2dOptions): Tensor =>
  apply1(maxPool2dOp, [x], poolAttrs("maxPool2d", x, options));

/** Means of the windows: x [batch, height, width, channels] -> [batch, outHeight, outWidth, channels]. */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const { countIncludePad = false, ...window } = checkOptions("avgPool2d", options, AVG_POOL_OPTIONS);
  return apply1(avgPool2dOp, [x], { ...poolAttrs("avgPool2d", x, window), countIncludePad });
}

const POOL_1D_OPTIONS = {
  /** Steps of the window. */
  poolSize: is.required(is.number),
  /** Default: the window's size. */
  strides: is.number,
  /** As in two dimensions; [before, after]. */
  padding: is.anything as Kind<"valid" | "same" | readonly [number, number]>,
};

export interface Pool1dOptions extends OptionsOf<typeof POOL_1D_OPTIONS> {}

const AVG_POOL_1D_OPTIONS = { ...POOL_1D_OPTIONS, countIncludePad: AVG_POOL_OPTIONS.countIncludePad };

export interface AvgPool1dOptions extends OptionsOf<typeof AVG_POOL_1D_OPTIONS> {}

/** x [batch, time, channels] as an image one pixel high. */
function as2d(pool: (x: Tensor, options: Pool2dOptions) => Tensor, x: Tensor, options: Pool1dOptions): Tensor {
  checkTensors("pool1d", x);
  const { poolSize, strides = poolSize, padding = "valid" } = checkOptions("pool1d", options, POOL_1D_OPTIONS);
  const around: Padding = typeof padding === "string" ? padding : [[0, 0], padding];
  const image = reshape(x, [x.shape[0], 1, ...x.shape.slice(1)]);
  const y = pool(image, { poolSize: [1, poolSize], strides: [1, strides], padding: around });
  return reshape(y, [y.shape[0], ...y.shape.slice(2)]);
}

/** x [batch, time, channels] -> [batch, outTime, channels] */
export const maxPool1d = (x: Tensor, options: Pool1dOptions): Tensor => as2d(maxPool2d, x, options);

/** x [batch, time, channels] -> [batch, outTime, channels] */
export function avgPool1d(x: Tensor, options: AvgPool1dOptions): Tensor {
  const { countIncludePad, ...rest } = checkOptions("avgPool1d", options, AVG_POOL_1D_OPTIONS);
  return as2d((image, window) => avgPool2d(image, { ...window, countIncludePad }), x, rest);
}

function between(x: Tensor): number[] {
  checkTensors("globalPool", x);
  return x.shape.map((_, d) => d).slice(1, -1);
}

/** The mean over all axes between batch and channels: [batch, ..., channels] -> [batch, channels]. */
export const globalAvgPool = (x: Tensor): Tensor => mean(x, { axes: between(x) });

/** The maximum over all axes between batch and channels: [batch, ..., channels] -> [batch, channels]. */
export const globalMaxPool = (x: Tensor): Tensor => max(x, { axes: between(x) });

function cases(extra: Attrs): Sample[] {
  const one = (shape: readonly number[], size: readonly [number, number], strides: Pair, padding: Padding): Sample => ({
    inputs: [f32(...shape)],
    attrs: { ...resolveWindow("pool", shape.slice(1, 3), size, { strides, padding }), size, ...extra },
  });
  return [
    one([1, 1, 1, 1], [1, 1], 1, "valid"),
    one([2, 4, 6, 3], [2, 2], 2, "valid"),
    one([1, 7, 5, 2], [3, 3], 2, "same"),
    one([3, 6, 5, 5], [3, 2], 1, "same"),
    one(
      [1, 11, 7, 1],
      [2, 3],
      [3, 2],
      [
        [1, 0],
        [2, 1],
      ],
    ),
    one([2, 13, 17, 3], [2, 2], 3, "valid"),
    one(
      [1, 6, 7, 2],
      [3, 2],
      [3, 2],
      [
        [2, 1],
        [1, 1],
      ],
    ),
  ];
}

export const pool2dOps = [maxPool2dOp, maxPool2dGradOp, avgPool2dOp, avgPool2dGradOp];
