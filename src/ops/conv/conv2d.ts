/** Convolution (cross-correlation) of images, NHWC by HWIO, and the adjoints of its two arguments. */

import { apply, apply1 } from "../../graph/apply.ts";
import type { Attrs, Elements, OpDef, ReferenceCall, Sample, Tensor, TensorType } from "../../graph/types.ts";
import { broadcastTo, sum } from "../core/broadcast.ts";
import { add } from "../core/elementwise.ts";
import { reshape } from "../core/view.ts";
import { expectDType, f32, shapeError } from "../op.ts";
import type { ConvGeometry } from "./conv2d_kernel.ts";
import { conv2dKernel, conv2dVariants } from "./conv2d_kernel.ts";
import { kernelGradKernel, kernelGradSplits, kernelGradVariants } from "./conv2d_kernel_grad.ts";
import type { WindowAttrs, WindowOptions } from "./window.ts";
import { eachTap, geometryOf, positions, resolveWindow } from "./window.ts";

interface ConvAttrs extends WindowAttrs {
  readonly groups: number;
}

function convGeometry(op: string, x: TensorType, kernel: readonly number[], attrs: Attrs): ConvGeometry {
  const { groups } = attrs;
  expectDType(op, x, "f32");
  const [tapsY, tapsX, depth, filters] = kernel;
  const fits = x.shape.length === 4 && kernel.length === 4 && x.shape[3] === depth * groups && filters % groups === 0;
  const g = fits ? geometryOf(x, [tapsY, tapsX], attrs as WindowAttrs) : null;
  if (!g || g.outHeight < 1 || g.outWidth < 1) {
    throw shapeError(
      op,
      [x, f32(...kernel)],
      `x [batch, height, width, channels], kernel [height, width, channels / ${groups}, filters] no larger than x`,
    );
  }
  return { ...g, depth, filters, units: filters / groups, groups };
}

/** visit(x, kernel, y): linear indices where `units` neighbouring elements of kernel and y meet one of x. */
function eachProduct(g: ConvGeometry, attrs: Attrs, visit: (x: number, kernel: number, y: number) => void): void {
  eachTap(g, attrs as WindowAttrs, (at, tap, out) => {
    for (let c = 0; c < g.channels; c++) {
      const group = Math.floor(c / g.depth);
      const column = group * g.units;
      visit(at * g.channels + c, (tap * g.depth + (c % g.depth)) * g.filters + column, out * g.filters + column);
    }
  });
}

/** Sums in double precision, rounded once. */
function summed(y: Elements, fill: (sums: Float64Array) => void): void {
  const sums = new Float64Array(y.length);
  fill(sums);
  y.set(sums);
}

const macs = (g: ConvGeometry): number => g.batch * g.outHeight * g.outWidth * g.tapsY * g.tapsX * g.depth * g.filters;

export const conv2dOp: OpDef = {
  name: "conv2d",
  shape: ([x, kernel], attrs) => {
    const g = convGeometry("conv2d", x, kernel.shape, attrs);
    return [f32(g.batch, g.outHeight, g.outWidth, g.filters)];
  },
  grad: ({ inputs: [x, kernel], attrs, upstream: [dy] }) => [
    inputGrad(dy as Tensor, kernel, x.shape.slice(1, 3), attrs),
    kernelGrad(x, dy as Tensor, kernel.shape.slice(0, 2), attrs),
  ],
  reference: ({ inputs: [x, kernel], inputTypes: [tx, tk], attrs, outputs: [y] }) => {
    const g = convGeometry("conv2d", tx, tk.shape, attrs);
    summed(y, (sums) =>
      eachProduct(g, attrs, (xi, ki, yi) => {
        for (let j = 0; j < g.units; j++) sums[yi + j] += x[xi] * kernel[ki + j];
      }),
    );
  },
  kernel: ({ inputs: [x, kernel], attrs }, limits) =>
    conv2dKernel(convGeometry("conv2d", x, kernel.shape, attrs), attrs as WindowAttrs, "forward", limits),
  variants: conv2dVariants,
  flops: ({ inputs: [x, kernel], attrs }) => 2 * macs(convGeometry("conv2d", x, kernel.shape, attrs)),
  samples: () => cases.map(({ x, kernel, attrs }) => ({ inputs: [f32(...x), f32(...kernel)], attrs })),
};

