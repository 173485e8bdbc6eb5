/** Images sampled anywhere, between pixels and beyond the border: what rotations, zooms and time warps are made of. */
import gridSampleGrad from "../../../shaders/image/grid_sample_grad.wgsl";
import sampleLib from "../../../shaders/image/sample.wgsl";
import { TilegradError } from "../../errors.ts";
import { apply1, checkTensors } from "../../graph/apply.ts";
import type { Attrs, OpDef, Sample, Tensor, TensorType } from "../../graph/types.ts";
import { sizeOf } from "../../graph/types.ts";
import type { Kind } from "../../kinds.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { checkOptions, checkValue } from "../../options.ts";
import { broadcastTo, sum } from "../core/broadcast.ts";
import { constant } from "../core/constant.ts";
import type { Operand } from "../core/elementwise.ts";
import { add, mul } from "../core/elementwise.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";
import { coordinates } from "./coordinates.ts";

/** What lies beyond the border: zeros, the last pixel, the image mirrored (c b a | a b c), the image again. */
const FILL_MODES = ["constant", "nearest", "reflect", "wrap"] as const;
export type FillMode = (typeof FILL_MODES)[number];

export const fillModeKind = (): Kind<FillMode> => is.oneOf(...FILL_MODES);

export const gridSampleOptions = () => ({
  /** Default `bilinear`. */
  interpolation: is.oneOf("nearest", "bilinear"),
  /** Default `reflect`. */
  fillMode: fillModeKind(),
});

export interface GridSampleOptions extends OptionsOf<typeof gridSampleOptions> {}

/** The pixel, of `size`, that stands for pixel `at`; -1: none. As `pixel_for` in shaders/image/sample.wgsl. */
function pixelFor(at: number, size: number, mode: FillMode): number {
  if (mode === "constant") return at >= 0 && at < size ? at : -1;
  if (mode === "nearest") return Math.min(Math.max(at, 0), size - 1);
  const period = mode === "reflect" ? 2 * size : size;
  const within = ((at % period) + period) % period;
  return mode === "reflect" ? Math.min(within, period - 1 - within) : within;
}

/** Along which axis the derivative of a bilinear value is taken; none: the value itself. */
type Slope = "none" | "row" | "column";

/** The pixels along an axis that what lies at `at` is made of, each with its weight. */
function partsOf(
  at: number,
  size: number,
  { fillMode, interpolation }: Attrs,
  slope: boolean,
): readonly (readonly [number, number])[] {
  if (interpolation === "nearest") return [[pixelFor(Math.floor(at + 0.5), size, fillMode), 1]];
  const low = Math.floor(at);
  const weight = at - low;
  return [
    [pixelFor(low, size, fillMode), slope ? -1 : 1 - weight],
    [pixelFor(low + 1, size, fillMode), slope ? 1 : weight],
  ];
}

/** visit(x, y, weight): point y takes `weight` of pixel x; points and pixels numbered over the batch. */
function eachPart(
  [, height, width]: readonly number[],
  points: number,
  row: ArrayLike<number>,
  column: ArrayLike<number>,
  attrs: Attrs,
  slope: Slope,
  visit: (x: number, y: number, weight: number) => void,
): void {
  for (let point = 0; point < row.length; point++) {
    const image = Math.floor(point / points) * height;
    for (const [y, a] of partsOf(row[point], height, attrs, slope === "row")) {
      for (const [x, b] of partsOf(column[point], width, attrs, slope === "column")) {
        if (y >= 0 && x >= 0) visit((image + y) * width + x, point, a * b);
      }
    }
  }
}

/** `fillMode` and `interpolation` as the shaders number them. */
const modeOf = ({ fillMode }: Attrs): number => FILL_MODES.indexOf(fillMode);

