import { averagePrecision, ks, prAucTrapezoid, rocAuc } from "../../src/metrics/areas.ts";
import { type Confusion, confusionMatrix, fBeta, measures } from "../../src/metrics/confusion.ts";
import { costCurve } from "../../src/metrics/costs.ts";
import { prCurve, rocCurve } from "../../src/metrics/curves.ts";
import { brier, calibrationCurve, ece, logLoss } from "../../src/metrics/probability.ts";
import type { ThresholdRule } from "../../src/metrics/thresholdRule.ts";
import { tuneThreshold } from "../../src/metrics/thresholds.ts";

/** One case: ratio = worst |got - want| / (atol + rtol |want|) over its numbers; it passes at 1 or less. */
export interface CaseResult {
  readonly id: string;
  readonly ratio: number;
  /** What was worst, or what is not a number at all. */
  readonly error?: string;
}

type Num = number | string | null;
interface At {
  threshold: number;
  confusion: Confusion;
  fbeta: Record<string, number>;
  undefined?: string[];
  [measure: string]: unknown;
}
interface Best {
  value: number;
  thresholds: Num[];
}
interface Case {
  id: string;
  y: { data: number[] };
  score: { data: number[] };
  sample_weight?: { data: number[] };
  expected: Record<string, unknown> & { at: At[] };
}
interface MetricsFile {
  tolerance: { rtol: number; atol: number };
  cases: Case[];
}

const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const toNumber = (value: Num): number => (value === null ? Number.NaN : Number(value));

/** Remembers the worst difference from the expected numbers. */
class Worst {
  ratio = 0;
  error: string | undefined;
  private readonly tolerance: { rtol: number; atol: number };

  constructor(tolerance: { rtol: number; atol: number }) {
    this.tolerance = tolerance;
  }

  number(what: string, got: number | null, want: Num): void {
    if (want === null || got === null) {
      this.claim(`${what}: got ${got}, want ${want}`, got === want);
      return;
    }
    const wanted = toNumber(want);
    if (got === wanted) return;
    const ratio = Math.abs(got - wanted) / (this.tolerance.atol + this.tolerance.rtol * Math.abs(wanted));
    this.note(Number.isNaN(ratio) ? Infinity : ratio, `${what}: got ${got}, want ${wanted}`);
  }

  numbers(what: string, got: ArrayLike<number>, want: Num[]): void {
    this.claim(`${what}: ${got.length} values, want ${want.length}`, got.length === want.length);
    want.forEach((value, i) => {
      this.number(`${what}[${i}]`, got[i] ?? Number.NaN, value);
    });
  }

  claim(what: string, holds: boolean): void {
    if (!holds) this.note(Infinity, what);
  }

  private note(ratio: number, what: string): void {
    if (ratio <= this.ratio) return;
    this.ratio = ratio;
    if (ratio > 1) this.error = what;
  }
}

/** Checks every case of a file of the metrics family. */
export function runMetrics(file: unknown): CaseResult[] {
  const { tolerance, cases } = file as MetricsFile;
  return cases.map((one) => {
    const worst = new Worst(tolerance);
    try {
      checkCase(one, worst);
    } catch (error) {
      worst.claim(String(error), false);
    }
    const { ratio, error } = worst;
    return error === undefined ? { id: one.id, ratio } : { id: one.id, ratio, error };
  });
}