/** dy [batch, outHeight, outWidth, filters], kernel -> dx [batch, ...size, channels] */
const inputGradOp: OpDef = {
  name: "conv2dInputGrad",
  shape: ([dy, kernel], attrs) => {
    const [batch] = dy.shape;
    const x = f32(batch, attrs.size[0], attrs.size[1], (kernel.shape[2] ?? 0) * attrs.groups);
    const g = convGeometry("conv2dInputGrad", x, kernel.shape, attrs);
    expectOutput("conv2dInputGrad", dy, kernel, g);
    return [x];
  },
  grad: ({ inputs: [dy, kernel], attrs, upstream: [upstream] }) => [
    apply1(conv2dOp, [upstream as Tensor, kernel], attrs),
    kernelGrad(upstream as Tensor, dy, kernel.shape.slice(0, 2), attrs),
  ],
  reference: ({ inputs: [dy, kernel], inputTypes: [, tk], attrs, outputs: [dx], outputTypes: [tx] }) => {
    const g = convGeometry("conv2dInputGrad", tx, tk.shape, attrs);
    summed(dx, (sums) =>
      eachProduct(g, attrs, (xi, ki, yi) => {
        for (let j = 0; j < g.units; j++) sums[xi] += dy[yi + j] * kernel[ki + j];
      }),
    );
  },
  kernel: ({ inputs: [, kernel], attrs, outputs: [x] }, limits) =>
    conv2dKernel(convGeometry("conv2dInputGrad", x, kernel.shape, attrs), attrs as WindowAttrs, "inputGrad", limits),
  variants: conv2dVariants,
  flops: ({ inputs: [, kernel], attrs, outputs: [x] }) =>
    2 * macs(convGeometry("conv2dInputGrad", x, kernel.shape, attrs)),
  samples: () =>
    cases.map(({ x, kernel, attrs }) => ({
      inputs: [outputOf(x, kernel, attrs), f32(...kernel)],
      attrs: { ...attrs, size: x.slice(1, 3) },
    })),
};

/** x, kernel, bias [filters]: differentiates as one op, computes as convolution + bias. */
export const conv2dBiasOp: OpDef = {
  name: "conv2dBias",
  shape: ([x, kernel, bias], attrs) => {
    const types = conv2dOp.shape([x, kernel], attrs);
    if (bias.shape.join() !== String(kernel.shape[3])) throw shapeError("conv2d", [kernel, bias], "a bias [filters]");
    return types;
  },
  grad: ({ inputs: [x, kernel], attrs, upstream: [dy] }) => [
    inputGrad(dy as Tensor, kernel, x.shape.slice(1, 3), attrs),
    ...apply(kernelGradOp, [x, dy as Tensor], { ...attrsOf(attrs), size: kernel.shape.slice(0, 2), bias: true }),
  ],
  reference: (call) => {
    const [, , bias] = call.inputs;
    const [y] = call.outputs;
    conv2dOp.reference?.(call);
    for (let i = 0; i < y.length; i++) y[i] += bias[i % bias.length];
  },
  expand: ({ inputs: [x, kernel, bias], attrs }) => [add(apply1(conv2dOp, [x, kernel], attrs), bias)],
  samples: () => cases.map(({ x, kernel, attrs }) => ({ inputs: [f32(...x), f32(...kernel), f32(kernel[3])], attrs })),
};

/**
 * x, dy -> the kernel's gradient [...size, channels / groups, filters] and, with `bias`, the bias's [filters]: sums
 * over batch and positions.
 */
const kernelGradOp: OpDef = {
  name: "conv2dKernelGrad",
  shape: ([x, dy], attrs) => {
    const kernel = kernelShape("conv2dKernelGrad", x, dy, attrs);
    return attrs.bias ? [f32(...kernel), f32(kernel[3])] : [f32(...kernel)];
  },
  grad: ({ inputs: [x, dy], attrs, upstream: [dk, db] }) => {
    const byKernel = dk ? apply1(conv2dOp, [x, dk], attrs) : null;
    const byBias = db ? broadcastTo(db, dy.shape) : null;
    return [
      dk ? inputGrad(dy, dk, x.shape.slice(1, 3), attrs) : null,
      byKernel && byBias ? add(byKernel, byBias) : (byKernel ?? byBias),
    ];
  },
  reference: (call) => partialSums(call, 1),
  // Partial sums over equal shares of the output rows, then their sum: both in an order that shape and device fix.
  expand: ({ inputs: [x, dy], attrs, outputs }, limits) => {
    const g = convGeometry("conv2dKernelGrad", x, outputs[0].shape, attrs);
    const splits = kernelGradSplits(g, attrs as WindowAttrs, limits);
    const parts = apply(kernelGradPartsOp, [x, dy], { ...attrs, splits });
    return parts.map((part, k) => (splits === 1 ? reshape(part, outputs[k].shape) : sum(part, { axes: 0 })));
  },
  samples: () => [...kernelGradSamples({ bias: false }), ...kernelGradSamples({ bias: true })],
};

/**
 * Partial sums of conv2dKernelGrad: [splits, ...kernel] and [splits, filters], split s over the s-th share of all rows.
 */
const kernelGradPartsOp: OpDef = {
  name: "conv2dKernelGradParts",
  shape: ([x, dy], attrs) => kernelGradOp.shape([x, dy], attrs).map(({ shape }) => f32(attrs.splits, ...shape)),
  reference: (call) => partialSums(call, call.attrs.splits),
  kernel: ({ inputs: [x], attrs, outputs: [{ shape }] }, limits) =>
    kernelGradKernel(
      convGeometry("conv2dKernelGradParts", x, shape.slice(1), attrs),
      attrs as WindowAttrs,
      { splits: attrs.splits, bias: attrs.bias },
      limits,
    ),
  variants: kernelGradVariants,
  flops: ({ inputs: [x], attrs, outputs: [{ shape }] }) =>
    2 * macs(convGeometry("conv2dKernelGradParts", x, shape.slice(1), attrs)),
  samples: () => [...kernelGradSamples({ splits: 1, bias: true }), ...kernelGradSamples({ splits: 3, bias: false })],
};

