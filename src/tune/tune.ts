/**
 * Measures a device: what dispatches, stages and operations cost on it, and which of the kernels that give the same bits is
 * the fastest, op by op and size by size.
 */

import { tunings as keptTunings } from "#platform";
import { compileGraph } from "../compile.ts";
import type { CompiledStep, Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { apply } from "../graph/apply.ts";
import type { Elements, Graph, Node } from "../graph/types.ts";
import type { TuningStore } from "../io/tunings.ts";
import { saveTuning, tuningKey } from "../io/tunings.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { median } from "../numeric.ts";
import { input } from "../ops/core/constant.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import type { KernelForce, KernelLimits, Tuning } from "../policy/limits.ts";
import { bucketOf, tunableForces } from "../policy/tuning.ts";
import { identityOf } from "../shader/lower.ts";
import { stepGraph } from "../train/stepGraph.ts";
import { bindSamples } from "./bind.ts";
import { measureCosts, timeSteps } from "./measure.ts";
import { typicalSteps } from "./workloads.ts";

const TUNE_OPTIONS = {
  /** Whose training step is measured; default: typical layers. */
  trainer: is.object as Kind<{ readonly model: Model; readonly loss: Loss; readonly optimizer: Optimizer }>,
  /** Rows of its steps; default 32. */
  batchSize: is.number,
  /** After so many no further kernel is begun; what running costs is measured in any case. Default 60. */
  seconds: is.number,
  /** Where it is kept for later runs; default: the user's cache folder in Node, IndexedDB in a browser. */
  tunings: is.object as Kind<TuningStore>,
  /** Hears of every kernel as it was measured, and how many there are. */
  progress: is.callable as Kind<(done: number, total: number, bucket: string) => void>,
};

export interface TuneOptions extends OptionsOf<typeof TUNE_OPTIONS> {}

/** One op at one size. */
export interface MeasuredKernel {
  readonly bucket: string;
  /** The kernel that the op would choose, and the one that is used from now on. */
  readonly before: string;
  readonly now: string;
  readonly kernels: readonly KernelCandidate[];
}

/** One that the device could choose. */
export interface KernelCandidate {
  readonly name: string;
  /** Median microseconds. */
  readonly us: number;
  /** Were its bits those of the op's own choice? */
  readonly equal: boolean;
}

export interface TuneResult {
  readonly tuning: Tuning;
  readonly kernels: readonly MeasuredKernel[];
  /** Ops and sizes for which there was no time, or which are too large for this device. */
  readonly left: readonly string[];
}

/** What takes longer than this at the device's best rate is left out, in microseconds. */
const TOO_LONG = 200_000;

/**
 * Measures the device, uses what was found from now on, and keeps it for later runs, measurement by measurement; what an
 * earlier call found for other sizes stays. A kernel is chosen only if it gave the bits of the op's own choice, for random
 * data at one of the sizes that share the measurement. The costs may change which plan a graph runs by, and with it the order
 * of sums, unless the plan is given.
 * @throws E_DEVICE on the CPU; E_ARGUMENT; E_FILE when it cannot be kept, before any kernel is measured
 */
export async function tuneDevice(device: Device, options: TuneOptions = {}): Promise<TuneResult> {
  checkValue("tuneDevice", "device", device, is.device);
  checkOptions("tuneDevice", options, TUNE_OPTIONS);
  const { trainer, batchSize = 32, seconds = 60, tunings = keptTunings, progress = () => {} } = options;
  const { limits: tuned } = device;
  if (!tuned || !device.useTuning) {
    throw new TilegradError("E_DEVICE", `tuneDevice: got the device ${device.info.adapter}; expected a GPU.`, {
      hint: "The CPU reference has one way of running each op.",
    });
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || !(seconds > 0)) {
    const got = `batchSize ${batchSize} and seconds ${seconds}`;
    throw new TilegradError("E_ARGUMENT", `tuneDevice: got ${got}; expected a positive integer and a positive number.`);
  }
  const began = performance.now();
  const limits: KernelLimits = { ...tuned, tuning: null };
  const graphs = trainer ? [stepGraph(trainer, batchSize, device.maxQueue)] : typicalSteps(device.maxQueue);
  const nodes = tunable(graphs, limits);
  const costs = await measureCosts(device, limits);
  const measured: MeasuredKernel[] = [];
  const left: string[] = [];
  const kernels: Record<string, KernelForce> = { ...tuned.tuning?.kernels };
  const tuning: Tuning = { device: tuningKey(device.info), costs, kernels };
  await saveTuning(tunings, tuning);
  for (const [bucket, node] of nodes) {
    const late = performance.now() - began > 1000 * seconds;
    const long = (node.op.flops?.(node) ?? 0) / costs.rate > TOO_LONG;
    const times = late || long ? null : await timesThatFit(device, node, limits);
    if (times) {
      const now = fastest(times);
      if (now === times[0]) delete kernels[bucket];
      else kernels[bucket] = now.force;
      measured.push({
        bucket,
        before: times[0].name,
        now: now.name,
        kernels: times.map(({ name, us, equal }) => ({ name, us, equal })),
      });
      await saveTuning(tunings, tuning);
      progress(measured.length, nodes.size, bucket);
    } else left.push(bucket);
  }
  device.useTuning(tuning);
  return { tuning, kernels: measured, left };
}

/** The nodes for which the device has several kernels, one of each bucket. */
function tunable(graphs: readonly Graph[], limits: KernelLimits): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  for (const graph of graphs) {
    for (const { anchor } of compileGraph(graph, limits).plan.kernels) {
      if (!anchor?.op.variants) continue;
      const bucket = bucketOf(anchor);
      if (!found.has(bucket)) found.set(bucket, anchor);
    }
  }
  return found;
}

