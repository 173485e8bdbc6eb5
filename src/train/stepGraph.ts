/** A model's training step apart from any data: to look at, and to measure. */
import type { Graph } from "../graph/types.ts";
import { chunkSizes } from "./chunk.ts";
import { layoutParameters } from "./parameters.ts";
import type { StepSpec } from "./step.ts";
import { trainingStep } from "./step.ts";

/** Batches of data that are looked at. */
const BATCHES = 256;

/**
 * @param batch rows of a step
 * @param maxQueue the device's
 * @param rows of the data; what is planned does not depend on them, as long as they fill a batch
 */
export function stepGraph(
  { model, loss, optimizer, precision = "f32" }: Pick<StepSpec, "model" | "loss" | "optimizer" | "precision">,
  batch: number,
  maxQueue: number,
  rows = batch * BATCHES,
): Graph {
  const has = (kind: "l1" | "l2"): boolean => model.parameters.some((p) => (p.regularizer?.[kind] ?? 0) > 0);
  const { orderSize, recordSize } = chunkSizes(batch, maxQueue);
  return trainingStep({
    model,
    loss,
    optimizer,
    layout: layoutParameters(model),
    batch,
    data: { rows: Math.min(rows, batch * BATCHES), y: [], weighted: false },
    orderSize,
    recordSize,
    augment: undefined,
    penalties: { l1: has("l1"), l2: has("l2") },
    precision,
  });
}
