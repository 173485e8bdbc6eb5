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

/** Chooses a threshold, by scores of rows that were not learned from where there are any. */
export type Choose = (rows: Labels, scores: Float32Array) => Promise<TunedThreshold>;

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

/** Threshold and rows as the network had them: chosen before the validation rows were learned from. */
export async function logisticBaseline(
  data: Prepared,
  learnedFrom: Examples,
  choose: Choose,
  rule: ThresholdRule,
  seed: number,
): Promise<LogisticBaseline> {
  const { train, validation, test } = data;
  const first = await fitLogistic(data, train, seed);
  const chosenOn = validation ?? train;
  const { threshold } = await choose(chosenOn, await logisticScores(first, chosenOn));
  const last = learnedFrom === train ? first : await fitLogistic(data, learnedFrom, seed);
  const [judged, judge] = [test ?? validation ?? train, !test && validation ? first : last];
  const report = async (part: Examples | null, model = last) =>
    part && classificationReport(part.y, await logisticScores(model, part), { threshold, ...weightsOf(part) });
  return {
    model: "logistic regression",
    l2: 1 / (2 * learnedFrom.y.length),
    converged: last.converged,
    threshold,
    metrics: { train: await report(train), validation: await report(validation, first), test: await report(test) },
    cost: decisionCost(judged, await logisticScores(judge, judged), threshold, rule),
  };
}
