/** The definition of a recurrent layer and of its gradient, for any cell, in plain loops. */
import { TilegradError } from "../../errors.ts";
import type { Elements } from "../../graph/types.ts";
import type { Cell } from "./cell.ts";
import type { Extents } from "./kernel.ts";

/** Over sequences, forwards or from the last step to the first. */
export interface Order extends Extents {
  readonly goBackwards: boolean;
}

interface ForwardValues {
  readonly xz: Elements;
  /** [units, units, gates] */
  readonly kernel: Elements;
  readonly bias?: Elements;
  readonly before: readonly Elements[];
  readonly mask: Elements;
}

/** @param outputs each state after each step, and the planes that are saved */
export function forward(cell: Cell, order: Order, values: ForwardValues, outputs: readonly Elements[]): void {
  const { gates, states } = cell;
  const { batch, time, units } = order;
  const { xz, kernel, bias, mask } = values;
  const a = new Float64Array(gates * units);
  for (let n = 0; n < batch; n++) {
    const now = values.before.map((state) => state.slice(n * units, (n + 1) * units));
    for (const t of stepsOf(time, order.goBackwards)) {
      const step = n * time + t;
      a.fill(0);
      for (let k = 0; k < units; k++) {
        for (let column = 0; column < a.length; column++) a[column] += now[0][k] * kernel[k * a.length + column];
      }
      for (let j = 0; j < units; j++) {
        const x: number[] = [];
        const product: number[] = [];
        for (let gate = 0; gate < gates; gate++) {
          x.push(xz[(gates * step + gate) * units + j]);
          product.push(a[gates * j + gate] + (bias ? bias[gate * units + j] : 0));
        }
        const before = now.map((state) => state[j]);
        const made = cell.step(x, product, before);
        if (made.states.length !== states || made.kept.length !== cell.kept)
          throw miscounted(cell, "step", `${made.states.length} states and ${made.kept.length} kept`);
        for (const [p, v] of [...before, ...made.kept].entries()) {
          outputs[states][(p * batch * time + step) * units + j] = v;
        }
        if (mask[step] > 0.5) for (const [k, v] of made.states.entries()) now[k][j] = v;
      }
      for (const [k, state] of now.entries()) outputs[k].set(state, step * units);
    }
  }
}

interface GradValues {
  readonly kernel: Elements;
  readonly mask: Elements;
  readonly saved: Elements;
  /** Of each state after each step. */
  readonly upstream: readonly Elements[];
}

/** @param outputs gradients of xz, of the product where it is apart, and of each state before the first step */
export function backward(cell: Cell, order: Order, values: GradValues, outputs: readonly Elements[]): void {
  const { gates, states } = cell;
  const { batch, time, units } = order;
  const { kernel, mask, saved, upstream } = values;
  const product = new Float64Array(gates * units);
  for (let n = 0; n < batch; n++) {
    const after = upstream.map(() => new Float64Array(units));
    for (const t of stepsOf(time, !order.goBackwards)) {
      const step = n * time + t;
      product.fill(0);
      for (let j = 0; j < units; j++) {
        const at = step * units + j;
        for (const [k, dy] of upstream.entries()) after[k][j] += dy[at];
        if (!(mask[step] > 0.5)) continue;
        const planes = Array.from({ length: states + cell.kept }, (_, p) => saved[p * batch * time * units + at]);
        const d = after.map((state) => state[j]);
        const made = cell.grad(d, planes.slice(0, states), planes.slice(states));
        const da = made.a ?? made.x;
        if (made.x.length !== gates || da.length !== gates || made.states.length !== states)
          throw miscounted(cell, "grad", `${made.x.length} of x, ${da.length} of a and ${made.states.length} states`);
        for (let gate = 0; gate < gates; gate++) {
          const place = (gates * step + gate) * units + j;
          outputs[0][place] = made.x[gate];
          if (cell.apart) outputs[1][place] = da[gate];
          product[gates * j + gate] = da[gate];
        }
        for (const [k, v] of made.states.entries()) after[k][j] = v;
      }
      for (let k = 0; k < units; k++) {
        for (let column = 0; column < product.length; column++) {
          after[0][k] += product[column] * kernel[k * product.length + column];
        }
      }
    }
    for (const [k, state] of after.entries()) outputs[outputs.length - states + k].set(state, n * units);
  }
}

/** Numbers that a cell does not declare would be lost, or read from beside their place. */
function miscounted({ name, gates, states, kept }: Cell, of: "step" | "grad", got: string): TilegradError {
  const declared = `gates: ${gates}, states: ${states}, kept: ${kept}`;
  return new TilegradError("E_INTERNAL", `${name}: ${of} gives ${got}; expected what the cell declares: ${declared}.`);
}

/** The steps in the order in which the state passes through them. */
function* stepsOf(time: number, backwards: boolean): Generator<number> {
  for (let s = 0; s < time; s++) yield backwards ? time - 1 - s : s;
}
