/** Recurrent layers over whole sequences: one kernel forward, one backward through time, matmuls for all that need not wait. */
import forwardShader from "../../../shaders/recurrent/recurrent.wgsl";
import gradShader from "../../../shaders/recurrent/recurrent_grad.wgsl";
import gradSerial from "../../../shaders/recurrent/recurrent_grad_serial.wgsl";
import forwardSerial from "../../../shaders/recurrent/recurrent_serial.wgsl";
import { apply, tensorKind } from "../../graph/apply.ts";
import type { Attrs, KernelChoice, OpDef, Sample, SampleInput, Tensor, TensorType } from "../../graph/types.ts";
import { sameShape } from "../../graph/types.ts";
import * as is from "../../kinds.ts";
import type { OptionsOf } from "../../options.ts";
import { constant } from "../core/constant.ts";
import { slice } from "../core/slice.ts";
import { reshape, transpose } from "../core/view.ts";
import { denseGrad } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { expectDType, f32, shapeError } from "../op.ts";
import type { Cell } from "./cell.ts";
import type { Extents } from "./kernel.ts";
import { parallelSizes, recurrentVariants, serialSizes } from "./kernel.ts";
import { backward, forward } from "./reference.ts";

export const recurrentOptions = {
  /** Hidden state before the first step, [batch, units]; default zeros. */
  h0: tensorKind,
  /** Steps to keep, f32 [batch, time]: where it is 0 (below 0.5) the state is carried over. Default: all. */
  mask: tensorKind,
  /** From the last step to the first; outputs stay at the step they belong to. Default false. */
  goBackwards: is.boolean,
};

export interface RecurrentOptions extends OptionsOf<typeof recurrentOptions> {}

export interface RecurrentResult {
  /** Hidden state after each step, [batch, time, units], at the step's own place whatever the direction. */
  readonly y: Tensor;
  /** Hidden state after the last step that was run, [batch, units]. */
  readonly h: Tensor;
}

export interface RunOptions extends Omit<RecurrentOptions, "h0"> {
  /** Before the first step, [batch, units]; default zeros. */
  readonly states?: readonly (Tensor | undefined)[];
  /** Of the recurrent product, where the cell has it apart: [gates * units]; default zeros. */
  readonly bias?: Tensor;
}

/** A cell's ops, and a function that applies them. */
export interface Recurrent extends Cell {
  readonly ops: readonly OpDef[];
  /**
   * @param xz inputs times the input kernel plus bias, for all steps at once: [batch, time, gates * units]
   * @param kernel recurrent kernel [units, gates * units]
   * @returns h after each step [batch, time, units], and each state after the last step that was run [batch, units]
   */
  run(xz: Tensor, kernel: Tensor, options: RunOptions): { readonly y: Tensor; readonly states: readonly Tensor[] };
}

export function recurrent(cell: Cell): Recurrent {
  const gradOp = defineGrad(cell);
  const op = defineForward(cell, gradOp);
  return {
    ...cell,
    ops: [op, gradOp],
    run(xz, kernel, { states = [], bias, mask, goBackwards = false }) {
      const { batch, time, units } = extentsOf(cell, xz);
      const before = Array.from({ length: cell.states }, (_, k) => states[k] ?? constant(0, [batch, units]));
      const kept = mask ?? constant(1, [batch, time]);
      const own = cell.apart ? [bias ?? constant(0, [cell.gates * units])] : [];
      checkInputs(cell, { xz, kernel, bias: own[0], before, mask: kept });
      const inputs = [xz, byUnit(cell, kernel), ...own, ...before, kept];
      const outputs = apply(op, inputs, { goBackwards });
      return { y: outputs[0], states: before.map((_, k) => lastStep(outputs[k], goBackwards)) };
    },
  };
}

/**
 * xz [batch, time, gates * units], kernel [units, units, gates], the product's bias [gates * units] where it is apart, the states
 * before the first step [batch, units], mask [batch, time] -> each state after each step [batch, time, units], and `saved`
 * [planes, batch, time, units] for the gradient: the states before the step, then what the cell keeps of it.
 */
