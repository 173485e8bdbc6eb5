/** Saved models as trainers again. */
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { Files } from "../io/bundle.ts";
import type { ModelFile } from "../io/model.ts";
import { decodeModel } from "../io/model.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { LayerMaker } from "../model/registry.ts";
import { lossFromJson, modelFromJson } from "../model/registry.ts";
import type { MetricName } from "./metrics.ts";
import { Trainer } from "./trainer.ts";

export interface LoadedModel extends Pick<ModelFile, "preprocessing" | "threshold" | "labels" | "training"> {
  readonly trainer: Trainer;
}

export interface LoadOptions {
  readonly device: Device;
  /** Makers of custom layers, by type. */
  readonly layers?: Readonly<Record<string, LayerMaker>>;
  /** For training on; default adam(). */
  readonly optimizer?: Optimizer;
  readonly metrics?: readonly MetricName[];
}

/** A saved model, ready to predict, evaluate or train on. @throws E_FILE for whatever is wrong with the files. */
export function trainerFromFiles(files: Files, where: string, options: LoadOptions): LoadedModel {
  const { architecture, weights, preprocessing, threshold, labels, training } = decodeModel(files, where);
  const { device, layers, optimizer, metrics } = options;
  try {
    const model = modelFromJson(architecture, layers);
    const loss = lossFromJson(training?.lossFunction ?? { type: "binaryCrossentropy" });
    const trainer = new Trainer(model, {
      device,
      loss,
      seed: training?.seed ?? 0,
      ...(optimizer ? { optimizer } : {}),
      ...(metrics ? { metrics } : {}),
    });
    trainer.setWeights(Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, t.data])));
    return { trainer, preprocessing, threshold, labels, training };
  } catch (error) {
    if (!(error instanceof TilegradError) || error.code === "E_FILE") throw error;
    throw new TilegradError("E_FILE", `${where}: ${error.message}`, { cause: error, hint: "The model's files do not belong together." });
  }
}

/** The model saved in a folder (Node) or under a name in the OPFS (browser). @throws E_FILE */
export async function loadModel(folder: string, options: LoadOptions): Promise<LoadedModel> {
  return trainerFromFiles(await options.device.files.read(folder, "model.json"), folder, options);
}
