/** How long compiled steps take, and what running costs on a device. */

import { compileGraph } from "../compile.ts";
import type { CompiledStep, Device } from "../device.ts";
import type { Graph, Tensor } from "../graph/types.ts";
import { median } from "../numeric.ts";
import { sum } from "../ops/core/broadcast.ts";
import { input, state } from "../ops/core/constant.ts";
import { mul, relu, square, sub } from "../ops/core/elementwise.ts";
import { linear } from "../ops/matmul/linear.ts";
import { gradients } from "../passes/differentiate.ts";
import type { Costs } from "../policy/costs.ts";
import type { KernelLimits } from "../policy/limits.ts";
import { bindSamples } from "./bind.ts";

/** A round of runs lasts at least this long, in milliseconds, so that waiting for its end is a small part of it. */
const KERNEL_ROUND = 10;
const STEP_ROUND = 50;
const ROUNDS = 5;
/** What takes so many times as long as the fastest so far is not run again. */
const HOPELESS = 5;

/**
 * Microseconds of one run of each step, round by round, many runs being submitted together. Rounds go from step to step, so
 * that whatever else the machine does meanwhile slows down all of them. A step that is far slower has one round only.
 */
export async function timeSteps(
  device: Device,
  steps: readonly CompiledStep[],
  round = KERNEL_ROUND,
): Promise<number[][]> {
  const run = async (step: CompiledStep, runs: number): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < runs; i++) device.enqueue(step, {});
    await device.flush();
    return (1000 * (performance.now() - began)) / runs;
  };
  const times: number[][] = [];
  const counts: number[] = [];
  let fastest = Number.POSITIVE_INFINITY;
  for (const step of steps) {
    // The first run may compile.
    await run(step, 1);
    let runs = 1;
    let us = await run(step, runs);
    while (us * runs < 1000 * round && 2 * runs <= device.maxQueue) {
      runs *= 2;
      us = await run(step, runs);
    }
    fastest = Math.min(fastest, us);
    times.push(us > HOPELESS * fastest ? [us] : []);
    counts.push(runs);
  }
  const hopeful = steps.flatMap((step, k) => (times[k].length === 0 ? [{ step, runs: counts[k], us: times[k] }] : []));
  for (let k = 0; k < ROUNDS; k++) {
    for (const { step, runs, us } of hopeful) us.push(await run(step, runs));
  }
  return times;
}

/** A training step of dense layers, `sizes` units each, on so many rows. */
function denseStep(rows: number, sizes: readonly number[]): Graph {
  let y: Tensor = input("x", [rows, sizes[0]]);
  const weights: Tensor[] = [];
  for (let i = 1; i < sizes.length; i++) {
    const kernel = state(`kernel${i}`, [sizes[i - 1], sizes[i]]);
    const bias = state(`bias${i}`, [sizes[i]]);
    weights.push(kernel, bias);
    y = relu(linear(y, kernel, bias));
  }
  const slopes = gradients(sum(square(y)), weights);
  const updates = weights.map((weight, i) => ({ state: weight, value: sub(weight, mul(1e-6, slopes[i])) }));
  return { outputs: {}, updates };
}

/** So small that a step is nothing but dispatches, or stages; and one of many products. */
const SMALL = denseStep(4, [2, 3, 1]);
const LARGE = denseStep(256, [30, 128, 64, 1]);

/** Microseconds of one step, run as dispatches and resident; what the two are made of. */
async function measureStep(device: Device, limits: KernelLimits, graph: Graph) {
  const { calls, resident } = compileGraph(graph, limits);
  if (!resident) return null;
  const { bindings, dispose } = bindSamples(device, graph);
  const steps: CompiledStep[] = [];
  try {
    for (const plan of ["dispatch", "resident"] as const)
      steps.push(await device.compile(graph, { bindings, label: `tune ${plan}`, plan, limits: { tuning: null } }));
    const [dispatched, inside] = (await timeSteps(device, steps, STEP_ROUND)).map(median);
    const flops = calls.reduce((total, call) => total + call.flops, 0);
    return { dispatched, inside, dispatches: calls.length, stages: resident.stages, flops, work: resident.work };
  } finally {
    for (const step of steps) step.dispose();
    dispose();
  }
}

/** The figures that `choosePlan` decides by, from the two ways of running a small and a larger training step. */
export async function measureCosts(device: Device, limits: KernelLimits): Promise<Costs> {
  const small = await measureStep(device, limits, SMALL);
  const large = await measureStep(device, limits, LARGE);
  if (!small || !large) return limits.costs;
  const dispatch = small.dispatched / small.dispatches;
  const stage = small.inside / small.stages;
  /** What is left of a step's time for its work; some always is. */
  const rate = (work: number, us: number, overhead: number): number => work / Math.max(us - overhead, us / 10);
  return {
    dispatch,
    stage,
    rate: rate(large.flops, large.dispatched, large.dispatches * dispatch),
    residentRate: rate(large.work, large.inside, large.stages * stage),
    near: limits.costs.near,
  };
}
