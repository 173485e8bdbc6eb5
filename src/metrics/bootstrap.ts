import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { OptionsOf } from "../options.ts";
import { checkOptions, checkValue } from "../options.ts";
import { draws } from "../random.ts";
import { checkLabels, checkWeights, type NumberList, type Numeric } from "./check.ts";

/** The random stream of bootstrap draws; the replicate number is the step. */
const STREAM = 0x626f6f74; // "boot"

/** How often rows are drawn, and what is told of it. */
export const drawOptions = {
  /** Default 1000; 200 give a rough idea. */
  replicates: is.positiveInteger,
  /** Confidence level; default 0.95. */
  level: is.properFraction,
  /** Any safe integer. */
  seed: is.required(is.number),
};

const bootstrapOptions = {
  ...drawOptions,
  /** [n] */
  sampleWeight: is.values as Kind<Numeric>,
};

export interface BootstrapOptions extends OptionsOf<typeof bootstrapOptions> {}

/** A percentile interval, low <= high. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile confidence intervals by stratified bootstrap (Efron & Tibshirani 1993): each replicate draws as many
 * positive rows from the positives, and negative from the negatives, with replacement. The same seed gives the same
 * intervals.
 *
 * @param y labels 0 or 1, [n]
 * @param measure the values of one replicate, given each row's weight [n] (its number of draws times its sample
 *   weight; the array is reused). Since only weights change, rows need to be sorted by score only once.
 * @returns per name its interval; null where the measure was null in every replicate
 * @throws `E_DATA` on bad labels or weights, `E_ARGUMENT` on bad options
 */
export function bootstrapIntervals<Name extends string>(
  labels: Numeric,
  measure: (weight: Float64Array) => Readonly<Record<Name, number | null>>,
  options: BootstrapOptions,
): Record<Name, Interval | null> {
  const { replicates = 1000, level = 0.95, seed } = checkOptions("bootstrapIntervals", options, bootstrapOptions);
  checkValue("bootstrapIntervals", "measure", measure, is.callable);
  const y = checkLabels("bootstrapIntervals", labels);
  const sampleWeight = checkWeights("bootstrapIntervals", y.length, options.sampleWeight);
  const strata = rowsByClass(y, sampleWeight);
  const weight = new Float64Array(y.length);
  const seen = new Map<Name, number[]>();
  for (let replicate = 0; replicate < replicates; replicate++) {
    drawWeights(weight, strata, seed, replicate, sampleWeight);
    for (const [name, value] of Object.entries(measure(weight)) as [Name, number | null][]) {
      const values = seen.get(name) ?? [];
      if (value !== null) values.push(value);
      seen.set(name, values);
    }
  }
  return Object.fromEntries([...seen].map(([name, values]) => [name, percentiles(values, level)])) as Record<
    Name,
    Interval | null
  >;
}

/** Rows of each class; rows of weight 0 take no part. */
function rowsByClass(y: NumberList, sampleWeight?: NumberList): readonly (readonly number[])[] {
  const strata: [number[], number[]] = [[], []];
  for (let i = 0; i < y.length; i++) if (sampleWeight === undefined || sampleWeight[i] > 0) strata[y[i]].push(i);
  return strata;
}

function drawWeights(
  weight: Float64Array,
  strata: readonly (readonly number[])[],
  seed: number,
  replicate: number,
  sampleWeight?: NumberList,
): void {
  const draw = draws(seed, STREAM, replicate);
  weight.fill(0);
  let element = 0;
  for (const rows of strata) {
    for (let j = 0; j < rows.length; j++) {
      const row = rows[draw.integer(element++, rows.length)];
      weight[row] += sampleWeight === undefined ? 1 : sampleWeight[row];
    }
  }
}

function percentiles(values: number[], level: number): Interval | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => {
    const position = q * (sorted.length - 1);
    const below = Math.floor(position);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  };
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