function defineForward(cell: Cell, gradOp: OpDef): OpDef {
  const { name, gates, states, apart, kept } = cell;
  return {
    name,
    saved: states,
    contiguous: [1],
    shape: (inputs) => {
      const { kernel, ...rest } = named(cell, inputs);
      const { batch, time, units } = checkInputs(cell, { ...rest, kernel: asMatrix(kernel) });
      return [...rest.before.map(() => f32(batch, time, units)), f32(states + kept, batch, time, units)];
    },
    // a = h U, so dU = h^T da, one product over all steps; the gradient of a bias of its own is the sum of da.
    grad: ({ inputs, attrs, outputs, upstream }) => {
      const { xz, kernel, mask } = named(cell, inputs);
      const { batch, time, units } = extentsOf(cell, xz);
      const up = outputs.slice(0, states).map((y, k) => upstream[k] ?? constant(0, y.shape));
      const made = apply(gradOp, [kernel, mask, outputs[states], ...up], attrs);
      const rows = batch * time;
      const before = reshape(slice(outputs[states], [0, 0, 0, 0], [1, batch, time, units]), [rows, units]);
      const da = reshape(made[apart ? 1 : 0], [rows, gates * units]);
      const [dkernel, ...dbias] = apart ? denseGrad(before, da) : [matmul(before, da, { transposeA: true })];
      return [made[0], byUnit(cell, dkernel), ...dbias, ...made.slice(-states), null];
    },
    reference: ({ inputs, inputTypes, attrs, outputs }) =>
      forward(cell, { ...extentsOf(cell, inputTypes[0]), ...orderOf(attrs) }, named(cell, inputs), outputs),
    kernel: ({ inputs: [xz], attrs }, limits) => {
      const run = { cell, ...extentsOf(cell, xz), ...orderOf(attrs) };
      const serial = serialSizes(forwardSerial, run, limits);
      const weights = serial ? SINGLE_WEIGHTS : weightsHook(cell);
      const before = ["load_h0", "load_c0"].slice(0, states);
      return {
        ...(serial ?? parallelSizes(name, forwardShader, run, 2, limits)),
        loads: loadsOf(["load_xz", weights, ...(apart ? ["load_bias"] : []), ...before, "load_mask"]),
        stores: storesOf([...["store_y", "store_cells"].slice(0, states), "store_saved"]),
      };
    },
    variants: recurrentVariants,
    flops: ({ inputs: [xz] }) => flopsOf(cell, extentsOf(cell, xz), 0),
    samples: () => samplesOf(cell),
  };
}

/**
 * kernel, mask and `saved` of the forward op, gradients of each state after each step [batch, time, units] -> gradients of xz
 * and, where it is apart, of the recurrent product [batch, time, gates * units], and of the states before the first step
 * [batch, units].
 */
function defineGrad(cell: Cell): OpDef {
  const { gates, states, apart, kept } = cell;
  const name = `${cell.name}Grad`;
  const planes = states + kept;
  return {
    name,
    contiguous: [0],
    readsOnce: Array.from({ length: states }, (_, k) => 3 + k),
    shape: (inputs) => {
      const [kernel, , saved, ...upstream] = inputs;
      const [found, batch, time, units] = saved.shape;
      if (found !== planes || kernel.shape[0] !== units || !upstream.every(({ shape }) => shape[2] === units)) {
        throw shapeError(name, inputs, `what ${cell.name} saved`);
      }
      const ofGates = f32(batch, time, gates * units);
      return [ofGates, ...(apart ? [ofGates] : []), ...upstream.map(() => f32(batch, units))];
    },
    reference: ({ inputs: [kernel, mask, saved, ...upstream], inputTypes, attrs, outputs }) =>
      backward(cell, { ...savedExtents(inputTypes[2]), ...orderOf(attrs) }, { kernel, mask, saved, upstream }, outputs),
    kernel: ({ inputs: [, , saved], attrs }, limits) => {
      const run = { cell, ...savedExtents(saved), ...orderOf(attrs) };
      const serial = serialSizes(gradSerial, run, limits);
      const weights = serial ? SINGLE_WEIGHTS : weightsHook(cell);
      // In workgroup memory a vector of three takes as much as one of four.
      const tiles = (gates === 3 ? 4 : gates) + 1;
      return {
        ...(serial ?? parallelSizes(name, gradShader, run, tiles, limits)),
        loads: loadsOf([weights, "load_mask", "load_saved", ...["load_dy", "load_dcells"].slice(0, states)]),
        stores: storesOf(["store_dxz", ...(apart ? ["store_da"] : []), ...["store_dh0", "store_dc0"].slice(0, states)]),
      };
    },
    variants: recurrentVariants,
    flops: ({ inputs: [, , saved] }) => flopsOf(cell, savedExtents(saved), 1),
    samples: () =>
      samplesOf(cell).map(({ inputs, attrs }) => {
        const { xz, kernel, before, mask } = named(cell, inputs);
        const { batch, time, units } = extentsOf(cell, xz);
        const saved: SampleInput = { ...f32(planes, batch, time, units), range: [0, 1] };
        return { inputs: [kernel, mask, saved, ...before.map(() => f32(batch, time, units))], attrs };
      }),
  };
}

