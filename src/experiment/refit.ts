/**
 * Once more, with the validation rows. What has learned from all rows that are not for testing can be judged by rows it has
 * learned from only. So it takes the other network's place where it is no worse on these, a part of which the other has not
 * seen: whatever it got wrong there, few epochs of an unlucky order, say, would be wrong elsewhere.
 */
import { averagePrecision } from "../metrics/areas.ts";
import { logLoss } from "../metrics/probability.ts";
import { isProper } from "./objective.ts";
import type { Settings } from "./options.ts";
import type { Examples } from "./rows.ts";
import { positivesIn, weightsOf } from "./rows.ts";

/** A measure of the network that the validation rows stopped, and of the one that has learned from them. */
interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** What came of the second training. Plain JSON. */
export interface Refit {
  readonly rows: number;
  readonly epochs: number;
  readonly loss: readonly number[];
  /** Whether its network is the model; where it is worse, the first one stays. */
  readonly kept: boolean;
  /** On the rows that it has learned from. */
  readonly prAuc: BeforeAfter;
  /** On the same rows; null where scores are no probabilities. */
  readonly logLoss: BeforeAfter | null;
}

/** Below this many positives the validation rows are worth more in training (bench/results/defaults.md). */
const SCARCE_POSITIVES = 500;

/** Unasked, never where scores are calibrated: the map was fitted to the network that would go. */
export function shouldRefit({ training, decision }: Settings, train: Examples, validation: Examples): boolean {
  if (training.refit !== "auto") return training.refit === "always";
  return decision.calibrate === "none" && positivesIn(train) + positivesIn(validation) < SCARCE_POSITIVES;
}

/** @param before scores of `rows` by the network that has learned from a part of them @param after by that of all */
export function judgeRefit(
  { loss }: Pick<Settings, "loss">,
  rows: Examples,
  before: Float32Array,
  after: Float32Array,
): Pick<Refit, "kept" | "prAuc" | "logLoss"> {
  const weights = weightsOf(rows);
  const of = (measure: (scores: Float32Array) => number): BeforeAfter => ({
    before: measure(before),
    after: measure(after),
  });
  const ranks = of((scores) => averagePrecision(rows.y, scores, weights.sampleWeight) ?? 0);
  const sureness = isProper(loss) ? of((scores) => logLoss(rows.y, scores, weights)) : null;
  const kept = ranks.after >= ranks.before && (sureness === null || sureness.after <= sureness.before);
  return { kept, prAuc: ranks, logLoss: sureness };
}
