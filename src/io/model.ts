/** The saved model: `model.json` (what a person can read) beside its weights. See bundle.ts for the layout. */
import type { Kind } from "../kinds.ts";
import * as is from "../kinds.ts";
import type { Calibration } from "../metrics/calibration.ts";
import type { OptionsOf } from "../options.ts";
import { decodeBundle, encodeBundle, type Files, onlyFields } from "./bundle.ts";
import { parseCalibration } from "./calibrationJson.ts";
import type { Json } from "./json.ts";
import type { Place } from "./place.ts";
import { asCount, asJson, asList, asNumber, asObject, asShape, asString, field, misplaced, optional } from "./place.ts";
import { matchTensors, type StoredTensors } from "./safetensors.ts";

const MODEL = { head: "model.json", format: "tilegrad-model", version: 1, stem: "weights" };

/** What a model has besides its network; `parseExtras` looks closer. */
export const MODEL_EXTRAS = {
  /** What was fitted on the training rows; the table's code validates it. */
  preprocessing: is.anything as Kind<Json>,
  /** What the network's scores go through before the threshold. */
  calibration: is.anything as Kind<Calibration>,
  /** A score >= `value` is a yes; `rule` says how it was chosen ("fixed", "f1", ...). */
  threshold: is.anything as Kind<{ readonly value: number; readonly rule: string }>,
  /** What 1 and 0 stand for. */
  labels: is.anything as Kind<{ readonly positive: string; readonly negative: string }>,
};

export interface Extras extends OptionsOf<typeof MODEL_EXTRAS> {}

const FIELDS = ["architecture", "weights", ...Object.keys(MODEL_EXTRAS), "training"];

export interface ModelFile extends Extras {
  /** A tree of `{ type, config }`; the model's code validates it. */
  readonly architecture: Json;
  /** By name, in f32, row-major. */
  readonly weights: StoredTensors;
  /** How the weights came about. */
  readonly training?: {
    readonly seed: number;
    readonly epochs: number;
    /** The last epoch's training loss. */
    readonly loss: number;
    readonly [more: string]: Json | undefined;
  };
}

/** The files of a model's folder, `model.json` last. Equal models give equal bytes. */
export function encodeModel(model: ModelFile): Files {
  const weights = Object.keys(model.weights).map((name) => {
    const { dtype, shape } = model.weights[name];
    return { name, dtype, shape };
  });
  return encodeBundle(MODEL, { ...model, weights }, model.weights);
}

/** What a model has besides its network. @throws E_FILE naming the field that is wrong */
export function parseExtras(at: Place): Extras {
  return {
    preprocessing: optional(field(at, "preprocessing"), asJson),
    calibration: optional(field(at, "calibration"), parseCalibration),
    threshold: optional(field(at, "threshold"), (place) => ({
      value: asNumber(field(place, "value")),
      rule: asString(field(place, "rule")),
    })),
    labels: optional(field(at, "labels"), (place) => ({
      positive: asString(field(place, "positive")),
      negative: asString(field(place, "negative")),
    })),
  };
}

/**
 * The model of a folder's files; the weights stand in the order they were saved in.
 * @param where what to call the folder in errors.
 * @throws E_FILE when a file is missing or damaged, a field is wrong (named by its path), or a weight is not as listed.
 */
export function decodeModel(files: Files, where: string): ModelFile {
  const { head, tensors } = decodeBundle(MODEL, files, where);
  onlyFields(head, FIELDS);
  const listed = asList(field(head, "weights")).map((item) => {
    const dtype = field(item, "dtype");
    if (dtype.value !== "f32" && dtype.value !== "u32" && dtype.value !== "i32")
      throw misplaced(dtype, "f32, u32 or i32");
    return { name: asString(field(item, "name")), dtype: dtype.value, shape: asShape(field(item, "shape")) } as const;
  });
  matchTensors(tensors, listed, where);
  return {
    architecture: asJson(field(head, "architecture")),
    weights: Object.fromEntries(listed.map(({ name }) => [name, tensors[name]])),
    ...parseExtras(head),
    training: optional(field(head, "training"), (at) => ({
      ...asObject(at),
      seed: asCount(field(at, "seed")),
      epochs: asCount(field(at, "epochs")),
      loss: asNumber(field(at, "loss")),
    })),
  };
}
