/** Logistic regression beside the network, on the same rows. */
import { inputShapeOf } from "../data/preprocess.ts";
import { sizeOf } from "../graph/types.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import type { TunedThreshold } from "../metrics/thresholds.ts";
import type { LogisticRegression } from "../model/logisticRegression.ts";
import { fitLogisticRegression, predictLogisticRegression } from "../model/logisticRegression.ts";
import type { LogisticBaseline } from "../report/result.ts";
import { decisionCost } from "./decide.ts";
import type { Examples, Labels, Prepared } from "./rows.ts";
import { sampleOf, weightsOf } from "./rows.ts";

/** Chooses the threshold of one kind of model. */
export interface Choose {
  /** By these scores of rows that were not learned from, where there are any; by those of folds where there are folds. */
  on(rows: Labels, scores: Float32Array): Promise<TunedThreshold>;
  /** The threshold of a model that takes the other's place, by what each says of the rows that it has learned from. */
  moved(threshold: TunedThreshold, before: Float32Array, after: Float32Array): TunedThreshold;
}

/** Rows that it is fitted on where more are streamed. */
const LOGISTIC_ROWS = 50_000;
/** Rows that are scored at once. */
const SCORED_ROWS = 65_536;

/** @throws E_DATA when the rows are of one class */
export async function fitLogistic(
  { preprocessor }: Prepared,
  part: Examples,
  seed: number,
): Promise<LogisticRegression> {
  const inputs = sizeOf(inputShapeOf(preprocessor));
  const { x, y, sampleWeight } = "x" in part ? part : await sampleOf(part, inputs, LOGISTIC_ROWS, seed);
  return fitLogisticRegression(x, y, sampleWeight ? { sampleWeight } : {});
}

export async function logisticScores(model: LogisticRegression, part: Examples): Promise<Float32Array> {
  if ("x" in part) return predictLogisticRegression(model, part.x);
  const scores = new Float32Array(part.rows);
  for (let at = 0; at < part.rows; at += SCORED_ROWS) {
    const { x } = await part.read(at, Math.min(SCORED_ROWS, part.rows - at));
    scores.set(predictLogisticRegression(model, x as Float32Array), at);
  }
  return scores;
}

/** With its scores of the rows that it is judged by. */
export interface FittedBaseline extends Omit<LogisticBaseline, "versus" | "curves"> {
  readonly scores: Float32Array;
}

/** Threshold and rows as the network had them. */
export async function logisticBaseline(
  data: Prepared,
  learnedFrom: Examples,
  choose: Choose,
  rule: ThresholdRule,
  seed: number,
): Promise<FittedBaseline> {
  const { train, validation, test } = data;
  const first = await fitLogistic(data, train, seed);
  const trained = await logisticScores(first, train);
  const validated = validation && (await logisticScores(first, validation));
  const stopped = await choose.on(validation ?? train, validated ?? trained);
  const again = learnedFrom !== train;
  const last = again ? await fitLogistic(data, learnedFrom, seed) : first;
  const moved = again ? choose.moved(stopped, trained, await logisticScores(last, learnedFrom)) : stopped;
  const scores = {
    train: again ? await logisticScores(last, train) : trained,
    validation: validated,
    test: test && (await logisticScores(last, test)),
  };
  const report = (part: Examples | null, found: Float32Array | null, { threshold } = moved) =>
    part && found && classificationReport(part.y, found, { threshold, ...weightsOf(part) });
  const part = test ? "test" : validation ? "validation" : "train";
  const { threshold } = part === "validation" ? stopped : moved;
  return {
    model: "logistic regression",
    l2: 1 / (2 * learnedFrom.y.length),
    converged: last.converged,
    threshold: moved.threshold,
    metrics: {
      train: report(train, scores.train),
      validation: report(validation, validated, stopped),
      test: report(test, scores.test),
    },
    cost: decisionCost(data[part] as Examples, scores[part] as Float32Array, threshold, rule),
    scores: scores[part] as Float32Array,
  };
}
