/** A saved model with its preprocessing, ready to be applied to files. */
import path from "node:path";
import type { Preprocessor } from "../../data/preprocess.ts";
import { inputShapeOf } from "../../data/preprocess.ts";
import { parsePreprocessor } from "../../data/preprocessorJson.ts";
import type { Device } from "../../device.ts";
import { TilegradError } from "../../errors.ts";
import type { RowColumns } from "../../experiment/rowColumns.ts";
import { sameShape } from "../../graph/types.ts";
import type { Json } from "../../io/json.ts";
import { checkpointFolder, hasCheckpoint } from "../../node/checkpoints.ts";
import { fileExists } from "../../node/files.ts";
import type { LoadedModel } from "../../train/loading.ts";
import { loadModel } from "../../train/loading.ts";

export interface SavedModel extends Pick<LoadedModel, "trainer" | "predict"> {
  readonly preprocessor: Preprocessor;
  readonly threshold: { readonly value: number; readonly rule: string };
  /** Of training. */
  readonly columns: RowColumns;
  /** What `trainedRows` has saved. */
  readonly trainedOn: Json | undefined;
}

/** @throws E_FILE for whatever is missing, damaged, or does not belong together */
export async function openModel(folder: string, device: Device): Promise<SavedModel> {
  const { trainer, predict, preprocessing, threshold, training } = await loadModel(folder, { device });
  if (preprocessing === undefined || threshold === undefined) {
    throw new TilegradError("E_FILE", `${folder}: the model has no ${preprocessing ? "threshold" : "preprocessing"}.`, {
      hint: "Only models saved by `tilegrad train` hold what it takes to read a table.",
    });
  }
  const preprocessor = parsePreprocessor(preprocessing, `${folder}/model.json: preprocessing`);
  const [inputs, outputs] = [trainer.model.inputShape, trainer.model.outputShape];
  const shape = inputShapeOf(preprocessor);
  if (!sameShape(inputs, shape) || !sameShape(outputs, [1])) {
    throw new TilegradError(
      "E_FILE",
      `${folder}: the network maps [${inputs}] to [${outputs}]; expected [${shape}] to [1].`,
      {
        hint: "The parts of this folder do not belong together; save the model again.",
      },
    );
  }
  const columns = savedRowColumns(training?.["settings"]);
  return { trainer, predict, preprocessor, threshold, columns, trainedOn: training?.["rows"] };
}

/** Looks for the model, before a device is opened for it. @throws E_FILE where there is none, or a run that has not ended */
export async function checkModel(folder: string): Promise<void> {
  if (await fileExists(path.join(folder, "model.json"))) return;
  if ((await hasCheckpoint(checkpointFolder(folder))) || (await hasCheckpoint(folder))) {
    throw new TilegradError("E_FILE", `${folder}: got a checkpoint of a run that has not ended; expected a model.`, {
      hint: "Go on with the command that made it, and --resume; the model is saved at the end.",
    });
  }
  throw new TilegradError("E_FILE", `${folder}: there is no model (no model.json).`, {
    hint: "Give the folder that `tilegrad train --out` saved.",
  });
}

/** The columns of weights and amounts in a saved model's settings. */
function savedRowColumns(settings: Json | undefined): RowColumns {
  const saved = (typeof settings === "object" ? settings : null) as { readonly [name: string]: Json } | null;
  const text = (value: Json | undefined) => (typeof value === "string" ? value : undefined);
  return { sampleWeight: text(saved?.["sampleWeight"]), amount: text(saved?.["amount"]) };
}