/** The inputs of the forward op by name, whatever they are: types, tensors or elements. */
function named<T>({ apart, states }: Cell, [xz, kernel, ...rest]: readonly T[]) {
  const bias = apart ? rest[0] : undefined;
  const before = rest.slice(apart ? 1 : 0, -1);
  return {
    xz,
    kernel,
    ...(bias === undefined ? {} : { bias }),
    before: before.slice(0, states),
    mask: rest[rest.length - 1],
  };
}

interface InputTypes {
  readonly xz: TensorType;
  /** [units, gates * units] */
  readonly kernel: TensorType;
  readonly bias?: TensorType;
  readonly before: readonly TensorType[];
  readonly mask: TensorType;
}

/** @throws E_SHAPE, E_DTYPE */
function checkInputs(cell: Cell, { xz, kernel, bias, before, mask }: InputTypes): Extents {
  const { name, gates, apart } = cell;
  const inputs = [xz, kernel, ...(bias ? [bias] : []), ...before, mask];
  for (const t of inputs) expectDType(name, t, "f32");
  const extents = extentsOf(cell, xz);
  const { batch, time, units } = extents;
  const fits =
    xz.shape.length === 3 &&
    sameShape(kernel.shape, [units, gates * units]) &&
    (!apart || (bias !== undefined && sameShape(bias.shape, [gates * units]))) &&
    before.every((t) => sameShape(t.shape, [batch, units])) &&
    sameShape(mask.shape, [batch, time]);
  if (fits) return extents;
  const width = gates === 1 ? "units" : `${gates} * units`;
  const own = apart ? `, a recurrent bias [${width}]` : "";
  throw shapeError(
    name,
    inputs,
    `xz [batch, time, ${width}], kernel [units, ${width}]${own}, states [batch, units] and a mask [batch, time]`,
  );
}

/** xz [batch, time, gates * units] */
function extentsOf({ gates }: Cell, xz: TensorType): Extents {
  const [batch, time, width] = xz.shape;
  return { batch, time, units: width / gates };
}

/** saved [planes, batch, time, units] */
const savedExtents = ({ shape: [, batch, time, units] }: TensorType): Extents => ({ batch, time, units });

const orderOf = ({ goBackwards }: Attrs): { readonly goBackwards: boolean } => ({ goBackwards });

/** Kernel [units, gates * units], gate by gate -> [units, units, gates], the gates of a unit side by side; and its type back. */
const byUnit = ({ gates }: Cell, kernel: Tensor): Tensor => {
  const [units] = kernel.shape;
  return transpose(reshape(kernel, [units, gates, units]), [0, 2, 1]);
};
const asMatrix = ({ dtype, shape: [rows, columns, gates] }: TensorType): TensorType => ({
  dtype,
  shape: [rows, columns * gates],
});

/** The weights of a unit's gates are read at once where they are four. */
const weightsHook = ({ gates }: Cell): string => (gates === 4 ? "load_kernel4" : SINGLE_WEIGHTS);
const SINGLE_WEIGHTS = "load_kernel";

const loadsOf = (hooks: readonly string[]): KernelChoice["loads"] =>
  hooks.map((hook, input) => ({ hook, input, ...(hook.endsWith("4") ? { width: 4 } : {}) }));
const storesOf = (hooks: readonly string[]): KernelChoice["stores"] => hooks.map((hook, output) => ({ hook, output }));

const flopsOf = ({ gates, flops }: Cell, { batch, time, units }: Extents, direction: 0 | 1): number =>
  batch * time * units * (2 * gates * units + flops[direction]);

function samplesOf({ gates, states, apart }: Cell): Sample[] {
  const of = (n: number, t: number, u: number, goBackwards: boolean, holes = false): Sample => ({
    inputs: [
      f32(n, t, gates * u),
      { ...f32(u, u, gates), range: [-(u ** -0.5), u ** -0.5] },
      ...(apart ? [f32(gates * u)] : []),
      ...Array.from({ length: states }, () => f32(n, u)),
      { ...f32(n, t), values: Array.from({ length: n * t }, (_, i) => (holes && i % 3 === 1 ? 0 : 1)) },
    ],
    attrs: { goBackwards },
  });
  return [of(1, 1, 1, false), of(3, 5, 7, false, true), of(12, 4, 3, true, true), of(2, 3, 33, true)];
}

/** y [batch, time, units] at the step that was run last -> [batch, units] */
function lastStep(y: Tensor, goBackwards: boolean): Tensor {
  const [batch, time, units] = y.shape;
  return reshape(slice(y, [0, goBackwards ? 0 : time - 1, 0], [batch, 1, units]), [batch, units]);
}
