/** Saved models as trainers again. */

import { files as keptFiles } from "#platform";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import type { FileStore, Files } from "../io/bundle.ts";
import type { Extras, ModelFile } from "../io/model.ts";
import { decodeModel } from "../io/model.ts";
import { matchTensors } from "../io/safetensors.ts";
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import { calibrated } from "../metrics/calibration.ts";
import type { Optimizer } from "../model/optimizers.ts";
import type { LayerMaker, LossMaker } from "../model/registry.ts";
import { lossFromJson, modelFromJson } from "../model/registry.ts";
import type { OptionsOf } from "../options.ts";
import { checkObject, checkOptions, checkValue } from "../options.ts";
import type { Numeric } from "../values.ts";
import type { MetricName } from "./metrics.ts";
import type { RowSource } from "./source.ts";
import { Trainer } from "./trainer.ts";

export interface LoadedModel extends Extras, Pick<ModelFile, "training"> {
  readonly trainer: Trainer;
  /**
   * Scores of rows x [rows, ...inputShape], row-major, through the saved calibration where there is one: what the saved
   * threshold is compared with. `trainer.predict` leaves the calibration out.
   */
  predict(x: Numeric | RowSource): Promise<Float32Array>;
}

const LOAD_OPTIONS = {
  /** Where it runs. */
  device: is.required(is.device as Kind<Device>),
  /** Makers of custom layers, by type. */
  layers: is.object as Kind<Readonly<Record<string, LayerMaker>>>,
  /** Makers of custom losses, by type. */
  losses: is.object as Kind<Readonly<Record<string, LossMaker>>>,
  /** For training on; default adam(). */
  optimizer: is.object as Kind<Optimizer>,
  /** As `compile` takes them. */
  metrics: is.list as Kind<readonly MetricName[]>,
  /** Where the model is kept, and what is made of it will be; default: folders on disk in Node, the OPFS in a browser. */
  files: is.object as Kind<FileStore>,
};

export interface LoadOptions extends OptionsOf<typeof LOAD_OPTIONS> {}

/**
 * A saved model, ready to predict, evaluate or train on.
 * @throws E_FILE for whatever is wrong with the files; nothing is held then
 */
export function trainerFromFiles(saved: Files, where: string, options: LoadOptions): LoadedModel {
  checkObject("trainerFromFiles", saved, "files by name, as modelFiles gives");
  checkOptions("trainerFromFiles", options, LOAD_OPTIONS);
  const { architecture, weights, preprocessing, calibration, threshold, labels, training } = decodeModel(saved, where);
  const { device, layers, losses, optimizer, metrics, files } = options;
  const { model, loss } = fromFile(where, () => ({
    model: modelFromJson(architecture, layers),
    loss: lossFromJson(training?.lossFunction ?? { type: "binaryCrossentropy" }, losses),
  }));
  // A few words of the architecture may ask for any amount of memory: nothing is made of them that the weights do not fill.
  matchTensors(weights, model.parameters, where);
  const seed = training?.seed ?? 0;
  const trainer = new Trainer(model, {
    device,
    loss,
    seed,
    ...(optimizer ? { optimizer } : {}),
    ...(metrics ? { metrics } : {}),
    ...(files ? { files } : {}),
  });
  try {
    fromFile(where, () =>
      trainer.setWeights(Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, t.data]))),
    );
  } catch (error) {
    trainer.dispose();
    throw error;
  }
  const predict: LoadedModel["predict"] = async (x) => calibrated(calibration, await trainer.predict(x));
  return { trainer, predict, preprocessing, calibration, threshold, labels, training };
}

/** What `make` gives; whatever is wrong there is wrong with the files. */
function fromFile<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TilegradError) || error.code === "E_FILE") throw error;
    throw new TilegradError("E_FILE", `${where}: ${error.message}`, {
      cause: error,
      hint: "The model's files do not belong together.",
    });
  }
}

/** The model saved in a folder (Node) or under a name in the OPFS (browser). @throws E_FILE */
export async function loadModel(folder: string, options: LoadOptions): Promise<LoadedModel> {
  checkOptions("loadModel", options, LOAD_OPTIONS);
  checkValue("loadModel", "folder", folder, is.string);
  const { files = keptFiles } = options;
  return trainerFromFiles(await files.read(folder, "model.json"), folder, options);
}
