/**
 * Scores stay probabilities at the prevalence of the rows as they came, though the network has learned from another:
 * resampled rows, balanced batches, classes of unequal weight.
 */
import { TilegradError } from "../errors.ts";
import { topological } from "../graph/traverse.ts";
import type { Tensor } from "../graph/types.ts";
import type { Model } from "../model/model.ts";
import { unsquash } from "../model/squash.ts";
import { state } from "../ops/core/constant.ts";
import type { Trainer } from "../train/trainer.ts";

/**
 * The bias that is added last to the logit, and to nothing else. Moving it is the whole correction, since that adds a
 * constant to every logit: no other part of a saved model has to know of it.
 * @throws E_ARGUMENT for a model without
 */
function outputBias(model: Model): string {
  const parameters = new Map<string, Tensor>();
  const output = model.trace(state("x", [1, ...model.inputShape]), {
    training: false,
    parameter: ({ name, shape }) => {
      const tensor = parameters.get(name) ?? state(name, shape);
      parameters.set(name, tensor);
      return tensor;
    },
  });
  const logits = unsquash(output)?.logits ?? output;
  let { node } = logits;
  while (node.op.alias) node = node.inputs[0].node;
  const bias = node.op.name === "linear" ? node.inputs[2] : undefined;
  const uses = topological([logits]).flatMap((n) => n.inputs.filter((t) => t === bias));
  const found = [...parameters].find(([, tensor]) => tensor === bias);
  if (found && uses.length === 1) return found[0];
  throw new TilegradError(
    "E_ARGUMENT",
    "resampled rows or weighted classes: the model's logit is not a sum with a bias of its own.",
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
