/**
 * Dispatch or resident: which way of running a plan is faster, by a cost model of graph, adapter and limits alone. The two
 * sum in different orders, so the choice must not depend on timing: the same graph on the same device always runs the same
 * way. Figures are measured per adapter family (bench/results/resident.md).
 */
import type { KernelLimits } from "../ops/op.ts";
import type { ResidentProgram } from "../shader/resident.ts";

export type PlanKind = "dispatch" | "resident";

/** What running costs on an adapter. */
export interface Costs {
  /** Microseconds that a dispatch costs besides its work. */
  readonly dispatch: number;
  /** Floating point operations per microsecond of the whole device, and of the one workgroup of a resident plan. */
  readonly rate: number;
  readonly residentRate: number;
  /** Microseconds of one stage of a resident plan: its loop and barrier. */
  readonly stage: number;
}

/** Families of adapters, by what they call themselves; the last is any hardware GPU. */
const families: readonly (readonly [name: RegExp, costs: Costs])[] = [
  [/llvmpipe|lavapipe/i, { dispatch: 20, rate: 10_000, residentRate: 1500, stage: 0.4 }],
  [/swiftshader/i, { dispatch: 20, rate: 1200, residentRate: 350, stage: 1 }],
  [/software|microsoft basic render/i, { dispatch: 20, rate: 1200, residentRate: 350, stage: 1 }],
  // Published figures and an estimate of one workgroup's share; not measured here.
  [/(?:)/, { dispatch: 5, rate: 1_000_000, residentRate: 20_000, stage: 2 }],
];

/** @param adapter vendor, architecture, device and description */
export const costsOf = (adapter: string): Costs => (families.find(([name]) => name.test(adapter)) ?? families[3])[1];

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
  const { dispatch, rate, residentRate, stage } = limits.costs;
  const spread = dispatches * dispatch + flops / rate;
  const inside = resident.stages * stage + flops / residentRate;
  const us = (t: number): string => `${t.toPrecision(2)} us`;
  return {
    kind: inside < spread ? "resident" : "dispatch",
    why: `estimated ${us(spread)} a step in ${dispatches} dispatches, ${us(inside)} resident`,
  };
}
