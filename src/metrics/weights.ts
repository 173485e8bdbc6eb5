import { TilegradError } from "../errors.ts";
import * as is from "../kinds.ts";
import { checkValue } from "../options.ts";
import { numbersOf } from "../values.ts";
import { checkLabels, checkRange, checkWeights, type Numeric } from "./check.ts";

/** Weight of each class by its label, as `classWeight` takes it. */
export type ClassWeight = Readonly<Record<number, number>>;

/** n / (classes · count) for each class present (scikit-learn's "balanced"). Labels are whole numbers >= 0. */
export function classWeightBalanced(y: Numeric): ClassWeight {
  const counts = classCounts("classWeightBalanced", y);
  return mapCounts(counts, (count) => y.length / (counts.size * count));
}

/**
 * (1 - beta) / (1 - beta^count) for each class, scaled to sum to the number of classes ("Class-Balanced Loss Based
 * on Effective Number of Samples", Cui et al. 2019). beta in [0, 1): 0 weighs all alike, towards 1 as "balanced".
 */
export function effectiveNumberWeights(y: Numeric, beta = 0.999): ClassWeight {
  checkRange("effectiveNumberWeights", "beta", beta, 0, 1 - Number.EPSILON);
  const counts = classCounts("effectiveNumberWeights", y);
  const raw = mapCounts(counts, (count) => (1 - beta) / (1 - beta ** count));
  const sum = Object.values(raw).reduce((a, b) => a + b);
  return mapCounts(counts, (_, label) => (raw[label] * counts.size) / sum);
}

/** The weight of each row's class, f64 [n]; classes that are not named weigh 1. */
export function classWeightToSampleWeight(labels: Numeric, classWeight: ClassWeight): Float64Array {
  const y = numbersOf("classWeightToSampleWeight", "labels", labels);
  checkValue("classWeightToSampleWeight", "classWeight", classWeight, Array.isArray(classWeight) ? is.list : is.object);
  return Float64Array.from({ length: y.length }, (_, i) => classWeight[y[i]] ?? 1);
}

/** `posWeight: "auto"`: negatives / positives, by weight. Throws `E_DATA` when a class is absent. */
export function posWeightAuto(y: Numeric, sampleWeight?: Numeric): number {
  const p = bothClassesPrevalence("posWeightAuto", y, sampleWeight);
  return (1 - p) / p;
}

/** Focal loss's alpha, the weight of the positives, as 1 - prevalence. Throws `E_DATA` when a class is absent. */
export function focalAlpha(y: Numeric, sampleWeight?: Numeric): number {
  return 1 - bothClassesPrevalence("focalAlpha", y, sampleWeight);
}

/**
 * ln(p / (1 - p)) of the prevalence p: the last layer's initial bias, so that the first predictions are the base
 * rate (Lin et al. 2017, section 4.1). Throws `E_DATA` when a class is absent.
 */
export function logOddsBias(y: Numeric, sampleWeight?: Numeric): number {
  const p = bothClassesPrevalence("logOddsBias", y, sampleWeight);
  return Math.log(p / (1 - p));
}

/** Share of positives, by weight, in [0, 1]. */
export function prevalence(y: Numeric, sampleWeight?: Numeric): number {
  return weightedPrevalence("prevalence", y, sampleWeight);
}

function weightedPrevalence(where: string, labels: Numeric, weights?: Numeric): number {
  const y = checkLabels(where, labels);
  const weight = checkWeights(where, y.length, weights);
  let positives = 0;
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    const w = weight === undefined ? 1 : weight[i];
    positives += w * y[i];
    total += w;
  }
  return positives / total;
}

function bothClassesPrevalence(where: string, y: Numeric, weight?: Numeric): number {
  const p = weightedPrevalence(where, y, weight);
  if (p > 0 && p < 1) return p;
  throw new TilegradError("E_DATA", `${where}: all rows are ${p === 0 ? "negative" : "positive"}.`, {
    hint: "A weight from the prevalence needs rows of both classes; check the split and the positive label.",
  });
}

function classCounts(where: string, labels: Numeric): Map<number, number> {
  const y = numbersOf(where, "labels", labels);
  if (y.length === 0) {
    throw new TilegradError("E_DATA", `${where}: got 0 labels; expected at least 1.`, { hint: "Check the split." });
  }
  const counts = new Map<number, number>();
  for (let i = 0; i < y.length; i++) {
    if (!(Number.isInteger(y[i]) && y[i] >= 0)) {
      throw new TilegradError("E_DATA", `${where}: label of row ${i} is ${y[i]}; expected a whole number >= 0.`, {
        hint: "Number the classes from 0.",
      });
    }
    counts.set(y[i], (counts.get(y[i]) ?? 0) + 1);
  }
  return counts;
}

const mapCounts = (counts: Map<number, number>, weight: (count: number, label: number) => number): ClassWeight =>
  Object.fromEntries([...counts].map(([label, count]) => [label, weight(count, label)]));
