/** LSTM over whole sequences: one kernel forward, one backward through time, matmuls for everything that need not wait. */

import lstmShader from "../../../shaders/recurrent/lstm.wgsl";
import lstmGradShader from "../../../shaders/recurrent/lstm_grad.wgsl";
import lstmGradSerial from "../../../shaders/recurrent/lstm_grad_serial.wgsl";
import lstmSerial from "../../../shaders/recurrent/lstm_serial.wgsl";
import rowsSubgroup from "../../../shaders/recurrent/rows_subgroup.wgsl";
import type { ShaderModule } from "../../graph/shader.ts";
import type { Tensor, TensorType } from "../../graph/types.ts";
import { sigmoid } from "../../numeric.ts";
import type { KernelForce, KernelLimits } from "../../policy/limits.ts";
import { constant } from "../core/constant.ts";
import { slice } from "../core/slice.ts";
import { reshape, transpose } from "../core/view.ts";
import { matmul } from "../matmul/matmul.ts";
import type { OpDef, Sample } from "../op.ts";
import { apply, f32, shapeError } from "../op.ts";
import type { Extents, RecurrentOptions } from "./recurrent.ts";
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

const PLANES = 6; // h and c before the step, gates i, f, g, o

const samples = (): Sample[] => {
  const of = (n: number, t: number, u: number, goBackwards: boolean, holes = false): Sample => ({
    inputs: [
      f32(n, t, 4 * u),
      { ...f32(u, u, 4), range: [-(u ** -0.5), u ** -0.5] },
      f32(n, u),
      f32(n, u),
      { ...f32(n, t), values: Array.from({ length: n * t }, (_, i) => (holes && i % 3 === 1 ? 0 : 1)) },
    ],
    attrs: { goBackwards },
  });
  return [of(1, 1, 1, false), of(3, 5, 7, false, true), of(12, 4, 3, true, true), of(2, 3, 33, true)];
};

const SUBGROUP = 4;

/** Each number of sequences, and beside subgroups the way of devices without them. */
const variants = ({ minSubgroupSize }: KernelLimits): KernelForce[] => [
  ...recurrentVariants(8)(),
  ...(minSubgroupSize >= SUBGROUP ? [{ lstm: "memory" } as const] : []),
];

/**
 * xz [batch, time, 4 units], kernel [units, units, 4] (gates last), h0 and c0 [batch, units], mask [batch, time]
 * -> h and c after each step [batch, time, units], and `saved` [6, batch, time, units] for the gradient.
 * i, f, o = sigmoid(z), g = tanh(z) with z = xz + h U;  c' = f c + i g;  h' = o tanh(c') (Hochreiter and Schmidhuber 1997,
 * Gers et al. 2000).
 */
