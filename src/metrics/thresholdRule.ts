import { TilegradError } from "../errors.ts";
import { isObject, show } from "../options.ts";
import { checkRange } from "./check.ts";

/** A measure that a threshold can maximize. */
export type Objective = "f1" | "mcc" | "balancedAccuracy" | "youden" | "accuracy" | "kappa";

/** What one row of each outcome costs; "amount" is the row's own amount (a fraud's size). Default 0. */
export interface CostMatrix {
  readonly tn?: number | "amount";
  readonly fp?: number | "amount";
  readonly fn?: number | "amount";
  readonly tp?: number | "amount";
}

/**
 * How the threshold of a classifier is chosen. Plain JSON: it is saved with the model.
 *
 * - `fixed`: this threshold.
 * - `quantile`: the smallest score that at least this share of the rows lies at or below, in [0, 1]: 0.9 alerts on
 *   about the top tenth.
 * - `maximize`: the best value of a measure; `fBeta` takes `beta`, in [1e-6, 1e6]; precision is maximized under a floor on recall and
 *   recall under a floor on precision.
 * - `alertsPerThousand`: as many alerts as allowed, at most this many per thousand rows.
 * - `minimizeCost`: the least total cost.
 */
export type ThresholdRule =
  | { readonly fixed: number }
  | { readonly quantile: number }
  | { readonly maximize: Objective }
  | { readonly maximize: "fBeta"; readonly beta: number }
  | { readonly maximize: "precision"; readonly recallAtLeast: number }
  | { readonly maximize: "recall"; readonly precisionAtLeast: number }
  | { readonly alertsPerThousand: number }
  | { readonly minimizeCost: CostMatrix };

const objectives: readonly string[] = ["f1", "mcc", "balancedAccuracy", "youden", "accuracy", "kappa"];

/** Measures that are maximized with a number beside, by its name. */
const BESIDE: Readonly<Record<string, string>> = {
  fBeta: "beta",
  precision: "recallAtLeast",
  recall: "precisionAtLeast",
};

/** F-beta of less is precision, of more than its reciprocal recall; of 0 a rule would predict next to nothing. */
const LEAST_BETA = 1e-6;

/** What the numbers of rules may be. */
const RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = {
  fixed: [-Number.MAX_VALUE, Number.MAX_VALUE],
  quantile: [0, 1],
  alertsPerThousand: [0, 1000],
  recallAtLeast: [0, 1],
  precisionAtLeast: [0, 1],
  beta: [LEAST_BETA, 1 / LEAST_BETA],
};

/** Throws `E_ARGUMENT` when a rule is not one of the above or a number in it is out of range. */
export function checkThresholdRule(rule: ThresholdRule, where = "tuneThreshold"): void {
  if (!isObject(rule) || !isWhole(rule)) throw unknownRule(where, show(rule));
  if ("minimizeCost" in rule) checkCosts(where, rule.minimizeCost);
  for (const [name, value] of Object.entries(rule)) {
    if (value !== undefined && Object.hasOwn(RANGES, name)) checkRange(where, name, value, ...RANGES[name]);
  }
}

/** Whether what a rule says is there, and nothing beside. */
function isWhole(rule: object): boolean {
  const { maximize, ...rest }: { readonly maximize?: unknown } = rule;
  const [name, ...more] = Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (more.length > 0) return false;
  if (maximize === undefined) return ["fixed", "quantile", "alertsPerThousand", "minimizeCost"].includes(name);
  return name === undefined ? objectives.includes(String(maximize)) : BESIDE[String(maximize)] === name;
}

function checkCosts(where: string, costs: CostMatrix): void {
  for (const [name, cost] of Object.entries(costs)) {
    if (!["tn", "fp", "fn", "tp"].includes(name) || !(cost === "amount" || Number.isFinite(cost))) {
      throw new TilegradError("E_ARGUMENT", `${where}: cost "${name}" is ${cost}; expected a number or "amount".`, {
        hint: 'Costs are named tn, fp, fn and tp, for example { fp: 5, fn: "amount" }.',
      });
    }
  }
}

function unknownRule(where: string, got: string): TilegradError {
  return new TilegradError("E_ARGUMENT", `${where}: unknown threshold rule ${got}.`, {
    hint:
      "Write 0.5, f1, f2, f0.5, mcc, balancedAccuracy, youden, accuracy, kappa, quantile:0.9, alerts:5, " +
      "recall>=0.8 (best precision), precision>=0.5 (best recall) or cost:fp=1,fn=5; in a program " +
      'parseThresholdRule("f2"), { maximize: "f1" } or { maximize: "fBeta", beta: 2 }.',
  });
}

/**
 * A rule from one word, as on a command line: `0.5`, `f1`, `f2`, `f0.5`, `mcc`, `balancedAccuracy`, `youden`,
 * `accuracy`, `kappa`, `quantile:0.9`, `alerts:5` (per thousand), `recall>=0.8` (best precision), `precision>=0.5`
 * (best recall), `cost:fp=1,fn=5` or `cost:fp=5,fn=amount`.
 *
 * @throws `E_ARGUMENT` when the word is none of these
 */
export function parseThresholdRule(text: string): ThresholdRule {
  const rule = typeof text === "string" ? readRule(text.trim()) : undefined;
  if (rule === undefined) throw unknownRule("threshold", show(text));
  checkThresholdRule(rule, `threshold ${JSON.stringify(text)}`);
  return rule;
}

/** Rules of one number, by what stands before it. */
const PREFIXES: Readonly<Record<string, (value: number) => ThresholdRule>> = {
  "quantile:": (quantile) => ({ quantile }),
  "alerts:": (alertsPerThousand) => ({ alertsPerThousand }),
  "recall>=": (recallAtLeast) => ({ maximize: "precision", recallAtLeast }),
  "precision>=": (precisionAtLeast) => ({ maximize: "recall", precisionAtLeast }),
  f: (beta) => ({ maximize: "fBeta", beta }),
  "": (fixed) => ({ fixed }),
};

function readRule(text: string): ThresholdRule | undefined {
  if (objectives.includes(text)) return { maximize: text as Objective };
  const match = /^(quantile:|alerts:|recall>=|precision>=|f|cost:|)(.+)$/.exec(text);
  if (match === null) return undefined;
  const [, kind, rest] = match;
  if (kind === "cost:") return readCosts(rest);
  const value = Number(rest);
  return Number.isNaN(value) ? undefined : PREFIXES[kind](value);
}

function readCosts(text: string): ThresholdRule | undefined {
  const costs: Record<string, number | "amount"> = {};
  for (const part of text.split(",")) {
    const [name, cost] = part.split("=");
    if (cost === undefined || cost === "") return undefined;
    costs[name] = cost === "amount" ? cost : Number(cost);
  }
  return { minimizeCost: costs };
}
