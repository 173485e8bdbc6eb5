/** Loss and metrics of predictions, exact in f64 on the host. */
import { interpreter } from "../cpu/interpret.ts";
import { TilegradError } from "../errors.ts";
import type { Elements, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { averagePrecision, rocAuc } from "../metrics/areas.ts";
import type { Confusion } from "../metrics/confusion.ts";
import { accuracy, balancedAccuracy, confusionMatrix, f1, mcc, precision, recall } from "../metrics/confusion.ts";
import { brier, logLoss } from "../metrics/probability.ts";
import type { Loss } from "../model/losses.ts";
import { reduceLoss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import { unsquash } from "../model/squash.ts";
import { input, state } from "../ops/core/constant.ts";
import type { CheckedData } from "./data.ts";

type Metric = (y: Float32Array, scores: Float32Array, weight: Float32Array | undefined) => number | null;

/** At threshold 0.5; 0/0 is 0. */
const atHalf =
  (formula: (counts: Confusion) => number): Metric =>
  (y, scores, weight) =>
    formula(confusionMatrix(y, scores, 0.5, weight)) || 0;

const logLossOf: Metric = (y, scores, weight) => logLoss(y, scores, weight ? { sampleWeight: weight } : {});

/** Of a yes/no target, at threshold 0.5 where one is needed; prAuc is average precision. */
const metrics = {
  accuracy: atHalf(accuracy),
  balancedAccuracy: atHalf(balancedAccuracy),
  precision: atHalf(precision),
  recall: atHalf(recall),
  f1: atHalf(f1),
  mcc: atHalf(mcc),
  rocAuc,
  prAuc: averagePrecision,
  logLoss: logLossOf,
  brier,
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;
const metricNames = Object.keys(metrics) as MetricName[];

export class Scorer {
  private readonly model: Model;
  private readonly loss: Loss;
  private readonly metrics: readonly MetricName[];
  /** The model's final sigmoid or softmax, which the predictor leaves to this. */
  private readonly squash: (logits: Tensor) => Tensor;

  /** @throws E_ARGUMENT for an unknown metric, or when the model has more than one output */
  constructor(model: Model, loss: Loss, names: readonly MetricName[]) {
    const unknown = names.find((name) => !Object.hasOwn(metrics, name));
    if (unknown !== undefined) {
      throw new TilegradError("E_ARGUMENT", `metrics: got "${unknown}"; expected ${metricNames.join(", ")}.`);
    }
    if (names.length > 0 && sizeOf(model.outputShape) !== 1) {
      throw new TilegradError(
        "E_ARGUMENT",
        `metrics: the model gives [${model.outputShape}]; metrics need one score a row.`,
        {
          hint: "Leave metrics out, or end the model with dense(1).",
        },
      );
    }
    this.model = model;
    this.loss = loss;
    this.metrics = names;
    const traced = model.trace(input("x", [1, ...model.inputShape]), {
      training: false,
      parameter: ({ name, shape }) => state(name, shape),
    });
    this.squash = unsquash(traced)?.squash ?? ((logits) => logits);
  }

  /** What `score` gives. */
  get names(): readonly string[] {
    return ["loss", ...this.metrics];
  }

  /** The loss of all rows together (weights and reduction as in training), then the metrics; null becomes NaN. */
  score(logits: Float32Array, { y, yShape, weight, rows }: Omit<CheckedData, "x">): Record<string, number> {
    const output = this.output(rows);
    const target = input("target", [rows, ...yShape]);
    const weights = weight ? input("weight", [rows]) : null;
    const loss = reduceLoss(this.loss, output, target, weights);
    const value = this.run({ logits, target: y, ...(weight ? { weight } : {}) }, loss)[0];
    const scored: Record<string, number> = { loss: value };
    if (this.metrics.length === 0) return scored;
    const scores = this.scores(logits);
    for (const name of this.metrics) scored[name] = metrics[name](y, scores, weight ?? undefined) ?? Number.NaN;
    return scored;
  }

  /** What the predictor gives, as scores. */
  scores(logits: Float32Array): Float32Array {
    return Float32Array.from(this.run({ logits }, this.loss.scores(this.output(this.rowsOf(logits)))));
  }

  /** What the predictor gives, as the model's outputs. */
  outputs(logits: Float32Array): Float32Array {
    return Float32Array.from(this.run({ logits }, this.output(this.rowsOf(logits))));
  }

  private rowsOf = (logits: Float32Array): number => logits.length / sizeOf(this.model.outputShape);

  private output(rows: number): Tensor {
    return this.squash(input("logits", [rows, ...this.model.outputShape]));
  }

  private run(feeds: Readonly<Record<string, Float32Array>>, result: Tensor): Elements {
    const graph = { outputs: { result }, updates: [] };
    const compiled = interpreter(graph, (name) => Float64Array.from(feeds[name]), "f64");
    compiled.run({});
    return compiled.outputs.result;
  }
}