const lstmOp: OpDef = {
  name: "lstm",
  saved: 2,
  contiguous: [1],
  shape: ([xz, kernel, h0, c0, mask]) => {
    const { batch, time, units } = checkRecurrent("lstm", 4, xz, asMatrix(kernel), [h0, c0], mask);
    return [f32(batch, time, units), f32(batch, time, units), f32(PLANES, batch, time, units)];
  },
  grad: ({ inputs: [xz, kernel, , , mask], attrs, outputs: [y, cells, saved], upstream: [dy, dcells] }) => {
    const { batch, time, units } = extentsOf(xz, 4);
    const up = [dy ?? constant(0, y.shape), dcells ?? constant(0, cells.shape)];
    const [dxz, dh0, dc0] = apply(lstmGradOp, [kernel, mask, saved, ...up], attrs);
    const rows = batch * time;
    const before = reshape(slice(saved, [0, 0, 0, 0], [1, batch, time, units]), [rows, units]);
    const dkernel = matmul(before, reshape(dxz, [rows, 4 * units]), { transposeA: true });
    return [dxz, byUnit(dkernel), dh0, dc0, null];
  },
  reference: ({ inputs: [xz, kernel, h0, c0, mask], inputTypes, attrs, outputs: [y, cells, saved] }) => {
    const { batch, time, units } = extentsOf(inputTypes[0], 4);
    const plane = y.length;
    const z = new Float64Array(4 * units);
    for (let n = 0; n < batch; n++) {
      const h = h0.slice(n * units, (n + 1) * units);
      const c = c0.slice(n * units, (n + 1) * units);
      forEachStep(time, attrs.goBackwards, (t) => {
        const step = n * time + t;
        for (let j = 0; j < units; j++) {
          for (let gate = 0; gate < 4; gate++) z[4 * j + gate] = xz[(4 * step + gate) * units + j];
        }
        addProduct(z, h, kernel, { rows: units, columns: 4 * units });
        for (let j = 0; j < units; j++) {
          const at = step * units + j;
          const i = sigmoid(z[4 * j]);
          const f = sigmoid(z[4 * j + 1]);
          const g = Math.tanh(z[4 * j + 2]);
          const o = sigmoid(z[4 * j + 3]);
          [h[j], c[j], i, f, g, o].forEach((v, p) => {
            saved[p * plane + at] = v;
          });
          if (mask[step] > 0.5) {
            c[j] = f * c[j] + i * g;
            h[j] = o * Math.tanh(c[j]);
          }
        }
        y.set(h, step * units);
        cells.set(c, step * units);
      });
    }
  },
  kernel: ({ inputs: [xz], attrs }, limits) => {
    const extents = extentsOf(xz, 4);
    const order = attrs as Order;
    const serial = serialSizes(lstmSerial, extents, order, limits);
    return {
      ...(serial ?? lstmKernel(lstmShader, extents, order, 2, limits)),
      loads: [
        { hook: "load_xz", input: 0 },
        serial ? { hook: "load_kernel", input: 1 } : { hook: "load_kernel4", input: 1, width: 4 },
        { hook: "load_h0", input: 2 },
        { hook: "load_c0", input: 3 },
        { hook: "load_mask", input: 4 },
      ],
      stores: ["store_y", "store_cells", "store_saved"].map((hook, output) => ({ hook, output })),
    };
  },
  variants,
  flops: ({ inputs: [xz] }) => {
    const { batch, time, units } = extentsOf(xz, 4);
    return batch * time * units * (8 * units + 60);
  },
  samples,
};

/** Kernel [units, 4 units], gate by gate -> [units, units, 4], the four gates of a unit side by side; and its type back. */
const byUnit = (kernel: Tensor): Tensor => {
  const [units] = kernel.shape;
  return transpose(reshape(kernel, [units, 4, units]), [0, 2, 1]);
};
const asMatrix = ({ dtype, shape: [rows, columns, gates] }: TensorType): TensorType => ({
  dtype,
  shape: [rows, columns * gates],
});

type Order = { readonly goBackwards: boolean };

/** Eight sequences a workgroup where loads are dear and cores few, four where workgroups keep a GPU busy. */
function lstmKernel(shader: ShaderModule, extents: Extents, order: Order, tiles: number, limits: KernelLimits) {
  const most = limits.sequences ?? (limits.software ? 8 : 4);
  const { constants, params, grid } = recurrentSizes(shader.name, extents, order, tiles, limits, most);
  const { WG, UNITS } = constants;
  const own = {
    WG,
    UNITS,
    PER_LANE: Math.ceil(extents.units / WG),
    ROWS: params.rows,
    LANES: limits.minSubgroupSize >= 8 ? 8 : 4,
  };
  const handed = limits.minSubgroupSize >= SUBGROUP && limits.lstm !== "memory";
  const libs = shader.libs.map((lib) => (lib.name === "rows" && handed ? rowsSubgroup : lib));
  return { shader: { ...shader, libs }, params, grid, constants: own };
}

/**
 * kernel, mask and `saved` of the forward op, gradients of h and c after each step [batch, time, units]
 * -> gradients of xz [batch, time, 4 units], h0 and c0 [batch, units].
 */
