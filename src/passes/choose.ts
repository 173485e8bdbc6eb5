/**
 * Dispatch or resident: which way of running a plan is faster, by a cost model of graph, adapter and limits alone. The two
 * sum in different orders, so the choice must not depend on timing: the same graph on the same device always runs the same
 * way.
 */
import { timeText } from "../policy/costs.ts";
import type { KernelLimits } from "../policy/limits.ts";

export type PlanKind = "dispatch" | "resident";

export interface PlanChoice {
  readonly kind: PlanKind;
  readonly why: string;
}

/** What decides: a step's dispatches and operations, and of the resident plan its stages and work, or why there is none. */
export interface PlanFigures {
  readonly dispatches: number;
  readonly flops: number;
  readonly resident: { readonly stages: number; readonly work: number } | string;
}

export function choosePlan(
  { dispatches, flops, resident }: PlanFigures,
  limits: KernelLimits,
  forced?: PlanKind,
): PlanChoice {
  if (typeof resident === "string") return { kind: "dispatch", why: resident };
  if (forced) return { kind: forced, why: "as asked" };
  const { dispatch, rate, residentRate, stage } = limits.costs;
  const spread = dispatches * dispatch + flops / rate;
  const inside = resident.stages * stage + resident.work / residentRate;
  const figures = limits.tuning ? "what was measured on this device" : "the figures of its family";
  return {
    kind: inside < spread ? "resident" : "dispatch",
    why: `estimated ${timeText(spread)} a step in ${dispatches} dispatches, ${timeText(inside)} resident, by ${figures}`,
  };
}