/** A kernel with what forces it, and its time in each round. */
interface Timed extends KernelCandidate {
  readonly force: KernelForce;
  readonly rounds: readonly number[];
}

/** The fastest of those that may be chosen; the first is the op's own choice. */
function fastest(kernels: readonly Timed[]): Timed {
  const [own] = kernels;
  // A kernel that was faster in some rounds only may owe it to what else the machine did.
  const better = kernels.filter((kernel) => kernel.equal && Math.max(...kernel.rounds) < Math.min(...own.rounds));
  return better.reduce((best, kernel) => (kernel.us < best.us ? kernel : best), own);
}

/** Null where the node does not fit into the device's memory. */
async function timesThatFit(...args: Parameters<typeof timesOf>): Promise<readonly Timed[] | null> {
  try {
    return await timesOf(...args);
  } catch (error) {
    if (error instanceof TilegradError && error.code === "E_MEMORY") return null;
    throw error;
  }
}

/** Runs the node alone by each of its kernels, the op's own choice first. @throws E_MEMORY */
async function timesOf(device: Device, node: Node, limits: KernelLimits): Promise<readonly Timed[]> {
  const { op, inputs, attrs } = node;
  const made = apply(
    op,
    inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype)),
    attrs,
  );
  const graph: Graph = { outputs: Object.fromEntries(made.map((t, i) => [`y${i}`, t])), updates: [] };
  const forces = tunableForces(op, limits);
  const ways = differentWays(graph, [{}, ...forces], limits);
  const { bindings, dispose } = bindSamples(device, graph);
  const steps: CompiledStep[] = [];
  try {
    const compiled = await Promise.allSettled(
      ways.map(({ force }) =>
        device.compile(graph, { bindings, label: "tune", plan: "dispatch", limits: { force, tuning: null } }),
      ),
    );
    for (const result of compiled) if (result.status === "fulfilled") steps.push(result.value);
    for (const result of compiled) if (result.status === "rejected") throw result.reason;
    const times = await timeSteps(device, steps);
    const own = await outputsOf(steps[0]);
    const kernels: Timed[] = [];
    for (const [i, way] of ways.entries()) {
      const got = await outputsOf(steps[i]);
      kernels.push({ ...way, us: median(times[i]), rounds: times[i], equal: sameBits(got, own) });
    }
    return kernels;
  } finally {
    for (const step of steps) step.dispose();
    dispose();
  }
}

/** Ways that come to kernels of their own, each once; the first is the op's own choice. */
function differentWays(
  graph: Graph,
  forces: readonly KernelForce[],
  limits: KernelLimits,
): readonly { readonly name: string; readonly force: KernelForce }[] {
  const known = new Map<string, { name: string; force: KernelForce }>();
  for (const force of forces) {
    const { calls } = compileGraph(graph, { ...limits, force });
    const text = identityOf(calls);
    const forced = Object.entries(force).map(([kind, value]) =>
      typeof value === "number" ? `${kind} ${value}` : value,
    );
    const name = forced.join() || calls.map(({ shader }) => shader).join();
    // The op's own choice is called as what forces it.
    const found = known.get(text);
    if (!found) known.set(text, { name, force });
    else if (Object.keys(found.force).length === 0) Object.assign(found, { name, force });
  }
  return [...known.values()];
}

/** All outputs of a step's last run. */
const outputsOf = ({ outputs }: CompiledStep): Promise<Elements[]> =>
  Promise.all(Object.values(outputs).map((tensor) => tensor.read()));

const sameBits = (a: readonly Elements[], b: readonly Elements[]): boolean =>
  a.every((values, i) => {
    const [words, others] = [values, b[i]].map(({ buffer }) => new Uint32Array(buffer));
    return words.every((word, j) => word === others[j]);
  });
