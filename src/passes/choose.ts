/**
 * Dispatch or resident: which way of running a plan is faster, by a cost model of graph, adapter and limits alone. The two
 * sum in different orders, so the choice must not depend on timing: the same graph on the same device always runs the same
 * way. Figures are measured per adapter family (bench/results/resident.md).
 */
import type { KernelLimits } from "../ops/op.ts";
import type { ResidentProgram } from "../shader/resident.ts";

export type PlanKind = "dispatch" | "resident";

/** What a family of adapters costs. */
interface Family {
  /** Microseconds that a dispatch costs besides its work. */
  readonly dispatch: number;
  /** Floating point operations per microsecond of the whole device, and of the one workgroup of a resident plan. */
  readonly rate: number;
  readonly residentRate: number;
  /** Microseconds of one stage of a resident plan: its loop and barrier. */
  readonly stage: number;
}

const families: Readonly<Record<"software" | "hardware", Family>> = {
  software: { dispatch: 20, rate: 3000, residentRate: 700, stage: 0.3 },
  // Published figures and an estimate of one workgroup's share; not measured here.
  hardware: { dispatch: 5, rate: 1_000_000, residentRate: 20_000, stage: 2 },
};

export interface PlanChoice {
  readonly kind: PlanKind;
  readonly why: string;
}

export function choosePlan(
  { dispatches, flops, resident }: { dispatches: number; flops: number; resident: ResidentProgram | null },
  limits: KernelLimits,
  forced?: PlanKind,
): PlanChoice {
  if (!resident)
    return { kind: "dispatch", why: "a kernel needs a whole dispatch, or there are too many buffers for one kernel" };
  if (forced) return { kind: forced, why: "as asked" };
  const { dispatch, rate, residentRate, stage } = families[limits.software ? "software" : "hardware"];
  const spread = dispatches * dispatch + flops / rate;
  const inside = resident.stages * stage + flops / residentRate;
  const us = (t: number): string => `${t.toPrecision(2)} us`;
  return {
    kind: inside < spread ? "resident" : "dispatch",
    why: `estimated ${us(spread)} a step in ${dispatches} dispatches, ${us(inside)} resident`,
  };
}
