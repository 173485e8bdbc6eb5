/**
 * READ FIRST. The whole way from a description of a computation to kernels, in order, one stage a line. What comes before
 * - the model, its loss and its optimizer as one graph, differentiated - is `train/step.ts`; what comes after - pipelines,
 * buffers, running many steps a submit - is `webgpu/`. `docs/architecture.md` tells it in prose.
 */

import type { CompileGraphOptions } from "./device.ts";
import type { Graph } from "./graph/types.ts";
import { verify } from "./graph/verify.ts";
import type { PlanChoice } from "./passes/choose.ts";
import { choosePlan } from "./passes/choose.ts";
import { expand } from "./passes/expand.ts";
import { fuse } from "./passes/fuse.ts";
import { checkPrecision, storeInHalf } from "./passes/half.ts";
import type { Plan } from "./passes/plan.ts";
import { plan } from "./passes/plan.ts";
import { simplify } from "./passes/simplify.ts";
import type { KernelLimits } from "./policy/limits.ts";
import type { KernelCall } from "./shader/lower.ts";
import { lower, StepLayout } from "./shader/lower.ts";
import type { ResidentProgram } from "./shader/resident.ts";
import { lowerResident } from "./shader/resident.ts";

export interface Compiled {
  readonly plan: Plan;
  /** The dispatches of one run, in order. */
  readonly calls: readonly KernelCall[];
  /** The same run as one kernel that loops over steps, where that is possible. */
  readonly resident: ResidentProgram | null;
  /** Which of the two runs, and why. */
  readonly choice: PlanChoice;
  /** Which column of the step row holds which step scalar. */
  readonly steps: StepLayout;
}

export function compileGraph(
  graph: Graph,
  limits: KernelLimits,
  { fusion = true, plan: forced, precision = "f32" }: Pick<CompileGraphOptions, "fusion" | "plan" | "precision"> = {},
): Compiled {
  checkPrecision(precision, limits);
  const expanded = expand(verify(graph, "input"), limits); //      composite ops -> ops that have kernels
  const simple = verify(simplify(expanded), "simplify"); //        equal nodes shared, identities folded
  const mixed = precision === "mixed" ? storeInHalf(simple, limits, fusion) : simple; //  f16 between kernels
  const fused = fuse(mixed, { limits, fusion }); //               nodes -> kernels
  const planned = plan(fused); //                                  values -> buffers
  const steps = new StepLayout();
  const calls = lower(planned, limits, steps); //                  kernels -> dispatches: WGSL, parameters, grids
  const resident = lowerResident(planned, limits, steps); //       kernels -> stages of one kernel
  const flops = calls.reduce((total, call) => total + call.flops, 0);
  const choice = choosePlan({ dispatches: calls.length, flops, resident }, limits, forced);
  return { plan: planned, calls, resident: typeof resident === "string" ? null : resident, choice, steps };
}
