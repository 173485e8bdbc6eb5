/** Enlarging images by whole factors. */

import upsampleBilinearGrad from "../../../shaders/image/upsample_bilinear_grad.wgsl";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { Attrs, InlineCode, OpDef, Sample, Tensor, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions } from "../../options.ts";
import type { Pair } from "../conv/window.ts";
import { pairOf } from "../conv/window.ts";
import { broadcastTo } from "../core/broadcast.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";

/**
 * Where output `at` of an axis lies between two inputs: pixels are squares, their centres at half integers, and the
 * border repeats (TensorFlow's and Keras's bilinear resize, PyTorch's align_corners = false).
 */
function between(at: number, factor: number, size: number): { low: number; high: number; weight: number } {
  const from = Math.max((at + 0.5) / factor - 0.5, 0);
  const low = Math.floor(from);
  return { low, high: Math.min(low + 1, size - 1), weight: from - low };
}

/**
 * visit(x, y, weight): pixel y of the large image takes `weight` of pixel x; pixels numbered over batch and both axes.
 */
function eachPart(
  x: TensorType,
  [fy, fx]: readonly number[],
  visit: (x: number, y: number, weight: number) => void,
): void {
  const [batch, height, width] = x.shape;
  let out = 0;
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < height * fy; oy++) {
      const v = between(oy, fy, height);
      for (let ox = 0; ox < width * fx; ox++, out++) {
        const h = between(ox, fx, width);
        for (const [row, a] of [
          [v.low, 1 - v.weight],
          [v.high, v.weight],
        ]) {
          for (const [column, b] of [
            [h.low, 1 - h.weight],
            [h.high, h.weight],
          ]) {
            visit((n * height + row) * width + column, out, a * b);
          }
        }
      }
    }
  }
}

const enlarged = ({ shape: [batch, height, width, channels] }: TensorType, [fy, fx]: readonly number[]): TensorType =>
  f32(batch, height * fy, width * fx, channels);

const bilinearOp: OpDef = {
  name: "upsampleBilinear",
  shape: ([x], { factors }) => {
    expectDType("upsampleBilinear", x, "f32");
    if (x.shape.length !== 4) throw shapeError("upsampleBilinear", [x], "an image [batch, height, width, channels]");
    return [enlarged(x, factors)];
  },
  grad: ({ attrs, upstream: [dy] }) => [apply1(bilinearGradOp, [dy as Tensor], attrs)],
  reference: ({ inputs: [x], inputTypes: [type], attrs, outputs: [y] }) => {
    const channels = type.shape[3];
    eachPart(type, attrs.factors, (from, to, weight) => {
      for (let c = 0; c < channels; c++) y[to * channels + c] += weight * x[from * channels + c];
    });
  },
  inline: (code, { inputs: [x], attrs: { factors } }, index) => {
    const [, height, width, channels] = x.shape;
    const c = code.dim(channels);
    const pixel = code.let(`${index} / ${c}`);
    const row = code.let(`${pixel} / ${code.dim(width * factors[1])}`);
    const image = code.let(`${row} / ${code.dim(height * factors[0])} * ${code.dim(height)}`);
    const v = betweenCode(code, code.let(`${row} % ${code.dim(height * factors[0])}`), factors[0], height);
    const h = betweenCode(code, code.let(`${pixel} % ${code.dim(width * factors[1])}`), factors[1], width);
    const channel = code.let(`${index} % ${c}`);
    const value = (y: string, at: string): string =>
      code.at(x, code.let(`((${image} + ${y}) * ${code.dim(width)} + ${at}) * ${c} + ${channel}`));
    const across = (y: string): string => code.let(`mix(${value(y, h.low)}, ${value(y, h.high)}, ${h.weight})`);
    return `mix(${across(v.low)}, ${across(v.high)}, ${v.weight})`;
  },
  flops: ({ outputs: [y] }) => 9 * sizeOf(y.shape),
  samples: () => samples((x) => x),
};