const sampleOp = (name: string, slope: Slope): OpDef => ({
  name,
  finite: true,
  shape: ([x, row, column], { fillMode, interpolation }) => {
    expectDType(name, x, "f32");
    const [batch, height, width] = row.shape;
    const fits = x.shape.length === 4 && [row, column].every((t) => t.dtype === "f32" && t.shape.length === 3);
    if (!fits || batch !== x.shape[0] || column.shape.some((n, d) => n !== row.shape[d])) {
      throw shapeError(
        name,
        [x, row, column],
        "an image [batch, height, width, channels] and places [batch, h, w] in it",
      );
    }
    if (!FILL_MODES.includes(fillMode) || (interpolation !== "nearest" && interpolation !== "bilinear")) {
      throw new TilegradError("E_ARGUMENT", `${name}: got fillMode "${fillMode}", interpolation "${interpolation}".`, {
        hint: `fillMode is one of ${FILL_MODES.join(", ")}; interpolation nearest or bilinear.`,
      });
    }
    return [f32(batch, height, width, x.shape[3])];
  },
  // Between pixels the value is bilinear in its place; the slopes are the op again, with other weights.
  ...(slope === "none" && {
    grad: ({ inputs: [x, row, column], attrs, upstream: [upstream] }) => {
      const dy = upstream as Tensor;
      const along = (op: OpDef): Tensor => sum(mul(dy, apply1(op, [x, row, column], attrs)), { axes: 3 });
      const dx = apply1(gradOp, [dy, row, column], { ...attrs, height: x.shape[1], width: x.shape[2] });
      return attrs.interpolation === "nearest" ? [dx, null, null] : [dx, along(rowSlopeOp), along(columnSlopeOp)];
    },
  }),
  reference: ({ inputs: [x, row, column], inputTypes: [type, at], attrs, outputs: [y] }) => {
    const channels = type.shape[3];
    eachPart(type.shape, sizeOf(at.shape.slice(1)), row, column, attrs, slope, (from, to, weight) => {
      for (let c = 0; c < channels; c++) y[to * channels + c] += weight * x[from * channels + c];
    });
  },
  inline: (code, { inputs: [x, row, column], attrs, outputs: [y] }, index) => {
    code.use(sampleLib);
    const [, height, width, channels] = x.shape;
    const channel = code.dim(channels);
    const point = code.let(`${index} / ${channel}`);
    const image = code.let(`${point} / ${code.dim(sizeOf(y.shape.slice(1, 3)))} * ${code.dim(height)}`);
    const [v, h] = [code.let(code.at(row, point)), code.let(code.at(column, point))];
    const pixel = (at: string, size: number): string =>
      code.let(`pixel_for(${at}, ${code.dim(size)}, ${modeOf(attrs)}u)`);
    const value = (i: string, j: string): string => {
      // A pixel that is not there is read as the first and dropped.
      const from = code.let(
        `((${image} + u32(max(${i}, 0))) * ${code.dim(width)} + u32(max(${j}, 0))) * ${channel} + ${index} % ${channel}`,
      );
      return attrs.fillMode === "constant"
        ? code.let(`select(0.0, ${code.at(x, from)}, ${i} >= 0 && ${j} >= 0)`)
        : code.at(x, from);
    };
    if (attrs.interpolation === "nearest") {
      return value(pixel(`i32(floor(${v} + 0.5))`, height), pixel(`i32(floor(${h} + 0.5))`, width));
    }
    const lows = [code.let(`floor(${v})`), code.let(`floor(${h})`)];
    const [i0, i1] = [pixel(`i32(${lows[0]})`, height), pixel(`i32(${lows[0]}) + 1`, height)];
    const [j0, j1] = [pixel(`i32(${lows[1]})`, width), pixel(`i32(${lows[1]}) + 1`, width)];
    const across = (i: string): string => {
      const [a, b] = [value(i, j0), value(i, j1)];
      return code.let(slope === "column" ? `${b} - ${a}` : `mix(${a}, ${b}, ${h} - ${lows[1]})`);
    };
    const [top, bottom] = [across(i0), across(i1)];
    return slope === "row" ? `(${bottom} - ${top})` : `mix(${top}, ${bottom}, ${v} - ${lows[0]})`;
  },
  flops: ({ outputs: [y] }) => 20 * sizeOf(y.shape),
  samples: () => {
    const all = samples((x, row, column) => [x, row, column]);
    return slope === "none" ? all : all.filter(({ attrs }) => attrs?.interpolation === "bilinear");
  },
});

const gridSampleOp = sampleOp("gridSample", "none");
const rowSlopeOp = sampleOp("gridSampleRowSlope", "row");
const columnSlopeOp = sampleOp("gridSampleColumnSlope", "column");

