/** A saved model with its preprocessing, ready to be applied to files. */
import type { Preprocessor } from "../data/preprocess.ts";
import { csvKinds } from "../data/preprocess.ts";
import { parsePreprocessor } from "../data/preprocessorJson.ts";
import type { Table } from "../data/table.ts";
import type { Device } from "../device.ts";
import { TilegradError } from "../errors.ts";
import { loadModel } from "../train/loading.ts";
import type { Trainer } from "../train/trainer.ts";
import { readTable } from "./table.ts";

export interface SavedModel {
  readonly trainer: Trainer;
  readonly preprocessor: Preprocessor;
  readonly threshold: { readonly value: number; readonly rule: string };
}

/** @throws E_FILE for whatever is missing, damaged, or does not belong together */
export async function openModel(folder: string, device: Device): Promise<SavedModel> {
  const { trainer, preprocessing, threshold } = await loadModel(folder, { device });
  if (preprocessing === undefined || threshold === undefined) {
    throw new TilegradError("E_FILE", `${folder}: the model has no ${preprocessing ? "threshold" : "preprocessing"}.`, {
      hint: "Only models saved by `tilegrad train` hold what it takes to read a table.",
    });
  }
  const preprocessor = parsePreprocessor(preprocessing, `${folder}/model.json: preprocessing`);
  const [inputs, outputs] = [trainer.model.inputShape, trainer.model.outputShape];
  const width = preprocessor.featureNames.length;
  if (inputs.length !== 1 || inputs[0] !== width || outputs.length !== 1 || outputs[0] !== 1) {
    throw new TilegradError(
      "E_FILE",
      `${folder}: the network maps [${inputs}] to [${outputs}]; expected [${width}] to [1].`,
      {
        hint: "The parts of this folder do not belong together; save the model again.",
      },
    );
  }
  return { trainer, preprocessor, threshold };
}

/** Reads a table in the kinds of the training table; columns that are no inputs need not be there. */
export function readTableFor(
  { preprocessor }: SavedModel,
  file: string,
  options: { signal: AbortSignal; quiet: boolean; labelled: boolean },
): Promise<Table> {
  const { categorical, numeric } = csvKinds(preprocessor);
  const { labelled, ...rest } = options;
  const { name } = preprocessor.target;
  const unused = preprocessor.dropped.map((d) => d.name);
  return readTable(file, {
    ...rest,
    numeric,
    categorical: labelled ? [...categorical, name] : categorical,
    categoricalIfPresent: labelled ? unused : [...unused, name],
  });
}