function checkCase({ y: labels, score, sample_weight, expected }: Case, worst: Worst): void {
  const y = Int32Array.from(labels.data);
  const s = Float32Array.from(score.data);
  const w = sample_weight && Float32Array.from(sample_weight.data);
  for (const at of expected.at) checkAt(at, y, s, w, worst);
  for (const [name, want] of Object.entries(expected)) {
    switch (name) {
      case "at":
      case "note":
        break;
      case "log_loss":
        for (const [eps, value] of Object.entries(want as Record<string, Num>)) {
          const got = logLoss(y, s, { sampleWeight: w, eps: Number(eps.replace("eps_", "")) });
          worst.number(`log_loss ${eps}`, got, value);
        }
        break;
      case "brier":
        worst.number(name, brier(y, s, w), want as Num);
        break;
      case "roc_auc":
        worst.number(name, rocAuc(y, s, w), want as Num);
        break;
      case "average_precision":
        worst.number(name, averagePrecision(y, s, w), want as Num);
        break;
      case "pr_auc_trapezoid":
        worst.number(name, prAucTrapezoid(y, s, w), want as Num);
        break;
      case "ks":
        worst.number(name, ks(y, s, w), want as Num);
        break;
      case "roc_curve":
      case "pr_curve": {
        const curve = name === "roc_curve" ? rocCurve(y, s, w) : prCurve(y, s, w);
        for (const [part, values] of Object.entries(want as Record<string, Num[]>)) {
          const got = (curve as Record<string, Float64Array> | null)?.[part];
          worst.numbers(`${name}.${part}`, got ?? [], values);
        }
        break;
      }
      case "ece10":
        for (const [what, value] of Object.entries(want as Record<string, unknown>))
          checkEce(what, value, y, s, w, worst);
        break;
      case "best_f1":
        checkBest(name, { maximize: "f1" }, want as Best, y, s, w, worst);
        break;
      case "youden":
        checkBest(name, { maximize: "youden" }, want as Best, y, s, w, worst);
        break;
      case "max_precision_at_recall":
        for (const one of want as (Best & { recall_at_least: number })[]) {
          const rule: ThresholdRule = { maximize: "precision", recallAtLeast: one.recall_at_least };
          checkBest(`${name} ${one.recall_at_least}`, rule, one, y, s, w, worst);
        }
        break;
      case "min_cost":
        for (const one of want as (Best & { cost: Record<string, number> })[]) {
          checkBest(`${name} ${JSON.stringify(one.cost)}`, { minimizeCost: one.cost }, one, y, s, w, worst);
          const least = Math.min(...costCurve(y, s, one.cost, { sampleWeight: w }).cost);
          worst.number(`${name} on the cost curve`, least, one.value);
        }
        break;
      default:
        worst.claim(`no check for "${name}"`, false);
    }
  }
}

function checkAt(at: At, y: Int32Array, s: Float32Array, w: Float32Array | undefined, worst: Worst): void {
  const got = confusionMatrix(y, s, at.threshold, w);
  const all = measures(got);
  const free = new Set(at.undefined ?? []);
  const where = `at ${at.threshold}`;
  const lacking: readonly string[] = all.undefined;
  for (const [name, want] of Object.entries(at)) {
    if (name === "threshold") continue;
    if (name === "undefined") {
      for (const measure of (want as string[]).filter((m) => m !== "fbeta")) {
        worst.claim(`${where}: ${measure} is not said to be undefined`, lacking.includes(camel(measure)));
      }
    } else if (name === "confusion") {
      for (const cell of ["tn", "fp", "fn", "tp"] as const) {
        worst.number(`${where} ${cell}`, got[cell], at.confusion[cell]);
      }
    } else if (name === "fbeta") {
      for (const [beta, value] of Object.entries(at.fbeta)) {
        const f = fBeta(got, Number(beta));
        if (free.has("fbeta")) worst.claim(`${where} f${beta}: ${f}`, f === 0 || Number.isNaN(f));
        else worst.number(`${where} f${beta}`, f, value);
      }
    } else if (name === "mse_of_labels") {
      worst.number(`${where} 1 - accuracy`, 1 - all.accuracy, want as Num);
    } else {
      worst.number(`${where} ${name}`, (all as unknown as Record<string, number | null>)[camel(name)], want as Num);
    }
  }
}

function checkEce(
  what: string,
  want: unknown,
  y: Int32Array,
  s: Float32Array,
  w: Float32Array | undefined,
  worst: Worst,
): void {
  const match = /^(bin_counts_|confidence_|)(left|right)_closed$/.exec(what);
  if (match === null) {
    worst.claim(`no check for ece10.${what}`, false);
    return;
  }
  const closed = match[2] as "left" | "right";
  const of = match[1] === "confidence_" ? "confidence" : "positive";
  const options = { closed, of, sampleWeight: w } as const;
  if (match[1] === "bin_counts_") {
    const counts = calibrationCurve(y, s, options).map((bin) => bin.count);
    worst.numbers(`ece10.${what}`, counts, want as Num[]);
  } else {
    worst.number(`ece10.${what}`, ece(y, s, options), want as Num);
  }
}

/** The value is right, and the predictions are those of one of the thresholds that attain it. */
function checkBest(
  what: string,
  rule: ThresholdRule,
  want: Best,
  y: Int32Array,
  s: Float32Array,
  w: Float32Array | undefined,
  worst: Worst,
): void {
  const tuned = tuneThreshold(y, s, rule, { sampleWeight: w });
  worst.number(what, tuned.value, want.value);
  const predictions = (threshold: number) => Array.from(s, (score) => Number(score >= threshold)).join("");
  const got = predictions(tuned.threshold);
  const same = want.thresholds.some((threshold) => predictions(toNumber(threshold)) === got);
  worst.claim(`${what}: threshold ${tuned.threshold} is none of ${want.thresholds.join(", ")}`, same);
}
