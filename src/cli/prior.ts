/**
 * Scores stay probabilities at the prevalence of the rows as they came, though the network has learned from another:
 * resampled rows, balanced batches, classes of unequal weight.
 */
import { TilegradError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import type { Trainer } from "../train/trainer.ts";

/**
 * The bias of the layer that gives the logit. Moving it is the whole correction, since that adds a constant to every
 * logit: no other part of a saved model has to know of it.
 * @throws E_ARGUMENT for a model without
 */
function outputBias(model: Model): string {
  const last = model.layers[model.layers.length - 1];
  const name = `${last.name}/bias`;
  if (last.type === "dense" && model.parameters.some((p) => p.name === name && p.shape.join() === "1")) return name;
  throw new TilegradError(
    "E_ARGUMENT",
    `resampled rows or weighted classes: the last layer (${last.type}) has no bias.`,
    {
      hint: "The scores are brought back to the prevalence of the rows by it: let the model end in dense(1).",
    },
  );
}

/** @throws E_ARGUMENT when the scores of this model could not be moved so far */
export function checkCorrectable(model: Model, shift: number): void {
  if (shift !== 0) outputBias(model);
}

/** Adds the shift to every logit that the trainer's model gives from now on. */
export async function correctPrior(trainer: Trainer, shift: number): Promise<void> {
  if (shift === 0) return;
  const name = outputBias(trainer.model);
  const weights = await trainer.getWeights();
  trainer.setWeights({ ...weights, [name]: Float32Array.of(weights[name][0] + shift) });
}
