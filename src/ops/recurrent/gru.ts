/** GRU over whole sequences, laid out as the LSTM. */
import gruShader from "../../../shaders/recurrent/gru.wgsl";
import gruGradShader from "../../../shaders/recurrent/gru_grad.wgsl";
import gruGradSerial from "../../../shaders/recurrent/gru_grad_serial.wgsl";
import gruSerial from "../../../shaders/recurrent/gru_serial.wgsl";
import type { Tensor } from "../../graph/types.ts";
import { sameShape } from "../../graph/types.ts";
import { sigmoid } from "../../numeric.ts";
import { constant } from "../core/constant.ts";
import { slice } from "../core/slice.ts";
import { reshape } from "../core/view.ts";
import { denseGrad } from "../matmul/linear.ts";
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

const PLANES = 5; // h before the step, z, r, the candidate n, and its recurrent product

type Order = { readonly goBackwards: boolean };

const samples = (): Sample[] => {
  const of = (n: number, t: number, u: number, goBackwards: boolean, holes = false): Sample => ({
    inputs: [
      f32(n, t, 3 * u),
      { ...f32(u, 3 * u), range: [-(u ** -0.5), u ** -0.5] },
      f32(3 * u),
      f32(n, u),
      { ...f32(n, t), values: Array.from({ length: n * t }, (_, i) => (holes && i % 3 === 1 ? 0 : 1)) },
    ],
    attrs: { goBackwards },
  });
  return [of(1, 1, 1, false), of(3, 5, 7, false, true), of(12, 4, 3, true, true), of(2, 3, 33, true)];
};

/**
 * xz [batch, time, 3 units], kernel [units, 3 units], bias [3 units], h0 [batch, units], mask [batch, time]
 * -> h after each step [batch, time, units], and `saved` [5, batch, time, units] for the gradient. Gates z, r, h:
 * a = h U + b;  z, r = sigmoid(xz + a);  n = tanh(xz + r a);  h' = (1 - z) n + z h (Cho et al. 2014, cuDNN's form).
 */
const gruOp: OpDef = {
  name: "gru",
  saved: 1,
  shape: ([xz, kernel, bias, h0, mask]) => {
    const { batch, time, units } = checkRecurrent("gru", 3, xz, kernel, [h0], mask);
    if (!sameShape(bias.shape, [3 * units])) throw shapeError("gru", [bias], `a recurrent bias [${3 * units}]`);
    return [f32(batch, time, units), f32(PLANES, batch, time, units)];
  },
  grad: ({ inputs: [xz, kernel, , , mask], attrs, outputs: [y, saved], upstream: [dy] }) => {
    const { batch, time, units } = extentsOf(xz, 3);
    const [dxz, da, dh0] = apply(gruGradOp, [kernel, mask, saved, dy ?? constant(0, y.shape)], attrs);
    const rows = batch * time;
    const before = reshape(slice(saved, [0, 0, 0, 0], [1, batch, time, units]), [rows, units]);
    return [dxz, ...denseGrad(before, reshape(da, [rows, 3 * units])), dh0, null];
  },
  reference: ({ inputs: [xz, kernel, bias, h0, mask], inputTypes, attrs, outputs: [y, saved] }) => {
    const { batch, time, units } = extentsOf(inputTypes[0], 3);
    const plane = y.length;
    const a = new Float64Array(3 * units);
    for (let n = 0; n < batch; n++) {
      const h = h0.slice(n * units, (n + 1) * units);
      forEachStep(time, attrs.goBackwards, (t) => {
        const step = n * time + t;
        const x = 3 * step * units;
        a.set(bias);
        addProduct(a, h, kernel, { rows: units, columns: 3 * units });
        for (let j = 0; j < units; j++) {
          const z = sigmoid(xz[x + j] + a[j]);
          const r = sigmoid(xz[x + units + j] + a[units + j]);
          const recurrent = a[2 * units + j];
          const candidate = Math.tanh(xz[x + 2 * units + j] + r * recurrent);
          [h[j], z, r, candidate, recurrent].forEach((v, p) => {
            saved[p * plane + step * units + j] = v;
          });
          if (mask[step] > 0.5) h[j] = (1 - z) * candidate + z * h[j];
        }
        y.set(h, step * units);
      });
    }
  },
  kernel: ({ inputs: [xz], attrs }, limits) => {
    const extents = extentsOf(xz, 3);
    const order = attrs as Order;
    return {
      shader: gruShader,
      ...(serialSizes(gruSerial, extents, order, limits) ?? recurrentSizes("gru", extents, order, 2, limits)),
      loads: ["load_xz", "load_kernel", "load_bias", "load_h0", "load_mask"].map((hook, input) => ({ hook, input })),
      stores: ["store_y", "store_saved"].map((hook, output) => ({ hook, output })),
    };
  },
  variants: recurrentVariants(4),
  flops: ({ inputs: [xz] }) => {
    const { batch, time, units } = extentsOf(xz, 3);
    return batch * time * units * (6 * units + 40);
  },
  samples,
};

