/** A simple (Elman) recurrent network over whole sequences, laid out as the LSTM. */
import simpleRnnShader from "../../../shaders/recurrent/simple_rnn.wgsl";
import simpleRnnGradShader from "../../../shaders/recurrent/simple_rnn_grad.wgsl";
import simpleRnnGradSerial from "../../../shaders/recurrent/simple_rnn_grad_serial.wgsl";
import simpleRnnSerial from "../../../shaders/recurrent/simple_rnn_serial.wgsl";
import type { Tensor } from "../../graph/types.ts";
import { constant } from "../core/constant.ts";
import { reshape } from "../core/view.ts";
import { matmul } from "../matmul/matmul.ts";
import type { OpDef, Sample } from "../op.ts";
import { apply, f32, shapeError } from "../op.ts";
import type { RecurrentOptions } from "./recurrent.ts";
import {
  addProduct,
  addTransposedProduct,
  checkRecurrent,
  extentsOf,
  forEachStep,
  lastStep,
  maskOr,
  recurrentSizes,
  recurrentVariants,
  serialSizes,
  stateOr,
} from "./recurrent.ts";

type Order = { readonly goBackwards: boolean };

const samples = (): Sample[] => {
  const of = (n: number, t: number, u: number, goBackwards: boolean, holes = false): Sample => ({
    inputs: [
      f32(n, t, u),
      { ...f32(u, u), range: [-(u ** -0.5), u ** -0.5] },
      f32(n, u),
      { ...f32(n, t), values: Array.from({ length: n * t }, (_, i) => (holes && i % 3 === 1 ? 0 : 1)) },
    ],
    attrs: { goBackwards },
  });
  return [of(1, 1, 1, false), of(3, 5, 7, false, true), of(5, 4, 3, true, true), of(2, 3, 33, true)];
};

/**
 * xz [batch, time, units], kernel [units, units], h0 [batch, units], mask [batch, time] -> h after each step
 * [batch, time, units], and h before each step, of the same shape, for the gradient. h' = tanh(xz + h U).
 */
const simpleRnnOp: OpDef = {
  name: "simpleRnn",
  saved: 1,
  shape: ([xz, kernel, h0, mask]) => {
    const { batch, time, units } = checkRecurrent("simpleRnn", 1, xz, kernel, [h0], mask);
    return [f32(batch, time, units), f32(batch, time, units)];
  },
  grad: ({ inputs: [xz, kernel, , mask], attrs, outputs: [y, before], upstream: [dy] }) => {
    const { batch, time, units } = extentsOf(xz, 1);
    const [dxz, dh0] = apply(simpleRnnGradOp, [kernel, mask, y, dy ?? constant(0, y.shape)], attrs);
    const shape = [batch * time, units];
    return [dxz, matmul(reshape(before, shape), reshape(dxz, shape), { transposeA: true }), dh0, null];
  },
  reference: ({ inputs: [xz, kernel, h0, mask], inputTypes, attrs, outputs: [y, before] }) => {
    const { batch, time, units } = extentsOf(inputTypes[0], 1);
    const z = new Float64Array(units);
    for (let n = 0; n < batch; n++) {
      const h = h0.slice(n * units, (n + 1) * units);
      forEachStep(time, attrs.goBackwards, (t) => {
        const step = n * time + t;
        before.set(h, step * units);
        z.set(xz.subarray(step * units, (step + 1) * units));
        addProduct(z, h, kernel, { rows: units, columns: units });
        if (mask[step] > 0.5) h.set(z.map(Math.tanh));
        y.set(h, step * units);
      });
    }
  },
  kernel: ({ inputs: [xz], attrs }, limits) => {
    const extents = extentsOf(xz, 1);
    const order = attrs as Order;
    return {
      shader: simpleRnnShader,
      ...(serialSizes(simpleRnnSerial, extents, order, limits) ??
        recurrentSizes("simpleRnn", extents, order, 2, limits)),
      loads: ["load_xz", "load_kernel", "load_h0", "load_mask"].map((hook, input) => ({ hook, input })),
      stores: ["store_y", "store_before"].map((hook, output) => ({ hook, output })),
    };
  },
  variants: recurrentVariants(4),
  flops: ({ inputs: [xz] }) => {
    const { batch, time, units } = extentsOf(xz, 1);
    return batch * time * units * (2 * units + 13);
  },
  samples,
};