const lstmGradOp: OpDef = {
  name: "lstmGrad",
  shape: ([kernel, mask, saved, dy, dcells]) => {
    const [planes, batch, time, units] = saved.shape;
    if (planes !== PLANES || dy.shape[2] !== units || dcells.shape[2] !== units || kernel.shape[0] !== units) {
      throw shapeError("lstmGrad", [kernel, mask, saved, dy, dcells], "what lstm saved");
    }
    return [f32(batch, time, 4 * units), f32(batch, units), f32(batch, units)];
  },
  contiguous: [0],
  readsOnce: [3, 4],
  reference: ({ inputs: [kernel, mask, saved, dy, dcells], inputTypes, attrs, outputs: [dxz, dh0, dc0] }) => {
    const [, batch, time, units] = inputTypes[2].shape;
    const plane = dy.length;
    const dz = new Float64Array(4 * units);
    for (let n = 0; n < batch; n++) {
      const dh = new Float64Array(units);
      const dc = new Float64Array(units);
      forEachStep(time, !attrs.goBackwards, (t) => {
        const step = n * time + t;
        dz.fill(0);
        for (let j = 0; j < units; j++) {
          const at = step * units + j;
          dh[j] += dy[at];
          dc[j] += dcells[at];
          if (!(mask[step] > 0.5)) continue;
          const [c, i, f, g, o] = [1, 2, 3, 4, 5].map((p) => saved[p * plane + at]);
          const a = Math.tanh(f * c + i * g);
          const d = dc[j] + dh[j] * o * (1 - a * a);
          const gates = [d * g * i * (1 - i), d * c * f * (1 - f), d * i * (1 - g * g), dh[j] * a * o * (1 - o)];
          gates.forEach((value, gate) => {
            dz[4 * j + gate] = value;
            dxz[(4 * step + gate) * units + j] = value;
          });
          dc[j] = d * f;
          dh[j] = 0;
        }
        addTransposedProduct(dh, dz, kernel, { rows: units, columns: 4 * units });
      });
      dh0.set(dh, n * units);
      dc0.set(dc, n * units);
    }
  },
  kernel: ({ inputs: [, , saved], attrs }, limits) => {
    const [, batch, time, units] = saved.shape;
    const extents = { batch, time, units };
    const order = attrs as Order;
    const serial = serialSizes(lstmGradSerial, extents, order, limits);
    return {
      ...(serial ?? lstmKernel(lstmGradShader, extents, order, 5, limits)),
      loads: [
        serial ? { hook: "load_kernel", input: 0 } : { hook: "load_kernel4", input: 0, width: 4 },
        { hook: "load_mask", input: 1 },
        { hook: "load_saved", input: 2 },
        { hook: "load_dy", input: 3 },
        { hook: "load_dcells", input: 4 },
      ],
      stores: ["store_dxz", "store_dh0", "store_dc0"].map((hook, output) => ({ hook, output })),
    };
  },
  variants,
  flops: ({
    inputs: [
      ,
      ,
      {
        shape: [, batch, time, units],
      },
    ],
  }) => batch * time * units * (8 * units + 40),
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
        inputs: [kernel, mask, { ...f32(PLANES, n, t, g / 4), range: [0, 1] }, f32(n, t, g / 4), f32(n, t, g / 4)],
        attrs,
      }),
    ),
};

export interface LstmStates {
  /** Hidden state before the first step, [batch, units]; default zeros. */
  readonly h0?: Tensor;
  /** Cell state before the first step, [batch, units]; default zeros. */
  readonly c0?: Tensor;
}

export interface LstmResult {
  /** Hidden state after each step, [batch, time, units], at the step's own place whatever the direction. */
  readonly y: Tensor;
  /** Hidden and cell state after the last step that was run, [batch, units]. */
  readonly h: Tensor;
  readonly c: Tensor;
}

/**
 * @param xz inputs times the input kernel plus bias, for all steps at once: [batch, time, 4 * units], gates i, f, g, o
 * @param kernel recurrent kernel [units, 4 * units]
 */
export function lstm(xz: Tensor, kernel: Tensor, options: RecurrentOptions & LstmStates = {}): LstmResult {
  const { h0, c0, mask, goBackwards = false } = options;
  const extents = extentsOf(xz, 4);
  checkRecurrent("lstm", 4, xz, kernel, [], maskOr(mask, extents));
  const states = [stateOr(h0, extents), stateOr(c0, extents)];
  const [y, cells] = apply(lstmOp, [xz, byUnit(kernel), ...states, maskOr(mask, extents)], { goBackwards });
  return { y, h: lastStep(y, goBackwards), c: lastStep(cells, goBackwards) };
}

export const lstmOps = [lstmOp, lstmGradOp];
