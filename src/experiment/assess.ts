/** What is said of a trained model beyond its metrics: the curves of its scores, and which columns it goes by. */
import { inputShapeOf, type Preprocessor } from "../data/preprocess.ts";
import { columnGroups } from "../explain/groups.ts";
import { integratedGradients, meanAttribution } from "../explain/integratedGradients.ts";
import { permutationImportance } from "../explain/permutation.ts";
import { sizeOf } from "../graph/types.ts";
import { type Diagnostics, diagnostics } from "../metrics/diagnostics.ts";
import { type PairedDifference, pairedGuessing } from "../metrics/paired.ts";
import type { ClassificationReport } from "../metrics/report.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import type { DecisionCost, Importance } from "../report/result.ts";
import type { Trainer } from "../train/trainer.ts";
import { costsOf, decisionCost } from "./decide.ts";
import type { Examples } from "./rows.ts";
import { pricesOf, sampleOf, weightsOf } from "./rows.ts";

const REPLICATES = 500;

/**
 * Metrics, on demand with confidence intervals, and what plots are drawn from; costs are those of the rule, if it has any
 * and the rows have the amounts that it needs.
 */
export function assess(
  part: Examples,
  scores: Float32Array,
  options: { threshold: number; rule: ThresholdRule | null; seed: number; intervals: boolean },
): {
  readonly report: ClassificationReport;
  readonly versusGuessing: PairedDifference | null;
  readonly diagnostics: Diagnostics;
  readonly cost: DecisionCost | null;
} {
  const { y } = part;
  const weights = weightsOf(part);
  const { threshold, rule, seed, intervals } = options;
  const bootstrap = intervals ? { bootstrap: { seed, replicates: REPLICATES } } : {};
  const costs = costsOf(rule, part);
  return {
    report: classificationReport(y, scores, { threshold, ...weights, ...bootstrap }),
    versusGuessing: pairedGuessing(y, scores, { seed, ...weights }),
    diagnostics: diagnostics(y, scores, { threshold, ...pricesOf(part), ...(costs ? { costs } : {}) }),
    cost: decisionCost(part, scores, threshold, rule),
  };
}

const REPEATS = 5;
/** What importance may cost: rows predicted, rows whose gradients are integrated, and columns that are tried at all. */
const MOST_PREDICTIONS = 300_000;
const MOST_ATTRIBUTED = 200;
const MOST_SHUFFLED = 100;

/** Per column, on a stratified sample of the rows; null where they are of one class. */
export async function importanceOf(
  trainer: Trainer,
  preprocessor: Preprocessor,
  part: Examples,
  seed: number,
): Promise<Importance | null> {
  if (!part.y.includes(0) || !part.y.includes(1)) return null;
  const groups = columnGroups(preprocessor);
  // A pixel says nothing alone, and its neighbours stand in for it.
  const { image, window } = preprocessor;
  const shuffles = !image && groups.length <= MOST_SHUFFLED;
  const most = shuffles
    ? Math.max(MOST_ATTRIBUTED, Math.floor(MOST_PREDICTIONS / groups.length / REPEATS / (window?.length ?? 1)))
    : MOST_ATTRIBUTED;
  const inputs = sizeOf(inputShapeOf(preprocessor));
  const { x, y } = await sampleOf(part, inputs, most, seed);
  const permutation = shuffles
    ? await permutationImportance((rows) => trainer.predict(rows), x, y, groups, { repeats: REPEATS, seed })
    : null;
  const explained = await sampleOf({ x, y }, inputs, MOST_ATTRIBUTED, seed);
  const shares = await integratedGradients(trainer, explained.x);
  return {
    rows: y.length,
    repeats: REPEATS,
    permutation,
    attribution: meanAttribution(shares, explained.y.length, groups),
  };
}
