/**
 * One experiment: prepared rows in, a trained network, its threshold and its metrics out. `train`, `cv`, `tune` and
 * `compare` all run it, so that none of them can measure in another way.
 */
import type { Command } from "commander";
import { inputShapeOf } from "../data/preprocess.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { sizeOf } from "../graph/types.ts";
import { classificationReport } from "../metrics/report.ts";
import type { ThresholdRule } from "../metrics/thresholdRule.ts";
import { parseThresholdRule } from "../metrics/thresholdRule.ts";
import { tuneThreshold } from "../metrics/thresholds.ts";
import type { LogisticRegression } from "../model/logisticRegression.ts";
import { fitLogisticRegression, predictLogisticRegression } from "../model/logisticRegression.ts";
import type { Model } from "../model/model.ts";
import type { LogisticBaseline } from "../report/result.ts";
import { addCalibrateOption } from "./calibrate.ts";
import type { FitSettings } from "./fit.ts";
import { addFitOptions } from "./fit.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Learned, LearnSettings } from "./learn.ts";
import { learn } from "./learn.ts";
import type { NetworkOptions } from "./network.ts";
import { addNetworkOptions, makeModel } from "./network.ts";
import type { LossChoice, OptimizerChoice } from "./objective.ts";
import { addLossOptions, addOptimizerOptions, defaultBatch, makeLoss, makeOptimizer } from "./objective.ts";
import type { Part } from "./part.ts";
import { samplePart, weightsOf } from "./part.ts";
import type { Prepared } from "./prepare.ts";
import type { ResampleOptions } from "./resample.ts";
import { addResampleOptions, checkCorrectable, sampler } from "./resample.ts";

/** How to learn from rows, whichever rows they are. */
export interface ExperimentOptions
  extends NetworkOptions,
    LossChoice,
    Omit<OptimizerChoice, "batch">,
    FitSettings,
    ResampleOptions,
    Omit<LearnSettings, "batch"> {
  readonly threshold: string;
  /** Whether logistic regression is fitted beside the network. */
  readonly baseline: boolean;
}

export interface Experiment extends Learned {
  readonly model: Model;
  /** Rows of a step. */
  readonly batch: number;
  readonly baseline: LogisticBaseline | null;
}

/** The options of `ExperimentOptions` but the seed. */
export function addExperimentOptions(command: Command): Command {
  addNetworkOptions(command);
  addLossOptions(command);
  addResampleOptions(command);
  addOptimizerOptions(command);
  addFitOptions(command).optionsGroup("Decision:");
  return addCalibrateOption(command)
    .option(
      "--threshold <rule>",
      "chosen on validation rows: f1, f2, mcc, youden, recall>=0.8, precision>=0.5, alerts:5, cost:fp=1,fn=5, or a number",
      "f1",
    )
    .option("--no-baseline", "no logistic regression beside the network");
}

/** Frees nothing: the trainer is the caller's to dispose of. @throws E_ARGUMENT, E_DATA, E_ABORTED, E_NONFINITE, ... */
export async function experiment(
  device: Device,
  data: Prepared,
  options: ExperimentOptions,
  interrupt: Interrupt,
): Promise<Experiment> {
  const rule = thresholdRule(options.threshold);
  const sample = sampler(device, data.preprocessor, options);
  const sampled = await sample(data.train);
  const { y } = sampled.part;
  const batch = Math.min(options.batch ?? defaultBatch(y.length, options.optimizer), y.length);
  const settings = { ...options, batch };
  const model = await makeModel(options, inputShapeOf(data.preprocessor), y);
  checkCorrectable(model, sampled);
  const described = { model, loss: makeLoss(options, y), optimizer: makeOptimizer(settings) };
  const learned = await learn(device, described, data, { rule, sampled, sample }, settings, interrupt);
  const baseline = options.baseline ? await logisticBaseline(data, learned.learnedFrom, rule, options.seed) : null;
  return { ...learned, model, batch, baseline };
}

/** The rule as JSON. @throws E_ARGUMENT */
export function thresholdRule(text: string): ThresholdRule {
  const rule = parseThresholdRule(text);
  if ("minimizeCost" in rule && Object.values(rule.minimizeCost).includes("amount")) {
    throw new TilegradError("E_ARGUMENT", `--threshold: got ${JSON.stringify(text)}; costs must be numbers here.`, {
      hint: "Costs by each row's amount are in the library: tuneThreshold(y, scores, rule, { amounts }).",
    });
  }
  return rule;
}

/** Rows that it is fitted on where more are streamed. */
const LOGISTIC_ROWS = 50_000;
/** Rows that are scored at once. */
const SCORED_ROWS = 65_536;

async function logisticScores(model: LogisticRegression, part: Part): Promise<ArrayLike<number>> {
  if ("x" in part) return predictLogisticRegression(model, part.x);
  const scores = new Float64Array(part.rows);
  for (let at = 0; at < part.rows; at += SCORED_ROWS) {
    const { x } = await part.read(at, Math.min(SCORED_ROWS, part.rows - at));
    scores.set(predictLogisticRegression(model, x as Float32Array), at);
  }
  return scores;
}

/** Threshold and rows as the network had them: chosen before the validation rows were learned from. */
async function logisticBaseline(
  { train, validation, test, preprocessor }: Prepared,
  learnedFrom: Part,
  rule: ThresholdRule,
  seed: number,
): Promise<LogisticBaseline> {
  const inputs = sizeOf(inputShapeOf(preprocessor));
  const fitted = async (part: Part): Promise<LogisticRegression> => {
    const { x, y, sampleWeight } = "x" in part ? part : await samplePart(part, inputs, LOGISTIC_ROWS, seed);
    return fitLogisticRegression(x, y, sampleWeight ? { sampleWeight } : {});
  };
  const first = await fitted(train);
  const chosenOn = validation ?? train;
  const { threshold } = tuneThreshold(chosenOn.y, await logisticScores(first, chosenOn), rule, weightsOf(chosenOn));
  const last = learnedFrom === train ? first : await fitted(learnedFrom);
  const report = async (part: Part | null, model = last) =>
    part && classificationReport(part.y, await logisticScores(model, part), { threshold, ...weightsOf(part) });
  return {
    model: "logistic regression",
    l2: 1 / (2 * learnedFrom.y.length),
    converged: last.converged,
    threshold,
    metrics: { train: await report(train), validation: await report(validation, first), test: await report(test) },
  };
}