/**
 * kernel, mask and `saved` of the forward op, the gradient of h after each step [batch, time, units] -> gradients of xz and
 * of the recurrent product [batch, time, 3 units], and of h0 [batch, units].
 */
const gruGradOp: OpDef = {
  name: "gruGrad",
  shape: ([kernel, mask, saved, dy]) => {
    const [planes, batch, time, units] = saved.shape;
    if (planes !== PLANES || dy.shape[2] !== units || kernel.shape[0] !== units) {
      throw shapeError("gruGrad", [kernel, mask, saved, dy], "what gru saved");
    }
    return [f32(batch, time, 3 * units), f32(batch, time, 3 * units), f32(batch, units)];
  },
  readsOnce: [3],
  reference: ({ inputs: [kernel, mask, saved, dy], inputTypes, attrs, outputs: [dxz, da, dh0] }) => {
    const [, batch, time, units] = inputTypes[2].shape;
    const plane = dy.length;
    const product = new Float64Array(3 * units);
    for (let n = 0; n < batch; n++) {
      const dh = new Float64Array(units);
      forEachStep(time, !attrs.goBackwards, (t) => {
        const step = n * time + t;
        const x = 3 * step * units;
        product.fill(0);
        for (let j = 0; j < units; j++) {
          const at = step * units + j;
          dh[j] += dy[at];
          if (!(mask[step] > 0.5)) continue;
          const [h, z, r, candidate, recurrent] = [0, 1, 2, 3, 4].map((p) => saved[p * plane + at]);
          const d = dh[j] * (1 - z) * (1 - candidate * candidate);
          product[j] = dh[j] * (h - candidate) * z * (1 - z);
          product[units + j] = d * recurrent * r * (1 - r);
          product[2 * units + j] = d * r;
          dxz[x + 2 * units + j] = d;
          dh[j] *= z;
        }
        dxz.set(product.subarray(0, 2 * units), x);
        da.set(product, x);
        addTransposedProduct(dh, product, kernel, { rows: units, columns: 3 * units });
      });
      dh0.set(dh, n * units);
    }
  },
  kernel: ({ inputs: [, , saved], attrs }, limits) => {
    const [, batch, time, units] = saved.shape;
    const extents = { batch, time, units };
    const order = attrs as Order;
    return {
      shader: gruGradShader,
      ...(serialSizes(gruGradSerial, extents, order, limits) ?? recurrentSizes("gruGrad", extents, order, 4, limits)),
      loads: ["load_kernel", "load_mask", "load_saved", "load_dy"].map((hook, input) => ({ hook, input })),
      stores: ["store_dxz", "store_da", "store_dh0"].map((hook, output) => ({ hook, output })),
    };
  },
  variants: recurrentVariants(4),
  flops: ({
    inputs: [
      ,
      ,
      {
        shape: [, batch, time, units],
      },
    ],
  }) => batch * time * units * (6 * units + 20),
  samples: () =>
    samples().map(
      ({
        inputs: [
          {
            shape: [n, t, g],
          },
          kernel,
          ,
          ,
          mask,
        ],
        attrs,
      }) => ({
        inputs: [kernel, mask, { ...f32(PLANES, n, t, g / 3), range: [0, 1] }, f32(n, t, g / 3)],
        attrs,
      }),
    ),
};

export interface GruResult {
  /** Hidden state after each step, [batch, time, units], at the step's own place whatever the direction. */
  readonly y: Tensor;
  /** Hidden state after the last step that was run, [batch, units]. */
  readonly h: Tensor;
}

/**
 * With the reset gate after the recurrent product (Keras's `reset_after`, PyTorch, cuDNN).
 * @param xz inputs times the input kernel plus the input bias, for all steps: [batch, time, 3 * units], gates z, r, h
 * @param kernel recurrent kernel [units, 3 * units]
 * @param bias recurrent bias [3 * units]
 */
export function gru(
  xz: Tensor,
  kernel: Tensor,
  bias: Tensor,
  { h0, mask, goBackwards = false }: RecurrentOptions & { readonly h0?: Tensor } = {},
): GruResult {
  const extents = extentsOf(xz, 3);
  const inputs = [xz, kernel, bias, stateOr(h0, extents), maskOr(mask, extents)];
  const [y] = apply(gruOp, inputs, { goBackwards });
  return { y, h: lastStep(y, goBackwards) };
}

export const gruOps = [gruOp, gruGradOp];
