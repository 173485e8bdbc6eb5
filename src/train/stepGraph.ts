/** A model's training step apart from any data: to look at, and to measure. */
import type { Graph } from "../graph/types.ts";
import type { Loss } from "../model/losses.ts";
import type { Model } from "../model/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { TrainingPrecision } from "../passes/half.ts";
import { layoutParameters } from "./parameters.ts";
import { trainingStep } from "./step.ts";

/** Steps that the batch order and the loss record hold; a session has up to 1,024, the fewer the larger its batches are. */
const QUEUE = 256;

interface Described {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly precision?: TrainingPrecision;
}

/**
 * @param batch rows of a step
 * @param rows of the data; what is planned does not depend on them, as long as they fill a batch
 */
export function stepGraph(
  { model, loss, optimizer, precision = "f32" }: Described,
  batch: number,
  rows = batch * QUEUE,
): Graph {
  const has = (kind: "l1" | "l2"): boolean => model.parameters.some((p) => (p.regularizer?.[kind] ?? 0) > 0);
  return trainingStep({
    model,
    loss,
    optimizer,
    layout: layoutParameters(model),
    batch,
    data: { rows: Math.min(rows, batch * QUEUE), y: [], weighted: false },
    orderSize: 2 * QUEUE * batch,
    recordSize: 2 * QUEUE,
    augment: undefined,
    penalties: { l1: has("l1"), l2: has("l2") },
    precision,
  });
}
