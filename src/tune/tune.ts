/**
 * Measures a device: what dispatches, stages and operations cost on it, and which of the kernels that give the same bits is
 * the fastest, op by op and size by size.
 */
import { compileGraph } from "../compile.ts";
import type { CompiledStep, Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Graph, Node } from "../graph/types.ts";
import { saveTuning, tuningKey } from "../io/tunings.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import { input } from "../ops/constant.ts";
import type { KernelForce, KernelLimits, Tuning } from "../ops/op.ts";
import { apply } from "../ops/op.ts";
import { bucketOf } from "../ops/tuning.ts";
import { checkOptions } from "../options.ts";
import { stepGraph } from "../train/stepGraph.ts";
import { bindSamples } from "./bind.ts";
import { measureCosts, median, timeSteps } from "./measure.ts";
import { typicalSteps } from "./workloads.ts";

export interface TuneOptions {
  /** Whose training step is measured; default: typical layers. */
  readonly trainer?: { readonly model: Model; readonly loss: Loss; readonly optimizer: Optimizer };
  /** Rows of its steps; default 32. */
  readonly batchSize?: number;
  /** After so many no further kernel is begun; what running costs is measured in any case. Default 60. */
  readonly seconds?: number;
  /** Hears of every kernel as it was measured, and how many there are. */
  readonly progress?: (done: number, total: number, bucket: string) => void;
}

const TUNE_OPTIONS = { trainer: 1, batchSize: 1, seconds: 1, progress: 1 } satisfies Record<keyof TuneOptions, 1>;

/** One op at one size. */
export interface MeasuredKernel {
  readonly bucket: string;
  /** The kernel that the op would choose, and the one that is used from now on. */
  readonly before: string;
  readonly now: string;
  /** Each that the device could choose between: median microseconds, and whether its bits were those of `before`. */
  readonly kernels: readonly { readonly name: string; readonly us: number; readonly equal: boolean }[];
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
  checkOptions("tuneDevice", options, TUNE_OPTIONS);
  const { trainer, batchSize = 32, seconds = 60, progress = () => {} } = options;
  const { limits: tuned, tunings } = device;
  if (!tuned || !tunings || !device.useTuning) {
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
  const graphs = trainer ? [stepGraph(trainer, batchSize)] : typicalSteps();
  const nodes = tunable(graphs, limits);
  const costs = await measureCosts(device, limits);
  const measured: MeasuredKernel[] = [];
  const left: string[] = [];
  const kernels: Record<string, KernelForce> = { ...tuned.tuning?.kernels };
  const tuning: Tuning = { device: tuningKey(device.info), costs, kernels };
  await saveTuning(tunings, tuning);
  let done = 0;
  for (const [bucket, node] of nodes) {
    const late = performance.now() - began > 1000 * seconds;
    const long = (node.op.flops?.(node) ?? 0) / costs.rate > TOO_LONG;
    const found = late || long ? null : await fastestThatFits(device, node, limits);
    if (found) {
      const { force, ...times } = found;
      delete kernels[bucket];
      if (force) kernels[bucket] = force;
      measured.push({ bucket, ...times });
      await saveTuning(tunings, tuning);
    } else left.push(bucket);
    progress(++done, nodes.size, bucket);
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

/** `force` is what forces the fastest kernel, unless that is chosen anyway. */
type Fastest = Omit<MeasuredKernel, "bucket"> & { readonly force: KernelForce | null };

/** Null where the node does not fit into the device's memory. */
async function fastestThatFits(device: Device, node: Node, limits: KernelLimits): Promise<Fastest | null> {
  try {
    return await fastest(device, node, limits);
  } catch (error) {
    if (error instanceof TilegradError && error.code === "E_MEMORY") return null;
    throw error;
  }
}

/** Runs the node alone by each of its kernels. @throws E_MEMORY */
async function fastest(device: Device, { op, inputs, attrs }: Node, limits: KernelLimits): Promise<Fastest> {
  const made = apply(
    op,
    inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype)),
    attrs,
  );
  const graph: Graph = { outputs: Object.fromEntries(made.map((t, i) => [`y${i}`, t])), updates: [] };
  // What changes the order of a sum is not chosen by time.
  const forces = (op.variants?.(limits) ?? []).filter((force) => force.splits === undefined);
  const ways = differentWays(graph, [{}, ...forces], limits);
  const { bindings, dispose } = bindSamples(device, graph);
  const steps: CompiledStep[] = [];
  try {
    const compiled = await Promise.allSettled(
      ways.map(({ force }) =>
        device.compile(graph, { bindings, label: "tune", plan: "dispatch", limits: { ...force, tuning: null } }),
      ),
    );
    for (const result of compiled) if (result.status === "fulfilled") steps.push(result.value);
    for (const result of compiled) if (result.status === "rejected") throw result.reason;
    const rounds = await timeSteps(device, steps);
    const us = rounds.map(median);
    const own = await wordsOf(steps[0]);
    const kernels: MeasuredKernel["kernels"][number][] = [];
    for (const [i, { name }] of ways.entries())
      kernels.push({ name, us: us[i], equal: sameWords(await wordsOf(steps[i]), own) });
    // A kernel that was faster in some rounds only may owe it to what else the machine did.
    const better = (i: number): boolean => kernels[i].equal && Math.max(...rounds[i]) < Math.min(...rounds[0]);
    const chosen = us.reduce((k, t, i) => (better(i) && t < us[k] ? i : k), 0);
    return { before: ways[0].name, now: ways[chosen].name, kernels, force: chosen === 0 ? null : ways[chosen].force };
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
    const { calls } = compileGraph(graph, { ...limits, ...force });
    const text = calls.map(({ code, params, workgroups }) => [code, params, workgroups].join()).join();
    const name = Object.values(force).join() || calls.map(({ shader }) => shader).join();
    // The op's own choice is called as what forces it.
    const found = known.get(text);
    if (!found) known.set(text, { name, force });
    else if (Object.keys(found.force).length === 0) Object.assign(found, { name, force });
  }
  return [...known.values()];
}

/** All outputs of a step's last run, to be compared to the bit. */
const wordsOf = ({ outputs }: CompiledStep): Promise<Uint32Array[]> =>
  Promise.all(Object.values(outputs).map(async (tensor) => new Uint32Array((await tensor.read()).buffer)));

const sameWords = (a: readonly Uint32Array[], b: readonly Uint32Array[]): boolean =>
  a.every((words, i) => words.every((word, j) => word === b[i][j]));
