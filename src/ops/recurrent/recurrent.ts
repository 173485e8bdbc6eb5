/** What the whole-sequence recurrent ops share: shapes, the order of the steps, and how their kernels fit a device. */
import gatesSubgroup from "../../../shaders/recurrent/gates_subgroup.wgsl";
import { TilegradError } from "../../errors.ts";
import type { ShaderModule } from "../../graph/shader.ts";
import type { Tensor, TensorType } from "../../graph/types.ts";
import { sameShape } from "../../graph/types.ts";
import type { KernelForce, KernelLimits } from "../../policy/limits.ts";
import { SEQUENCE_COUNTS } from "../../policy/limits.ts";
import { constant } from "../core/constant.ts";
import { slice } from "../core/slice.ts";
import { reshape } from "../core/view.ts";
import type { Elements, KernelChoice } from "../op.ts";
import { expectDType, shapeError } from "../op.ts";

export interface RecurrentOptions {
  /** Steps to keep, f32 [batch, time]: where it is 0 (below 0.5) the state is carried over. Default: all. */
  readonly mask?: Tensor;
  /** From the last step to the first; outputs stay at the step they belong to. Default false. */
  readonly goBackwards?: boolean;
}

export interface Extents {
  readonly batch: number;
  readonly time: number;
  readonly units: number;
}

/** xz [batch, time, gates * units] */
export function extentsOf(xz: TensorType, gates: number): Extents {
  const [batch, time, width] = xz.shape;
  return { batch, time, units: width / gates };
}

/** Checks xz, recurrent kernel, initial states and mask of a cell with so many gates. */
export function checkRecurrent(
  name: string,
  gates: number,
  xz: TensorType,
  kernel: TensorType,
  states: readonly TensorType[],
  mask: TensorType,
): Extents {
  const inputs = [xz, kernel, ...states, mask];
  for (const t of inputs) expectDType(name, t, "f32");
  const { batch, time, units } = extentsOf(xz, gates);
  const fits =
    xz.shape.length === 3 &&
    sameShape(kernel.shape, [units, gates * units]) &&
    states.every((t) => sameShape(t.shape, [batch, units])) &&
    sameShape(mask.shape, [batch, time]);
  if (fits) return { batch, time, units };
  const width = gates === 1 ? "units" : `${gates} * units`;
  throw shapeError(
    name,
    inputs,
    `xz [batch, time, ${width}], kernel [units, ${width}], states [batch, units] and a mask [batch, time]`,
  );
}

/** Runs `visit` over the steps in the order in which the state passes through them. */
export function forEachStep(time: number, backwards: boolean, visit: (t: number) => void): void {
  for (let s = 0; s < time; s++) visit(backwards ? time - 1 - s : s);
}

/** y[column] += sum of x[k] * kernel[k, column] */
export function addProduct(
  y: Float64Array,
  x: Elements,
  kernel: Elements,
  { rows, columns }: { rows: number; columns: number },
): void {
  for (let k = 0; k < rows; k++) {
    const left = x[k];
    for (let column = 0; column < columns; column++) y[column] += left * kernel[k * columns + column];
  }
}

/** y[k] += sum of x[column] * kernel[k, column] */
export function addTransposedProduct(
  y: Float64Array,
  x: Float64Array,
  kernel: Elements,
  { rows, columns }: { rows: number; columns: number },
): void {
  for (let k = 0; k < rows; k++) {
    let total = 0;
    for (let column = 0; column < columns; column++) total += x[column] * kernel[k * columns + column];
    y[k] += total;
  }
}

interface RecurrentConstants extends Record<string, number | string> {
  readonly WG: number;
  readonly UNITS: number;
  readonly Rows: string;
  readonly ROW_NUMBERS: string;
}

/** What forces each number of sequences that a kernel for up to `most` can run. */
export const recurrentVariants = (most: number) => (): KernelForce[] =>
  SEQUENCE_COUNTS.filter((sequences) => sequences <= most).map((sequences) => ({ sequences }));

