/** How the kernels of recurrent layers fit a device: one for all cells forward, one backward, each also with a thread a sequence. */
import gates1 from "../../../shaders/recurrent/lib/gates1.wgsl";
import gates2 from "../../../shaders/recurrent/lib/gates2.wgsl";
import gates3 from "../../../shaders/recurrent/lib/gates3.wgsl";
import rowsSubgroup from "../../../shaders/recurrent/lib/rows_subgroup.wgsl";
import weightsSubgroup from "../../../shaders/recurrent/lib/weights_subgroup.wgsl";
import weights4 from "../../../shaders/recurrent/lib/weights4.wgsl";
import { TilegradError } from "../../errors.ts";
import type { ShaderLibrary, ShaderModule } from "../../graph/shader.ts";
import type { KernelChoice } from "../../graph/types.ts";
import type { KernelLimits, KernelVariant } from "../../policy/limits.ts";
import { forced } from "../../policy/limits.ts";
import type { Cell } from "./cell.ts";

export interface Extents {
  readonly batch: number;
  readonly time: number;
  readonly units: number;
}

/** A layer to be run: a cell over sequences, forwards or from the last step to the first. */
export interface Run extends Extents {
  readonly cell: Cell;
  readonly goBackwards: boolean;
}

export type Sizes = Pick<KernelChoice, "shader" | "constants" | "params" | "grid">;

/** Lanes of a subgroup that hand states round. */
const SUBGROUP = 4;

/** Sequences that a workgroup runs. */
const SEQUENCE_COUNTS = [8, 4, 2] as const;

/** Each number of sequences, and beside subgroups the way of devices without them. */
export const recurrentVariants = ({ minSubgroupSize }: KernelLimits): KernelVariant[] => [
  ...SEQUENCE_COUNTS.map((sequences) => ({ force: { sequences } })),
  ...(minSubgroupSize >= SUBGROUP ? [{ force: { states: "memory" } }] : []),
];

/** A shader for a cell: with the cell's WGSL, what belongs to its number of gates, and libraries in the place of others. */
function linked(shader: ShaderModule, { cell }: Run, others: Readonly<Record<string, ShaderLibrary>>): ShaderModule {
  const gates = [gates1, gates2, gates3][cell.gates - 1];
  const places: Readonly<Record<string, ShaderLibrary>> = {
    ...others,
    lstm: cell.shader,
    ...(gates && { gates4: gates }),
  };
  return { ...shader, libs: shader.libs.map((lib) => places[lib.name] ?? lib) };
}

const constantsOf = ({ gates, states, kept, apart }: Cell) => ({
  GATES: gates,
  STATES: states,
  KEPT: kept,
  APART: apart === true,
});

/**
 * The kernel that runs several sequences a workgroup: eight where loads are dear and cores few, four where workgroups keep a
 * GPU busy, or fewer where only those fit its memory. `tiles` is how many numbers a unit keeps there for each sequence.
 * Software GPUs get a thread for every four units, for cheap barriers; the arrays are no larger than needed, because
 * SwiftShader takes a third of a millisecond to compile each of their numbers.
 * @throws E_DEVICE when not even two sequences fit: over 400 units of an LSTM with the 16 KiB that every device has.
 */
export function parallelSizes(
  name: string,
  shader: ShaderModule,
  run: Run,
  tiles: number,
  limits: KernelLimits,
): Sizes {
  const { batch, time, units, goBackwards } = run;
  const places = 8 * Math.ceil(units / 8);
  const threads = limits.software ? 8 * Math.ceil(units / 32) : places;
  const wg = Math.min(limits.maxWorkgroupSize, 256, threads);
  const bytes = 4 * tiles * places;
  const most = forced(limits, "sequences", SEQUENCE_COUNTS) ?? (limits.software ? 8 : 4);
  const rows = SEQUENCE_COUNTS.find((n) => n <= most && n * bytes <= limits.maxWorkgroupBytes);
  if (rows === undefined) {
    const fits = 8 * Math.floor(limits.maxWorkgroupBytes / (64 * tiles));
    throw new TilegradError("E_DEVICE", `${name}: got ${units} units; this device's workgroup memory holds ${fits}.`, {
      hint: "Stack several smaller layers.",
    });
  }
  const handed = limits.minSubgroupSize >= SUBGROUP && forced(limits, "states", ["memory"]) === undefined;
  return {
    shader: linked(shader, run, {
      ...(run.cell.gates === 4 ? { weights: weights4 } : {}),
      ...(handed ? { rows: rowsSubgroup } : {}),
    }),
    constants: {
      WG: wg,
      UNITS: places,
      PER_LANE: Math.ceil(units / wg),
      ROWS: rows,
      LANES: limits.minSubgroupSize >= 8 ? 8 : 4,
      ...constantsOf(run.cell),
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
export function serialSizes(serial: ShaderModule, run: Run, limits: KernelLimits): Sizes | null {
  const { batch, time, units, goBackwards, cell } = run;
  if (!limits.resident || units > MOST_SERIAL) return null;
  const handed = limits.software && limits.minSubgroupSize >= SUBGROUP && batch % 4 === 0 && cell.gates > 1;
  return {
    shader: linked(serial, run, handed ? { weights: weightsSubgroup } : {}),
    constants: { UNITS: units, ...constantsOf(cell) },
    params: { batch, time, units, rows: 1, backwards: goBackwards ? 1 : 0 },
    grid: { threads: batch },
  };
}