function partialSums(
  { inputs: [x, dy], inputTypes: [tx, ty], attrs, outputs: [kernel, bias] }: ReferenceCall,
  splits: number,
): void {
  const filters = ty.shape[3];
  const weights = kernel.length / splits;
  const g = convGeometry("conv2dKernelGrad", tx, [...attrs.size, tx.shape[3] / attrs.groups, filters], attrs);
  const share = Math.ceil((g.batch * g.outHeight) / splits) * g.outWidth * filters;
  summed(kernel, (sums) =>
    eachProduct(g, attrs, (xi, ki, yi) => {
      const at = Math.floor(yi / share) * weights + ki;
      for (let j = 0; j < g.units; j++) sums[at + j] += x[xi] * dy[yi + j];
    }),
  );
  if (!attrs.bias) return;
  summed(bias, (sums) => {
    for (let i = 0; i < dy.length; i++) sums[Math.floor(i / share) * filters + (i % filters)] += dy[i];
  });
}

function kernelShape(op: string, x: TensorType, dy: TensorType, attrs: Attrs): number[] {
  const kernel = [attrs.size[0], attrs.size[1], x.shape[3] / attrs.groups, dy.shape[3]];
  expectOutput(op, dy, x, convGeometry(op, x, kernel, attrs));
  return kernel;
}

function expectOutput(op: string, dy: TensorType, other: TensorType, g: ConvGeometry): void {
  const expected = [g.batch, g.outHeight, g.outWidth, g.filters];
  if (expected.join() !== dy.shape.join())
    throw shapeError(op, [dy, other], `an output gradient [${expected.join(", ")}]`);
}

const attrsOf = ({ strides, dilation, padding, groups }: Attrs): ConvAttrs => ({ strides, dilation, padding, groups });

export const inputGrad = (dy: Tensor, kernel: Tensor, size: readonly number[], attrs: Attrs): Tensor =>
  apply1(inputGradOp, [dy, kernel], { ...attrsOf(attrs), size });

const kernelGrad = (x: Tensor, dy: Tensor, size: readonly number[], attrs: Attrs): Tensor =>
  apply1(kernelGradOp, [x, dy], { ...attrsOf(attrs), size, bias: false });

interface Case {
  readonly x: readonly number[];
  readonly kernel: readonly number[];
  readonly attrs: ConvAttrs;
}

function sampleCase(
  x: readonly number[],
  kernel: readonly number[],
  { groups = 1, ...window }: WindowOptions & { groups?: number } = {},
): Case {
  return { x, kernel, attrs: { ...resolveWindow("conv2d", x.slice(1, 3), kernel, window), groups } };
}

const cases: readonly Case[] = [
  sampleCase([1, 1, 1, 1], [1, 1, 1, 1]),
  sampleCase([2, 5, 7, 3], [3, 3, 3, 4], { padding: "same" }),
  sampleCase([1, 8, 8, 1], [3, 3, 1, 5]),
  sampleCase([2, 7, 6, 2], [3, 3, 2, 3], { strides: 2, padding: "same" }),
  sampleCase([1, 11, 5, 2], [2, 3, 2, 9], { strides: [3, 1], dilation: [2, 1] }),
  sampleCase([3, 5, 4, 6], [3, 2, 2, 9], {
    padding: [
      [2, 0],
      [0, 1],
    ],
    groups: 3,
  }),
  sampleCase([2, 6, 5, 3], [3, 3, 1, 6], { padding: "same", strides: 2, groups: 3 }),
  sampleCase([1, 1, 5, 2], [5, 5, 2, 3], { padding: "same" }),
  sampleCase([3, 13, 17, 5], [3, 3, 5, 7], { padding: "same", dilation: 2 }),
  sampleCase([5, 1, 31, 4], [1, 5, 4, 6], { strides: [1, 2] }),
  sampleCase([2, 6, 7, 8], [3, 3, 4, 16], { padding: "same", groups: 2 }),
];

function outputOf(x: readonly number[], kernel: readonly number[], attrs: WindowAttrs): TensorType {
  const out = ([0, 1] as const).map((axis) => positions(x[axis + 1], kernel[axis], axis, attrs));
  return f32(x[0], out[0], out[1], kernel[3]);
}

const kernelGradSamples = (extra: Attrs): Sample[] =>
  cases.map(({ x, kernel, attrs }) => ({
    inputs: [f32(...x), outputOf(x, kernel, attrs)],
    attrs: { ...attrs, size: kernel.slice(0, 2), ...extra },
  }));

export const conv2dOps = [conv2dOp, conv2dBiasOp, inputGradOp, kernelGradOp, kernelGradPartsOp];