/**
 * kernel, mask, h after each step and its gradient [batch, time, units] -> gradients of xz [batch, time, units] and of h0
 * [batch, units].
 */
const simpleRnnGradOp: OpDef = {
  name: "simpleRnnGrad",
  shape: ([kernel, mask, y, dy]) => {
    const [batch, , units] = y.shape;
    if (dy.shape[2] !== units || kernel.shape[0] !== units) {
      throw shapeError("simpleRnnGrad", [kernel, mask, y, dy], "y and dy of simpleRnn");
    }
    return [f32(...y.shape), f32(batch, units)];
  },
  readsOnce: [3],
  reference: ({ inputs: [kernel, mask, y, dy], inputTypes, attrs, outputs: [dxz, dh0] }) => {
    const { batch, time, units } = extentsOf(inputTypes[2], 1);
    const dz = new Float64Array(units);
    for (let n = 0; n < batch; n++) {
      const dh = new Float64Array(units);
      forEachStep(time, !attrs.goBackwards, (t) => {
        const step = n * time + t;
        dz.fill(0);
        for (let j = 0; j < units; j++) {
          const at = step * units + j;
          dh[j] += dy[at];
          if (!(mask[step] > 0.5)) continue;
          dz[j] = dh[j] * (1 - y[at] * y[at]);
          dh[j] = 0;
        }
        dxz.set(dz, step * units);
        addTransposedProduct(dh, dz, kernel, { rows: units, columns: units });
      });
      dh0.set(dh, n * units);
    }
  },
  kernel: ({ inputs: [, , y], attrs }, limits) => {
    const extents = extentsOf(y, 1);
    const order = attrs as Order;
    return {
      shader: simpleRnnGradShader,
      ...(serialSizes(simpleRnnGradSerial, extents, order, limits) ??
        recurrentSizes("simpleRnnGrad", extents, order, 2, limits)),
      loads: ["load_kernel", "load_mask", "load_y", "load_dy"].map((hook, input) => ({ hook, input })),
      stores: ["store_dxz", "store_dh0"].map((hook, output) => ({ hook, output })),
    };
  },
  variants: recurrentVariants(4),
  flops: ({ inputs: [, , y] }) => {
    const { batch, time, units } = extentsOf(y, 1);
    return batch * time * units * (2 * units + 5);
  },
  samples: () =>
    samples().map(({ inputs: [xz, kernel, , mask], attrs }) => ({
      inputs: [kernel, mask, { ...f32(...xz.shape), range: [-1, 1] }, f32(...xz.shape)],
      attrs,
    })),
};

export interface SimpleRnnResult {
  /** Hidden state after each step, [batch, time, units], at the step's own place whatever the direction. */
  readonly y: Tensor;
  /** Hidden state after the last step that was run, [batch, units]. */
  readonly h: Tensor;
}

/**
 * @param xz inputs times the input kernel plus bias, for all steps: [batch, time, units]
 * @param kernel recurrent kernel [units, units]
 */
export function simpleRnn(
  xz: Tensor,
  kernel: Tensor,
  { h0, mask, goBackwards = false }: RecurrentOptions & { readonly h0?: Tensor } = {},
): SimpleRnnResult {
  const extents = extentsOf(xz, 1);
  const inputs = [xz, kernel, stateOr(h0, extents), maskOr(mask, extents)];
  const [y] = apply(simpleRnnOp, inputs, { goBackwards });
  return { y, h: lastStep(y, goBackwards) };
}

export const simpleRnnOps = [simpleRnnOp, simpleRnnGradOp];