/** dy, row, column -> dx [batch, height, width, channels] */
const gradOp: OpDef = {
  name: "gridSampleGrad",
  finite: true,
  shape: ([dy], { height, width }) => [f32(dy.shape[0], height, width, dy.shape[3])],
  reference: ({ inputs: [dy, row, column], inputTypes: [, at], attrs, outputs: [dx], outputTypes: [{ shape }] }) => {
    const channels = shape[3];
    eachPart(shape, sizeOf(at.shape.slice(1)), row, column, attrs, "none", (to, from, weight) => {
      for (let c = 0; c < channels; c++) dx[to * channels + c] += weight * dy[from * channels + c];
    });
  },
  kernel: ({ inputs: [, row], attrs, outputs: [dx] }) => ({
    shader: gridSampleGrad,
    params: {
      count: sizeOf(dx.shape),
      height: dx.shape[1],
      width: dx.shape[2],
      channels: dx.shape[3],
      points: sizeOf(row.shape.slice(1)),
      mode: modeOf(attrs),
      nearest: attrs.interpolation === "nearest" ? 1 : 0,
    },
    grid: { threads: sizeOf(dx.shape) },
    loads: [
      { hook: "load_dy", input: 0 },
      { hook: "load_row", input: 1 },
      { hook: "load_column", input: 2 },
    ],
    stores: [{ hook: "store_dx", output: 0 }],
  }),
  flops: ({ inputs: [, row], outputs: [dx] }) => (20 * sizeOf(dx.shape) * sizeOf(row.shape)) / row.shape[0],
  samples: () =>
    samples(
      (x, row, column) => [f32(...row.shape, x.shape[3]), row, column],
      (x) => ({ height: x.shape[1], width: x.shape[2] }),
    ),
};

function samples(
  inputs: (x: TensorType, row: TensorType, column: TensorType) => readonly TensorType[],
  more: (x: TensorType) => Attrs = () => ({}),
): Sample[] {
  const one = (x: TensorType, size: readonly number[], interpolation: string, fillMode: FillMode): Sample => {
    const places = (n: number) => ({ ...f32(x.shape[0], ...size), range: [-1.3 * n - 1, 2.3 * n] as const });
    const attrs = { interpolation, fillMode, ...more(x) };
    return {
      inputs: inputs(x, places(x.shape[1]), places(x.shape[2])),
      attrs,
      gradcheck: interpolation === "bilinear",
    };
  };
  return [
    one(f32(1, 1, 1, 1), [1, 1], "bilinear", "reflect"),
    ...FILL_MODES.flatMap((fillMode) => [
      one(f32(2, 3, 5, 2), [4, 3], "bilinear", fillMode),
      one(f32(3, 7, 1, 1), [7, 1], "nearest", fillMode),
    ]),
    one(f32(1, 9, 8, 3), [9, 8], "bilinear", "reflect"),
  ];
}

/**
 * The image at places between its pixels; pixel [i, j] is at row i and column j.
 * @param x [batch, height, width, channels]
 * @param row [batch, h, w], in pixels, finite
 * @param column [batch, h, w], finite
 * @returns [batch, h, w, channels]
 */
export function gridSample(x: Tensor, row: Tensor, column: Tensor, options: GridSampleOptions = {}): Tensor {
  const { interpolation = "bilinear", fillMode = "reflect" } = checkOptions("gridSample", options, gridSampleOptions());
  return apply1(gridSampleOp, [x, row, column], { interpolation, fillMode });
}

/**
 * Each image sampled where an affine map, about its centre, takes its pixels: the point (u, v) right of and below the
 * centre, in pixels, shows what was at (a u + b v + c, d u + e v + f).
 * @param x [batch, height, width, channels]
 * @param map [a, b, c, d, e, f], each a number or [batch]
 */
export function affineSample(x: Tensor, map: readonly Operand[], options: GridSampleOptions = {}): Tensor {
  checkTensors("affineSample", x);
  checkValue("affineSample", "map", map, is.list);
  const [batch, height, width] = x.shape;
  if (x.shape.length !== 4) throw shapeError("affineSample", [x], "an image [batch, height, width, channels]");
  const shape = [batch, height, width];
  const u = add(coordinates(shape, 2), -(width - 1) / 2);
  const v = add(coordinates(shape, 1), -(height - 1) / 2);
  const [a, b, c, d, e, f] = map.map((m) =>
    typeof m === "number" ? m : broadcastTo(reshape(m, [batch, 1, 1]), shape),
  );
  const place = (p: Operand, q: Operand, r: Operand, size: number): Tensor =>
    [[u, p] as const, [v, q] as const]
      .filter(([, factor]) => factor !== 0)
      .reduce<Tensor>(
        (total, [x, factor]) => add(total, mul(x, factor)),
        add(broadcastTo(asTensor(r), shape), (size - 1) / 2),
      );
  return gridSample(x, place(d, e, f, height), place(a, b, c, width), options);
}

const asTensor = (x: Operand): Tensor => (typeof x === "number" ? constant(x) : x);

export const gridSampleOps = [gridSampleOp, rowSlopeOp, columnSlopeOp, gradOp];
