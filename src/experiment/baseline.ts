/** Logistic regression beside the network, on the same rows. */
import { inputShapeOf } from "../data/preprocess.ts";
import { sizeOf } from "../graph/types.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import type { LogisticRegression } from "../model/logisticRegression.ts";
import { fitLogisticRegression, predictLogisticRegression } from "../model/logisticRegression.ts";
import type { LogisticBaseline } from "../report/result.ts";
import { decisionCost } from "./cost.ts";
import type { Part } from "./examples.ts";
import { samplePart, weightsOf } from "./examples.ts";
import type { Choose } from "./learn.ts";
import type { Prepared } from "./prepare.ts";

/** Rows that it is fitted on where more are streamed. */
const LOGISTIC_ROWS = 50_000;
/** Rows that are scored at once. */
const SCORED_ROWS = 65_536;

/** @throws E_DATA when the rows are of one class */
export async function fitLogistic({ preprocessor }: Prepared, part: Part, seed: number): Promise<LogisticRegression> {
  const inputs = sizeOf(inputShapeOf(preprocessor));
  const { x, y, sampleWeight } = "x" in part ? part : await samplePart(part, inputs, LOGISTIC_ROWS, seed);
  return fitLogisticRegression(x, y, sampleWeight ? { sampleWeight } : {});
}

export async function logisticScores(model: LogisticRegression, part: Part): Promise<Float32Array> {
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
  learnedFrom: Part,
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
  const report = async (part: Part | null, model = last) =>
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
