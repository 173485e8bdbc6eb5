import { classWeightBalanced, classWeightToSampleWeight } from "../../src/metrics/weights.ts";
import type { CaseResult } from "./metrics.ts";

/** A case that nothing here checks yet. */
export interface Unsupported {
  readonly id: string;
  readonly unsupported: true;
}

interface ClassWeights {
  id?: string;
  y: { data: number[] };
  classes: number[];
  balanced: number[];
  sample_weight: number[];
}

type Check = (one: never, rtol: number) => Omit<CaseResult, "id">;

const checks: Readonly<Record<string, Check>> = {
  class_weights({ y, classes, balanced, sample_weight }: ClassWeights, rtol) {
    const got = classWeightBalanced(y.data);
    const rows = classWeightToSampleWeight(y.data, got);
    const pairs = [
      ...classes.map((label, j) => [got[label], balanced[j]]),
      ...sample_weight.map((want, i) => [rows[i], want]),
    ];
    const ratio = Math.max(...pairs.map(([value, want]) => Math.abs(value - want) / (rtol * Math.abs(want))));
    return ratio <= 1 ? { ratio } : { ratio, error: `balanced weights ${JSON.stringify(got)}, want ${balanced}` };
  },
};

/** Checks every case of a file of the sampling family. */
export function runSampling(file: unknown): (CaseResult | Unsupported)[] {
  const { tolerance, ...lists } = file as { tolerance: { weights: { rtol: number } } } & Record<string, unknown>;
  return Object.entries(lists).flatMap(([name, list]) => {
    if (!Array.isArray(list)) return [];
    return list.map((one: { id?: string }, i): CaseResult | Unsupported => {
      const id = `${name}/${one.id ?? i}`;
      const check = checks[name];
      if (check === undefined) return { id, unsupported: true };
      try {
        return { id, ...check(one as never, tolerance.weights.rtol) };
      } catch (error) {
        return { id, ratio: Infinity, error: String(error) };
      }
    });
  });
}