/**
 * Sizes of a recurrent kernel: threads, units a thread, and how many sequences a workgroup runs - `most`, or fewer where
 * only those fit its memory. `tiles` is how many numbers a unit keeps there for each sequence. Software GPUs get a thread for
 * every four units, for cheap barriers; the arrays are no larger than needed, because SwiftShader takes a third of a
 * millisecond to compile each of their numbers.
 * @throws E_DEVICE when not even two sequences fit: over 400 units of an LSTM with the 16 KiB that every device has.
 */
export function recurrentSizes(
  name: string,
  { batch, time, units }: Extents,
  { goBackwards }: { readonly goBackwards: boolean },
  tiles: number,
  limits: KernelLimits,
  most = 4,
): Pick<KernelChoice, "params" | "grid"> & { readonly constants: RecurrentConstants } {
  const places = 8 * Math.ceil(units / 8);
  const threads = limits.software ? 8 * Math.ceil(units / 32) : places;
  const wg = Math.min(limits.maxWorkgroupSize, 256, threads);
  const bytes = 4 * tiles * places;
  const rows = SEQUENCE_COUNTS.find(
    (n) => n <= Math.min(most, limits.sequences ?? most) && n * bytes <= limits.maxWorkgroupBytes,
  );
  if (rows === undefined) {
    const fits = 8 * Math.floor(limits.maxWorkgroupBytes / (64 * tiles));
    throw new TilegradError("E_DEVICE", `${name}: got ${units} units; this device's workgroup memory holds ${fits}.`, {
      hint: "Stack several smaller layers.",
    });
  }
  return {
    constants: {
      WG: wg,
      UNITS: places,
      Rows: `vec${Math.min(rows, 4)}<f32>`,
      ROW_NUMBERS: rows >= 4 ? "Rows(0.0, 1.0, 2.0, 3.0)" : "Rows(0.0, 1.0)",
    },
    params: { batch, time, units, rows, backwards: goBackwards ? 1 : 0 },
    grid: { workgroups: [Math.ceil(batch / rows), 1, 1] },
  };
}

/** Units up to which a layer runs in a resident plan: the state of a sequence is in its thread's own memory. */
const MOST_SERIAL = 64;

/**
 * The kernel `serial` with a thread for each sequence where a resident plan asks for one and the layer is small enough, else
 * null. On a software GPU with subgroups, sequences that come by fours hand weights round.
 */
export function serialSizes(
  serial: ShaderModule,
  { batch, time, units }: Extents,
  { goBackwards }: { readonly goBackwards: boolean },
  { resident, software, minSubgroupSize }: KernelLimits,
): Pick<KernelChoice, "shader" | "constants" | "params" | "grid"> | null {
  if (!resident || units > MOST_SERIAL) return null;
  const handed = software && minSubgroupSize >= 4 && batch % 4 === 0;
  const libs = serial.libs.map((lib) => (lib.name === "gates" && handed ? gatesSubgroup : lib));
  return {
    shader: { ...serial, libs },
    constants: { UNITS: units },
    params: { batch, time, units, backwards: goBackwards ? 1 : 0 },
    grid: { threads: batch },
  };
}

/** A mask that keeps every step; it costs nothing. */
export const maskOr = (mask: Tensor | undefined, { batch, time }: Extents): Tensor =>
  mask ?? constant(1, [batch, time]);

/** A state that starts at zero; it costs nothing. */
export const stateOr = (state: Tensor | undefined, { batch, units }: Extents): Tensor =>
  state ?? constant(0, [batch, units]);

/** y [batch, time, units] at the step that was run last -> [batch, units] */
export function lastStep(y: Tensor, goBackwards: boolean): Tensor {
  const [batch, time, units] = y.shape;
  return reshape(slice(y, [0, goBackwards ? 0 : time - 1, 0], [batch, 1, units]), [batch, units]);
}
