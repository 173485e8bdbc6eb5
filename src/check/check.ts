/** Checks every op on a device against the f64 reference: what `tilegrad doctor` and the device tests run. */

import { compileGraph } from "../compile.ts";
import { openCpu } from "../cpu/device.ts";
import type { CompileGraphOptions, Device } from "../device.ts";
import type { Elements, OpDef, Sample } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import type { KernelForce, KernelLimits } from "../policy/limits.ts";
import { identityOf } from "../shader/lower.ts";
import { F32, worstOf } from "./compare.ts";
import { checkEdges, hasEdges } from "./edges.ts";
import type { SampleGraph } from "./samples.ts";
import { sampleGraph } from "./samples.ts";

export interface CheckResult {
  readonly op: string;
  readonly name: string;
  /** Worst error in units of the tolerance; at most 1 passes. */
  readonly ratio: number;
  /** Where it does not pass: the worst element, y0 an output and d0 the gradient of an input, or why it did not run. */
  readonly error?: string;
}

/** How to run what is checked; default: as a user's graph would run. */
export type HowToRun = Pick<CompileGraphOptions, "fusion" | "plan" | "precision" | "limits">;

export interface Check {
  readonly sample: Sample;
  readonly how: HowToRun;
}

const elementsOf = ({ inputs }: Sample): number => inputs.reduce((n, { shape }) => n + sizeOf(shape), 0);

/**
 * What `checkOps` runs on a device with these limits: every sample by the kernel that the device would choose, by each other
 * kernel the largest that it serves, and the largest of all resident. No limits: a device that knows one way.
 */
export function checksOf(op: OpDef, limits: KernelLimits | null): readonly Check[] {
  const samples = op.samples?.() ?? [];
  if (!limits) return samples.map((sample) => ({ sample, how: {} }));
  const largestFirst = [...samples].sort((a, b) => elementsOf(b) - elementsOf(a));
  const kernelsOf = (sample: Sample, force: KernelForce): string =>
    identityOf(compileGraph(sampleGraph(op, sample, { gradient: true }).graph, { ...limits, force }).calls);
  const chosen = new Map<Sample, string>();
  const chosenFor = (sample: Sample): string => {
    const kernels = chosen.get(sample) ?? kernelsOf(sample, {});
    chosen.set(sample, kernels);
    return kernels;
  };
  const others = (op.variants?.(limits) ?? []).flatMap(({ force }): readonly Check[] => {
    const sample = largestFirst.find((s) => kernelsOf(s, force) !== chosenFor(s));
    return sample ? [{ sample, how: { plan: "dispatch", limits: { force } } }] : [];
  });
  return [
    ...samples.map((sample): Check => ({ sample, how: { plan: "dispatch" } })),
    ...others,
    ...largestFirst.slice(0, 1).map((sample): Check => ({ sample, how: { plan: "resident" } })),
  ];
}

/** Runs a graph once and reads its outputs. */
export async function runOnce(
  device: Device,
  sample: SampleGraph,
  how: HowToRun = {},
): Promise<Record<string, Elements>> {
  const bindings = Object.fromEntries(
    Object.entries(sample.types).map(([name, type]) => [name, device.tensor(type, name, sample.feeds[name])]),
  );
  const step = await device.compile(sample.graph, { bindings, label: sample.name, ...how });
  device.enqueue(step, sample.step);
  await device.flush();
  const read: Record<string, Elements> = {};
  for (const [name, tensor] of Object.entries(step.outputs)) read[name] = (await tensor.read()).slice();
  step.dispose();
  for (const tensor of Object.values(bindings)) tensor.dispose();
  return read;
}

/** Outputs and gradients; the outputs alone where both are too many buffers for a resident plan. */
export function checkedGraph(limits: KernelLimits | null, op: OpDef, { sample, how }: Check): SampleGraph {
  const whole = sampleGraph(op, sample, { gradient: true });
  if (how.plan !== "resident" || !limits) return whole;
  const { resident } = compileGraph(whole.graph, { ...limits, ...how.limits }, how);
  return resident ? whole : sampleGraph(op, sample, { gradient: false });
}

export async function checkSample(device: Device, op: OpDef, sample: Sample, how: HowToRun = {}): Promise<CheckResult> {
  const graph = checkedGraph(device.limits, op, { sample, how });
  const name = [
    graph.name,
    ...Object.entries(how.limits?.force ?? {}).map(([kernel, value]) => `${kernel}:${value}`),
  ].join(" ");
  try {
    const reference = openCpu({ precision: "f64" });
    const want = await runOnce(reference, graph);
    const got = await runOnce(device, graph, how);
    const tolerance = { rtol: sample.rtol ?? F32.rtol, atol: sample.atol ?? F32.atol };
    const { output, at, ratio } = Object.keys(want)
      .map((output) => ({ output, ...worstOf(got[output], want[output], tolerance) }))
      .reduce((a, b) => (b.ratio > a.ratio ? b : a));
    const error = `${output}[${at}]: got ${got[output][at]}; expected ${want[output][at]}: ${ratio.toFixed(1)} tolerances off`;
    return { op: op.name, name, ratio, ...(ratio <= 1 ? {} : { error }) };
  } catch (error) {
    return { op: op.name, name, ratio: Number.POSITIVE_INFINITY, error: (error as Error).message };
  }
}

const checkOpsOptions = {
  /** Hears of each. */
  progress: is.callable as Kind<(result: CheckResult) => void>,
  /** One check of each op, at its largest size, as the device would run it; default false: all sizes, all kernels. */
  quick: is.boolean,
};

/** The largest sample of an op. */
export const quickChecksOf = (op: OpDef): readonly Check[] =>
  [...(op.samples?.() ?? [])]
    .sort((a, b) => elementsOf(b) - elementsOf(a))
    .slice(0, 1)
    .map((sample) => ({ sample, how: {} }));

export interface CheckOpsOptions extends OptionsOf<typeof checkOpsOptions> {}

/** All checks of all ops given, or one of each, in order; after those of an op what it gives for NaN, infinities and the like. */
export async function checkOps(
  device: Device,
  ops: readonly OpDef[],
  options: CheckOpsOptions = {},
): Promise<CheckResult[]> {
  checkValue("checkOps", "device", device, is.device);
  checkValue("checkOps", "ops", ops, is.list);
  const { progress = () => {}, quick = false } = checkOptions("checkOps", options, checkOpsOptions);
  const results: CheckResult[] = [];
  for (const op of ops) {
    const checks = quick ? quickChecksOf(op) : checksOf(op, device.limits);
    for (const { sample, how } of checks) {
      const result = await checkSample(device, op, sample, how);
      results.push(result);
      progress(result);
    }
    if (!hasEdges(op)) continue;
    const edges = await edgeResult(device, op);
    results.push(edges);
    progress(edges);
  }
  return results;
}

async function edgeResult(device: Device, op: OpDef): Promise<CheckResult> {
  const name = "NaN, infinities, subnormal numbers";
  const [error] = await checkEdges(device, op).catch(({ message }: Error) => [message]);
  return { op: op.name, name, ratio: error === undefined ? 0 : Number.POSITIVE_INFINITY, ...(error ? { error } : {}) };
}