/** `between` in WGSL. */
function betweenCode(code: InlineCode, at: string, factor: number, size: number) {
  const from = code.let(`max((f32(${at}) + 0.5) / f32(${code.dim(factor)}) - 0.5, 0.0)`);
  const low = code.let(`u32(${from})`);
  return { low, high: code.let(`min(${low} + 1u, ${code.dim(size)} - 1u)`), weight: code.let(`${from} - f32(${low})`) };
}

/** dy of the large image -> dx */
const bilinearGradOp: OpDef = {
  name: "upsampleBilinearGrad",
  shape: ([dy], { factors: [fy, fx] }) => {
    const [batch, height, width, channels] = dy.shape;
    if (dy.shape.length !== 4 || height % fy !== 0 || width % fx !== 0) {
      throw shapeError("upsampleBilinearGrad", [dy], `an image whose height and width ${fy} and ${fx} divide`);
    }
    return [f32(batch, height / fy, width / fx, channels)];
  },
  grad: ({ attrs, upstream: [upstream] }) => [apply1(bilinearOp, [upstream as Tensor], attrs)],
  reference: ({ inputs: [dy], attrs, outputs: [dx], outputTypes: [type] }) => {
    const channels = type.shape[3];
    eachPart(type, attrs.factors, (from, to, weight) => {
      for (let c = 0; c < channels; c++) dx[from * channels + c] += weight * dy[to * channels + c];
    });
  },
  kernel: ({ attrs: { factors }, outputs: [x] }) => ({
    shader: upsampleBilinearGrad,
    params: {
      count: sizeOf(x.shape),
      height: x.shape[1],
      width: x.shape[2],
      channels: x.shape[3],
      factor_y: factors[0],
      factor_x: factors[1],
    },
    grid: { threads: sizeOf(x.shape) },
    loads: [{ hook: "load_dy", input: 0 }],
    stores: [{ hook: "store_dx", output: 0 }],
  }),
  flops: ({ inputs: [dy] }) => 9 * sizeOf(dy.shape),
  samples: () => samples(enlarged),
};

const upsampleOptions = {
  /** Factors along height and width. Default 2. */
  size: is.numbers as Kind<Pair>,
  /** Default `nearest`. */
  interpolation: is.oneOf("nearest", "bilinear"),
};

export interface UpsampleOptions extends OptionsOf<typeof upsampleOptions> {}

/** x [batch, height, width, channels] -> [batch, height * size, width * size, channels] */
export function upsample2d(x: Tensor, options: UpsampleOptions = {}): Tensor {
  checkTensors("upsample2d", x);
  const { size = 2, interpolation = "nearest" } = checkOptions("upsample2d", options, upsampleOptions);
  const factors = pairOf("upsample2d", "size", size);
  if (interpolation === "bilinear") return apply1(bilinearOp, [x], { factors });
  if (x.shape.length !== 4) throw shapeError("upsample2d", [x], "an image [batch, height, width, channels]");
  const [batch, height, width, channels] = x.shape;
  const apart = reshape(x, [batch, height, 1, width, 1, channels]);
  const repeated = broadcastTo(apart, [batch, height, factors[0], width, factors[1], channels]);
  return reshape(repeated, enlarged(x, factors).shape);
}

const samples = (shape: (x: TensorType, factors: readonly number[]) => TensorType): Sample[] => {
  const one = (x: TensorType, factors: readonly number[]): Sample => {
    const attrs: Attrs = { factors };
    return { inputs: [shape(x, factors)], attrs };
  };
  return [
    one(f32(1, 1, 1, 1), [2, 2]),
    one(f32(2, 3, 5, 2), [2, 3]),
    one(f32(1, 7, 4, 3), [1, 4]),
    one(f32(3, 6, 7, 5), [2, 2]),
  ];
};

export const upsamplingOps = [bilinearOp, bilinearGradOp];
