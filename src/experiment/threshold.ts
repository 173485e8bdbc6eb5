/** Where a network's threshold comes from: the rows at hand, or all rows that are not for testing, in folds. */
import { TilegradError } from "../errors.ts";
import { carryThreshold, tuneThreshold } from "../metrics/thresholds.ts";
import type { Choose } from "./baseline.ts";
import { fitLogistic, logisticScores } from "./baseline.ts";
import { thresholdRule } from "./decide.ts";
import type { Observer } from "./observer.ts";
import type { Settings } from "./options.ts";
import type { Examples, Labels, Prepared } from "./rows.ts";
import { joined, joinedLabels, positivesIn, pricesOf } from "./rows.ts";

/** Both models' thresholds, and the folds that they came from, once they are chosen. */
export interface Thresholds {
  readonly network: Choose;
  readonly logistic: Choose;
  readonly folds: () => number | null;
}

/** Fewer positives than this make a metric or a threshold mostly luck: one row more or less is a tenth of recall. */
export const FEW_POSITIVES = 10;
/** With fewer, a fold may have none to stop by. */
const LEAST_IN_FOLDS = 3;
const AUTO_FOLDS = 5;

/** How many folds a threshold is chosen by; null: by the validation rows, or the training rows where there are none. */
export function foldsFor(settings: Settings, { train, validation }: Pick<Prepared, "train" | "validation">) {
  const { thresholdFolds: asked } = settings.decision;
  if ("fixed" in thresholdRule(settings) || asked === "none") return null;
  if (asked !== "auto") return asked;
  const parts = validation ? [train, validation] : [train];
  const rarer = (of: readonly Labels[]): number => {
    const [yes, rows] = [of.reduce((n, part) => n + positivesIn(part), 0), of.reduce((n, { y }) => n + y.length, 0)];
    return Math.min(yes, rows - yes);
  };
  const [judges, all] = [rarer([validation ?? train]), rarer(parts)];
  return judges < FEW_POSITIVES && all >= LEAST_IN_FOLDS ? Math.min(AUTO_FOLDS, all) : null;
}

/** Rows with their scores by models that have learned from others. */
interface HeldOut {
  readonly rows: Labels;
  readonly network: Float32Array;
  readonly logistic: Float32Array;
}

/** Of what was learned from a fold, what a threshold needs; the trainer is the caller's to dispose of. */
interface LearnedFold {
  readonly trainer: { dispose(): void };
  readonly learnedFrom: Examples;
  readonly scores: { readonly test: Float32Array | null };
}

/** Learns from a fold as from all rows. */
type Learn = (fold: Prepared, settings: Settings) => Promise<LearnedFold>;

export function thresholdsBy(learn: Learn, data: Prepared, settings: Settings, around: Observer): Thresholds {
  const rule = thresholdRule(settings);
  const k = foldsFor(settings, data);
  let scored: Promise<HeldOut | null> | undefined;
  let by: number | null = null;
  const heldOut = async (): Promise<HeldOut | null> => {
    if (k === null) return null;
    scored ??= scoreFolds(learn, data, k, settings, around).catch((error) => {
      // Nobody asked for folds that cannot be: of a group, of the last rows in time, of too few neighbours.
      if (settings.decision.thresholdFolds === "auto" && cannotBe(error)) return null;
      throw error;
    });
    const held = await scored;
    by = held && k;
    return held;
  };
  const chooser = (scorer: "network" | "logistic"): Choose => ({
    async on(part, scores) {
      const held = await heldOut();
      const [rows, found] = held ? [held.rows, held[scorer]] : [part, scores];
      return tuneThreshold(rows.y, found, rule, pricesOf(rows));
    },
    // Folds learn as the last model does, with its refit; a number that was given is meant as it is.
    moved(tuned, before, after) {
      if (by !== null || "fixed" in rule) return tuned;
      return { ...tuned, threshold: carryThreshold(tuned.threshold, before, after) };
    },
  });
  return { network: chooser("network"), logistic: chooser("logistic"), folds: () => by };
}

const cannotBe = (error: unknown): boolean =>
  error instanceof TilegradError && (error.code === "E_DATA" || error.code === "E_ARGUMENT");

/** Each fold is an experiment of its own, in which all that is fitted is fitted anew. */
async function scoreFolds(
  learn: Learn,
  data: Prepared,
  k: number,
  settings: Settings,
  around: Observer,
): Promise<HeldOut> {
  const own: Settings = { ...settings, decision: { ...settings.decision, thresholdFolds: "none" }, baseline: false };
  const tell = (fold: number | null) => around.onProgress?.({ type: "threshold", fold, folds: k });
  let all: HeldOut | null = null;
  let done = 0;
  try {
    for await (const fold of data.folds(k)) {
      tell(++done);
      const { trainer, scores, learnedFrom } = await learn(fold, own);
      trainer.dispose();
      const rows = fold.test as Examples;
      const logistic = settings.baseline
        ? await logisticScores(await fitLogistic(fold, learnedFrom, settings.seed), rows)
        : new Float32Array(0);
      const next = { rows, network: scores.test as Float32Array, logistic };
      all = all ? joinedHeldOut(all, next) : next;
    }
  } finally {
    tell(null);
  }
  return all as HeldOut;
}

const joinedHeldOut = (a: HeldOut, b: HeldOut): HeldOut => ({
  rows: joinedLabels(a.rows, b.rows),
  network: joined(a.network, b.network),
  logistic: joined(a.logistic, b.logistic),
});
